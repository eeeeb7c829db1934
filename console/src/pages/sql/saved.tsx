import { DeleteOutlined, SaveOutlined } from '@ant-design/icons'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Input, Popover, Select } from 'antd'
import { useState } from 'react'
import { http } from '@/api/client'
import type { SavedSql, SavedSqlList } from '@/api/types'
import { useLanguage } from '@/i18n/language'
import { useAct } from '@/ui/use-act'
import { numberOf, useUrlState } from '@/url/use-url-state'

/** Saved queries: opened, saved anew or in their place, removed. The one that is open is in the address. */
export function SavedQueries({ text, open }: { text: string; open: (one: SavedSql) => void }) {
  const { t } = useLanguage()
  const act = useAct()
  const url = useUrlState()
  const client = useQueryClient()
  const { modal } = App.useApp()
  const [title, setTitle] = useState('')
  const query = useQuery({ queryKey: ['sql', 'queries'], queryFn: ({ signal }) => http.get<SavedSqlList>('/sql/queries', undefined, signal) })
  const all = query.data?.queries ?? []
  const held = all.find((one) => one.id === numberOf(url.get('saved')))
  const fresh = () => client.invalidateQueries({ queryKey: ['sql', 'queries'] })
  const write = (name: string) =>
    act(async () => {
      const made = await http.post<SavedSql>('/sql/queries', { title: name, sql: text })
      await fresh()
      setTitle('')
      url.set({ saved: made.id })
    }, t('sql.saved.done'))
  return (
    <span className="row" style={{ gap: 6 }}>
      <Select size="small" aria-label={t('sql.saved')} placeholder={t('sql.saved')} style={{ minWidth: 170 }} allowClear showSearch={{ optionFilterProp: 'label' }} value={held?.id ?? null} options={all.map((one) => ({ value: one.id, label: one.title }))} onChange={(id: number | null | undefined) => { const one = all.find((each) => each.id === id); if (one) open(one); else url.set({ saved: null }) }} />
      {held && held.sql !== text.trim() && (
        <Button size="small" disabled={text.trim() === ''} onClick={() => void act(async () => { await http.put(`/sql/queries/${held.id}`, { title: held.title, about: held.about, sql: text.trim(), chart: held.chart }); await fresh() }, t('sql.saved.done'))}>
          {t('action.save')}
        </Button>
      )}
      <Popover
        trigger="click"
        content={
          <span className="row">
            <Input aria-label={t('analysis.save.title')} placeholder={t('analysis.save.title')} maxLength={200} value={title} onChange={(event) => setTitle(event.target.value)} onPressEnter={() => title.trim() !== '' && void write(title)} />
            <Button type="primary" disabled={title.trim() === ''} onClick={() => void write(title)}>
              {t('action.save')}
            </Button>
          </span>
        }
      >
        <Button size="small" icon={<SaveOutlined />} disabled={text.trim() === ''}>
          {t('sql.save_as')}
        </Button>
      </Popover>
      {held && (
        <Button
          size="small"
          type="text"
          icon={<DeleteOutlined />}
          aria-label={t('analysis.remove.title', { title: held.title })}
          onClick={() =>
            void modal.confirm({
              title: t('analysis.remove.title', { title: held.title }),
              okText: t('analysis.remove'),
              okButtonProps: { danger: true },
              cancelText: t('action.cancel'),
              onOk: () => act(async () => { await http.delete(`/sql/queries/${held.id}`); await fresh(); url.set({ saved: null }) }, t('analysis.removed')),
            })
          }
        />
      )}
    </span>
  )
}
