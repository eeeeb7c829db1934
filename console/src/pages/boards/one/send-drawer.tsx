import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Button, Drawer, Form, Input, Select, Switch } from 'antd'
import { useState } from 'react'
import { Link } from 'react-router'
import { http } from '@/api/client'
import type { BoardSchedule, DestinationList, ShownSchedule } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { Loaded } from '@/ui/loaded'
import { useAct } from '@/ui/use-act'

const EVERY = ['day', 'week', 'month'] as const

/** When a board is sent by itself and to whom, and sending it now. */
export function SendDrawer({ board, close }: { board: number; close: () => void }) {
  const { t } = useLanguage()
  const schedule = useQuery({ queryKey: ['boards', board, 'schedule'], queryFn: ({ signal }) => http.get<ShownSchedule>(`/boards/${board}/schedule`, undefined, signal) })
  const destinations = useQuery({ queryKey: ['destinations'], queryFn: ({ signal }) => http.get<DestinationList>('/destinations', undefined, signal) })
  return (
    <Drawer open size={480} title={t('boards.send')} onClose={close}>
      <Loaded query={destinations}>
        {(all) => <Loaded query={schedule}>{(held) => <Editor key={held.next_at ?? ''} board={board} held={held} all={all} close={close} />}</Loaded>}
      </Loaded>
    </Drawer>
  )
}

function Editor({ board, held, all, close }: { board: number; held: ShownSchedule; all: DestinationList; close: () => void }) {
  const { t } = useLanguage()
  const format = useFormat()
  const act = useAct()
  const client = useQueryClient()
  const [value, setValue] = useState<BoardSchedule>(held.schedule ?? { every: 'week', at: '08:00', weekday: 1, day: 1, destinations: [], pdf: true })
  const mails = all.destinations.filter((one) => one.kind === 'email')
  const fresh = () => client.invalidateQueries({ queryKey: ['boards', board, 'schedule'] })
  const ready = value.destinations.length > 0 && /^([01]\d|2[0-3]):[0-5]\d$/.test(value.at)
  return (
    <Form layout="vertical">
      {mails.length === 0 && (
        <p>
          {t('boards.send.none')} <Link to="/settings/destinations">{t('destinations.title')}</Link>
        </p>
      )}
      <Form.Item label={t('alerts.to')}>
        <Select mode="multiple" aria-label={t('alerts.to')} value={value.destinations} options={mails.map((one) => ({ value: one.id, label: one.name }))} onChange={(list: number[]) => setValue({ ...value, destinations: list })} />
      </Form.Item>
      <Form.Item label={t('boards.send.pdf')}>
        <Switch aria-label={t('boards.send.pdf')} checked={value.pdf} onChange={(pdf) => setValue({ ...value, pdf })} />
      </Form.Item>
      <Form.Item label={t('boards.send.every')}>
        <div className="row">
          <Select aria-label={t('boards.send.every')} value={value.every} options={EVERY.map((one) => ({ value: one, label: t(`boards.every.${one}`) }))} onChange={(every: 'day' | 'week' | 'month') => setValue({ ...value, every })} />
          {value.every === 'week' && <Select aria-label={t('boards.send.weekday')} value={value.weekday} options={[1, 2, 3, 4, 5, 6, 7].map((one) => ({ value: one, label: t('boards.weekday', { n: one }) }))} onChange={(weekday: number) => setValue({ ...value, weekday })} />}
          {value.every === 'month' && <Select aria-label={t('boards.send.day')} value={value.day} options={Array.from({ length: 28 }, (_, at) => ({ value: at + 1, label: t('boards.monthday', { n: at + 1 }) }))} onChange={(day: number) => setValue({ ...value, day })} />}
          <Input aria-label={t('boards.send.at')} style={{ width: 80 }} value={value.at} onChange={(event) => setValue({ ...value, at: event.target.value })} />
        </div>
      </Form.Item>
      {held.next_at && <p className="small muted">{t('boards.send.next', { when: format.instant(held.next_at) })}{held.last_at && ` · ${t('boards.send.last', { when: format.instant(held.last_at) })}`}</p>}
      {held.error !== '' && <p role="alert" style={{ color: 'var(--bad)' }}>{held.error}</p>}
      <div className="row">
        <Button
          type="primary"
          disabled={!ready}
          onClick={() =>
            void act(async () => {
              await http.put(`/boards/${board}/schedule`, value)
              await fresh()
              close()
            }, t('boards.send.saved'))
          }
        >
          {t('boards.send.save')}
        </Button>
        <Button disabled={value.destinations.length === 0} onClick={() => void act(() => http.post(`/boards/${board}/send`, { destinations: value.destinations, pdf: value.pdf }), t('boards.sent'))}>
          {t('boards.send.now')}
        </Button>
        {held.schedule && (
          <Button
            danger
            onClick={() =>
              void act(async () => {
                await http.delete(`/boards/${board}/schedule`)
                await fresh()
                close()
              }, t('boards.send.stopped'))
            }
          >
            {t('boards.send.stop')}
          </Button>
        )}
      </div>
    </Form>
  )
}
