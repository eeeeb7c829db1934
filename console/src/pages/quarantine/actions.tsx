import { App, AutoComplete, Button, Input, Modal, Select } from 'antd'
import { useState } from 'react'
import { useLanguage } from '@/i18n/language'
import { ProblemView } from '@/ui/problem'
import { useAct } from '@/ui/use-act'
import { useDismiss, useReplay, type QuarantineFilter, type Rows } from './queries'

interface ActionsProps {
  chosen: number[]
  total: number
  filter: QuarantineFilter
  columns: string[]
  done: () => void
}

/** Replay or dismiss: the rows ticked, or all that fit; the number is in the button. */
export function Actions({ chosen, total, filter, columns, done }: ActionsProps) {
  const { t } = useLanguage()
  const { modal } = App.useApp()
  const act = useAct()
  const dismiss = useDismiss()
  const [replaying, setReplaying] = useState(false)
  const some = chosen.length > 0
  const n = some ? chosen.length : total
  const fits = Object.fromEntries(Object.entries(filter).filter(([name, value]) => value !== '' && name !== 'state'))
  const rows: Rows = some ? { ids: chosen } : { filter: fits }

  return (
    <div className="row">
      <Button type="primary" onClick={() => setReplaying(true)}>
        {some ? t('quarantine.replay.selected', { n }) : t('quarantine.replay.all', { n })}
      </Button>
      <Button
        onClick={() =>
          void modal.confirm({
            title: t('quarantine.dismiss.title', { n }),
            content: t('quarantine.dismiss.about'),
            okText: some ? t('quarantine.dismiss.selected', { n }) : t('quarantine.dismiss.all', { n }),
            cancelText: t('action.cancel'),
            onOk: async () => {
              await act(() => dismiss.mutateAsync(rows), t('quarantine.dismiss.done', { n }))
              done()
            },
          })
        }
      >
        {some ? t('quarantine.dismiss.selected', { n }) : t('quarantine.dismiss.all', { n })}
      </Button>
      {some && (
        <span className="small muted" aria-live="polite">
          {t('quarantine.selected', { n })}
        </span>
      )}
      {replaying && (
        <ReplayDialog
          n={n}
          rows={rows}
          columns={columns}
          close={() => {
            setReplaying(false)
            done()
          }}
        />
      )}
    </div>
  )
}

function ReplayDialog({ n, rows, columns, close }: { n: number; rows: Rows; columns: string[]; close: () => void }) {
  const { t } = useLanguage()
  const { message } = App.useApp()
  const replay = useReplay()
  const [column, setColumn] = useState('')
  const [value, setValue] = useState('')
  const [order, setOrder] = useState('')

  async function go() {
    const answer = await replay.mutateAsync({ rows, replace: column === '' ? null : { [column]: value }, options: order === '' ? null : { date_order: order } }).catch(() => null)
    if (!answer) return
    void message[answer.replayed > 0 ? 'success' : 'warning'](t('quarantine.replay.done', { replayed: answer.replayed, accepted: answer.accepted, duplicate: answer.duplicate, still: answer.still_quarantined }), 6)
    close()
  }
  return (
    <Modal open title={t('quarantine.replay.title', { n })} onCancel={close} okText={t('quarantine.replay.go')} cancelText={t('action.cancel')} confirmLoading={replay.isPending} onOk={() => void go()}>
      <div className="stack">
        <p className="muted">{t('quarantine.replay.about')}</p>
        <div className="formgrid">
          <div className="labelled">
            <label htmlFor="replace-column">{t('quarantine.replace.column')}</label>
            <AutoComplete id="replace-column" value={column} onChange={setColumn} options={columns.map((name) => ({ value: name }))} allowClear />
          </div>
          <div className="labelled">
            <label htmlFor="replace-value">{t('quarantine.replace.value')}</label>
            <Input id="replace-value" value={value} onChange={(event) => setValue(event.target.value)} disabled={column === ''} />
          </div>
          <div className="labelled">
            <label htmlFor="replay-order">{t('imports.option.date_order')}</label>
            <Select id="replay-order" value={order} onChange={setOrder} options={[{ value: '', label: t('imports.option.date_order.auto') }, ...(['ymd', 'dmy', 'mdy'] as const).map((name) => ({ value: name, label: t(`imports.option.date_order.${name}`) }))]} />
          </div>
        </div>
        {replay.error && <ProblemView error={replay.error} />}
      </div>
    </Modal>
  )
}
