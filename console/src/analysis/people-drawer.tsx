import { DownloadOutlined, TagsOutlined } from '@ant-design/icons'
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query'
import { Button, Drawer, Form, Input, Modal } from 'antd'
import { useState } from 'react'
import { useNavigate } from 'react-router'
import { http, saveBlob } from '@/api/client'
import type { PeopleBehind } from '@/api/types'
import { toCsv } from '@/format/csv'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { EmptyState } from '@/ui/empty'
import { Loaded } from '@/ui/loaded'
import { PersonLink } from '@/ui/person-link'
import { useAct } from '@/ui/use-act'
import type { Behind } from './answers/shared'

const PAGE = 100
const EXPORT_PAGE = 1000
/** More than this is a segment's export, which the server writes. */
const MOST_EXPORTED = 100_000

/** The people behind a number: listed, saved as a segment, exported. */
export function PeopleDrawer({ of, close }: { of: Behind; close: () => void }) {
  const { t } = useLanguage()
  const format = useFormat()
  const act = useAct()
  const [saving, setSaving] = useState(false)
  const [exporting, setExporting] = useState(false)
  const path = `/query/${of.kind}/people`
  const query = useInfiniteQuery({
    queryKey: ['behind', of.kind, of.question, of.which],
    queryFn: ({ signal, pageParam }) => http.post<PeopleBehind>(path, { ...of.question, which: of.which, cursor: pageParam, limit: PAGE }, undefined, signal),
    initialPageParam: '',
    getNextPageParam: (last) => (last.next === '' ? undefined : last.next),
  })
  const total = query.data?.pages[0]?.total ?? 0

  async function exportAll() {
    setExporting(true)
    await act(async () => {
      const rows: (string | number)[][] = []
      let cursor = ''
      do {
        const page = await http.post<PeopleBehind>(path, { ...of.question, which: of.which, cursor, limit: EXPORT_PAGE })
        rows.push(...page.people.map((person) => [person.uid, ...person.distinct_ids]))
        cursor = page.next
      } while (cursor !== '' && rows.length < MOST_EXPORTED)
      saveBlob(new Blob([toCsv(['uid', t('person.ids')], rows)], { type: 'text/csv;charset=utf-8' }), `${of.kind}-people.csv`)
    }, t('export.done'))
    setExporting(false)
  }
  return (
    <Drawer
      open
      onClose={close}
      size={520}
      title={
        <>
          {of.title} <span className="muted small">{query.data && t('analysis.people.total', { n: total })}</span>
        </>
      }
      footer={
        <div className="row">
          <Button icon={<TagsOutlined />} disabled={total === 0} onClick={() => setSaving(true)}>
            {t('analysis.people.save')}
          </Button>
          <Button icon={<DownloadOutlined />} disabled={total === 0 || total > MOST_EXPORTED} loading={exporting} title={total > MOST_EXPORTED ? t('analysis.people.too_many') : undefined} onClick={() => void exportAll()}>
            {t('analysis.people.export')}
          </Button>
        </div>
      }
    >
      <Loaded query={query} rows={10}>
        {(data) => {
          const people = data.pages.flatMap((page) => page.people)
          if (people.length === 0) return <EmptyState picture="people" title={t('analysis.people.none')} />
          return (
            <>
              <ul className="people-list">
                {people.map((person) => (
                  <li key={person.uid}>
                    <PersonLink person={person} />
                    <span className="muted small mono">{person.distinct_ids.slice(1, 3).join(' · ')}</span>
                  </li>
                ))}
              </ul>
              {query.hasNextPage && (
                <Button loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                  {t('analysis.people.more', { shown: format.count(people.length), n: total })}
                </Button>
              )}
            </>
          )
        }}
      </Loaded>
      {saving && <SaveSegment of={of} close={() => setSaving(false)} />}
    </Drawer>
  )
}

function SaveSegment({ of, close }: { of: Behind; close: () => void }) {
  const { t } = useLanguage()
  const act = useAct()
  const client = useQueryClient()
  const navigate = useNavigate()
  const [form] = Form.useForm<{ name: string; key: string }>()
  const [busy, setBusy] = useState(false)

  async function save(values: { name: string; key: string }) {
    setBusy(true)
    const done = await act(async () => {
      await http.post(`/query/${of.kind}/segment`, { ...of.question, which: of.which, save: values })
      await client.invalidateQueries({ queryKey: ['segments'] })
    }, t('analysis.segment.saved'))
    setBusy(false)
    if (done) void navigate(`/people/segments/${encodeURIComponent(values.key)}`)
  }
  return (
    <Modal open title={t('analysis.people.save')} okText={t('action.save')} cancelText={t('action.cancel')} confirmLoading={busy} onCancel={close} onOk={() => form.submit()}>
      <p className="muted small">{t('analysis.segment.about')}</p>
      {typeof of.question.segment === 'string' && <p className="small">{t('analysis.segment.within')}</p>}
      <Form form={form} layout="vertical" initialValues={{ name: of.title, key: `${of.kind}-${Date.now().toString(36)}` }} onFinish={(values) => void save(values)}>
        <Form.Item name="name" label={t('analysis.segment.name')} rules={[{ required: true, max: 200, message: t('analysis.segment.name.wrong') }]}>
          <Input maxLength={200} />
        </Form.Item>
        <Form.Item name="key" label={t('analysis.segment.key')} rules={[{ required: true, pattern: /^[a-z0-9][a-z0-9_-]{0,63}$/, message: t('analysis.segment.key.wrong') }]}>
          <Input className="mono" maxLength={64} />
        </Form.Item>
      </Form>
    </Modal>
  )
}
