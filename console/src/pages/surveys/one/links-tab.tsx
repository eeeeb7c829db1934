import { DownloadOutlined } from '@ant-design/icons'
import { Button, Input, InputNumber, Select, Typography } from 'antd'
import { useState } from 'react'
import { Link } from 'react-router'
import { download, http } from '@/api/client'
import type { PersonalLink, PersonalLinks, SurveyInfo } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { DataTable } from '@/ui/data-table'
import { Panel } from '@/ui/page'
import { personAddress } from '@/ui/person-link'
import { useAct } from '@/ui/use-act'
import { useRefreshSurveys, useSegments } from '../queries'

const SHOWN = 100

export function LinksTab({ info }: { info: SurveyInfo }) {
  const { t } = useLanguage()
  const format = useFormat()
  const act = useAct()
  const refresh = useRefreshSurveys()
  const segments = useSegments()
  const [ids, setIds] = useState('')
  const [segment, setSegment] = useState<string>()
  const [days, setDays] = useState(30)
  const [busy, setBusy] = useState<'make' | 'csv' | null>(null)
  const [made, setMade] = useState<PersonalLinks | null>(null)
  const path = `/surveys/${encodeURIComponent(info.survey.key)}/links`
  const body = { ids: ids.split('\n').map((one) => one.trim()).filter(Boolean), segment: segment ?? null, days }
  const ready = body.ids.length > 0 || segment !== undefined

  async function make() {
    setBusy('make')
    await act(async () => setMade(await http.post<PersonalLinks>(path, body)))
    setBusy(null)
    await refresh()
  }
  async function save() {
    setBusy('csv')
    await act(() => download('POST', `${path}/export`, `${info.survey.key}-links.csv`, { body }), t('export.done'))
    setBusy(null)
    await refresh()
  }
  return (
    <div className="stack">
      {info.survey.public && (
        <Panel title={t('survey.public.address')}>
          <Typography.Text copyable code>{`${location.origin}${info.address}`}</Typography.Text>
        </Panel>
      )}
      <Panel title={t('survey.tab.links')} about={t('survey.links.about')}>
        <div className="stack tight" style={{ maxWidth: 560 }}>
          <label className="labelled">
            {t('survey.links.ids')}
            <Input.TextArea value={ids} autoSize={{ minRows: 3, maxRows: 10 }} onChange={(event) => setIds(event.target.value)} spellCheck={false} />
          </label>
          <div className="formgrid">
            <label>
              {t('survey.links.segment')}
              <Select<string> allowClear aria-label={t('survey.links.segment')} value={segment ?? null} options={(segments.data?.segments ?? []).map((one) => ({ value: one.key, label: `${one.name} (${format.count(one.people)})` }))} onChange={setSegment} />
            </label>
            <label>
              {t('survey.links.days')}
              <InputNumber min={1} max={3650} value={days} onChange={(value) => setDays(value ?? 30)} />
            </label>
          </div>
          <div className="row">
            <Button type="primary" disabled={!ready} loading={busy === 'make'} onClick={() => void make()}>
              {t('survey.links.make')}
            </Button>
            <Button icon={<DownloadOutlined />} disabled={!ready} loading={busy === 'csv'} onClick={() => void save()}>
              {t('survey.links.csv')}
            </Button>
          </div>
        </div>
      </Panel>
      {made && (
        <Panel title={t('survey.links.made', { n: made.total })} about={made.missing.length > 0 ? t('survey.links.missing', { ids: made.missing.join(', ') }) : undefined} flush>
          <DataTable<PersonalLink>
            rowKey="uid"
            dataSource={made.links.slice(0, SHOWN)}
            pagination={false}
            scroll={{ x: 640 }}
            columns={[
              { title: t('survey.links.person'), render: (_, one) => <Link to={personAddress(one.uid)}>{one.id}</Link> },
              {
                title: t('survey.links.link'),
                render: (_, one) => (
                  <Typography.Text copyable={{ text: one.url }} code>
                    {`…${one.url.slice(-24)}`}
                  </Typography.Text>
                ),
              },
              { title: t('survey.links.until'), width: 150, render: (_, one) => format.dayOf(one.expires_at) },
            ]}
          />
          {made.total > SHOWN && <div className="gridfoot small muted">{t('survey.links.first', { shown: SHOWN, total: made.total })}</div>}
        </Panel>
      )}
    </div>
  )
}
