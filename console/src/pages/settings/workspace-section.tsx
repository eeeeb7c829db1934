import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Form, Input, Select } from 'antd'
import { useMemo } from 'react'
import { http } from '@/api/client'
import type { WorkspaceSettings } from '@/api/types'
import { currencies, timezones } from '@/format/places'
import { useLanguage } from '@/i18n/language'
import { useCan, useWorkspace } from '@/shell/session'
import { Loaded } from '@/ui/loaded'
import { Panel } from '@/ui/page'
import { ProblemView } from '@/ui/problem'

export function WorkspaceSection() {
  const { t } = useLanguage()
  const settings = useQuery({ queryKey: ['settings'], queryFn: ({ signal }) => http.get<WorkspaceSettings>('/settings', undefined, signal) })
  return (
    <Panel title={t('settings.section.workspace')} about={t('settings.workspace.about')}>
      <Loaded query={settings}>{(data) => <WorkspaceForm settings={data} />}</Loaded>
    </Panel>
  )
}

function WorkspaceForm({ settings }: { settings: WorkspaceSettings }) {
  const { t, language } = useLanguage()
  const { message } = App.useApp()
  const can = useCan()
  const client = useQueryClient()
  const { version } = useWorkspace()
  const zones = useMemo(() => timezones(settings.timezone), [settings.timezone])
  const money = useMemo(() => currencies(language), [language])
  const save = useMutation({
    mutationFn: ({ name, timezone, currency, language: chosen }: WorkspaceSettings) => http.put<WorkspaceSettings>('/settings', { name, timezone, currency, language: chosen }),
    onSuccess: async () => {
      void message.success(t('settings.saved'))
      await client.invalidateQueries()
    },
  })
  const fixed = settings.currency_fixed
  return (
    <Form<WorkspaceSettings> className="narrow" layout="vertical" requiredMark={false} disabled={!can('admin')} initialValues={settings} onFinish={(values) => save.mutate({ ...settings, ...values })}>
      <Form.Item name="name" label={t('settings.name')} rules={[{ required: true, whitespace: true, message: t('signin.required') }]}>
        <Input maxLength={100} />
      </Form.Item>
      <Form.Item name="timezone" label={t('settings.timezone')}>
        <Select showSearch options={zones} />
      </Form.Item>
      <Form.Item name="currency" label={t('settings.currency')} extra={t(fixed ? 'settings.currency.fixed' : 'settings.currency.open')}>
        <Select showSearch={{ optionFilterProp: 'label' }} options={money} disabled={fixed || !can('admin')} />
      </Form.Item>
      <Form.Item name="language" label={t('settings.language')}>
        <Select
          options={[
            { value: 'zh-CN', label: '简体中文' },
            { value: 'en', label: 'English' },
          ]}
        />
      </Form.Item>
      {save.error && <ProblemView error={save.error} />}
      <div className="row" style={{ marginTop: 12 }}>
        {can('admin') ? (
          <Button type="primary" htmlType="submit" loading={save.isPending}>
            {t('action.save')}
          </Button>
        ) : (
          <span className="muted small">{t('settings.readonly')}</span>
        )}
        <span className="muted small">{t('settings.version', { version })}</span>
      </div>
    </Form>
  )
}
