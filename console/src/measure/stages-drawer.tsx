import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Button, Drawer, Form, Input, Select } from 'antd'
import { useState } from 'react'
import { propertyOptions } from '@/analysis/editors/filter-editor'
import { StepEditor } from '@/analysis/editors/step-editor'
import { useNames } from '@/analysis/use-names'
import { http } from '@/api/client'
import type { StageSettings, Stages } from '@/api/types'
import { useLanguage } from '@/i18n/language'
import { Loaded } from '@/ui/loaded'
import { useAct } from '@/ui/use-act'

const EVENTS = ['activity', 'activation', 'revenue', 'refund', 'invite', 'joined'] as const
const TEXTS = ['activation_within', 'value_within', 'deal_window'] as const
const PROPERTIES = ['channel', 'amount', 'invite_code', 'joined_code'] as const
const DEALS = ['deal_channel', 'deal_scene', 'deal_product', 'deal_decision', 'deal'] as const

/** Which events the stages of AARRR and CSPDD are. */
export function StagesDrawer({ close }: { close: () => void }) {
  const { t } = useLanguage()
  const query = useQuery({ queryKey: ['stages'], queryFn: ({ signal }) => http.get<Stages>('/stages', undefined, signal) })
  return (
    <Drawer open size={620} title={t('stages.title')} onClose={close}>
      <Loaded query={query}>{(held) => <Editor held={held} close={close} />}</Loaded>
    </Drawer>
  )
}

function Editor({ held, close }: { held: Stages; close: () => void }) {
  const { t } = useLanguage()
  const act = useAct()
  const client = useQueryClient()
  const names = useNames()
  const [settings, setSettings] = useState<StageSettings>(held.settings)
  const known = names.data ?? { events: [], properties: [], context: [], traits: [] }
  const properties = propertyOptions(known).map((one) => ({ ...one, label: one.value }))
  const set = (part: Partial<StageSettings>) => setSettings({ ...settings, ...part })
  async function save() {
    const done = await act(async () => {
      await http.put('/stages', { settings, version: held.version })
      await Promise.all(['stages', 'aarrr', 'channels', 'cspdd'].map((key) => client.invalidateQueries({ queryKey: [key] })))
    }, t('stages.saved'))
    if (done) close()
  }
  return (
    <Form layout="vertical">
      {held.version === 0 && <p className="muted">{t('stages.guessed')}</p>}
      {EVENTS.map((name) => (
        <Form.Item key={name} label={t(`stages.${name}`)}>
          <StepEditor label={t(`stages.${name}`)} value={settings[name] ?? undefined} names={known} onChange={(value) => set({ [name]: value ?? (name === 'activity' ? '*' : null) })} />
        </Form.Item>
      ))}
      {PROPERTIES.map((name) => (
        <Form.Item key={name} label={t(`stages.${name}`)}>
          <Select aria-label={t(`stages.${name}`)} showSearch allowClear={name.endsWith('_code')} value={(settings[name] ?? '') === '' ? null : settings[name]} options={properties} onChange={(value: string | null | undefined) => set({ [name]: value ?? '' })} />
        </Form.Item>
      ))}
      {TEXTS.map((name) => (
        <Form.Item key={name} label={t(`stages.${name}`)}>
          <Input aria-label={t(`stages.${name}`)} style={{ width: 120 }} value={settings[name]} onChange={(event) => set({ [name]: event.target.value })} />
        </Form.Item>
      ))}
      {DEALS.map((name) => (
        <Form.Item key={name} label={t(`stages.${name}`)}>
          <div className="stack tight">
            <StepEditor label={t(`stages.${name}`)} value={settings[name]?.event ?? undefined} names={known} onChange={(event) => set({ [name]: event === undefined ? null : { event, property: settings[name]?.property ?? null } })} />
            {name !== 'deal' && settings[name] && <Select aria-label={`${t(`stages.${name}`)} ${t('stages.property')}`} placeholder={t('stages.property')} showSearch allowClear value={settings[name].property ?? null} options={properties} onChange={(property: string | null | undefined) => set({ [name]: { event: settings[name]?.event, property: property ?? null } })} />}
          </div>
        </Form.Item>
      ))}
      <div className="row">
        <Button onClick={close}>{t('action.cancel')}</Button>
        <Button type="primary" onClick={() => void save()}>
          {t('action.save')}
        </Button>
      </div>
    </Form>
  )
}
