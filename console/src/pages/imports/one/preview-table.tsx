import type { PreviewRow } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { DataTable } from '@/ui/data-table'
import { Panel } from '@/ui/page'
import { Pill, type Tone } from '@/ui/pill'
import { wordOr } from '../words'

const fields = ['customer', 'event', 'order', 'time', 'product', 'quantity', 'price', 'amount'] as const
const numeric = new Set<string>(['quantity', 'price', 'amount'])
const tone: Record<string, Tone> = { purchase: 'good', refund: 'warn', skipped: 'plain', quarantined: 'bad' }

/** The first rows of the file as they will be stored. */
export function PreviewTable({ rows, stale }: { rows: PreviewRow[]; stale: boolean }) {
  const { t } = useLanguage()
  const format = useFormat()
  const used = fields.filter((field) => rows.some((row) => row[field] !== ''))
  return (
    <Panel title={t('imports.preview')} about={t('imports.preview.about')} flush>
      <div style={{ opacity: stale ? 0.5 : 1, transition: 'opacity .15s' }} aria-busy={stale}>
        <DataTable<PreviewRow>
          rowKey="line"
          size="small"
          dataSource={rows}
          pagination={false}
          scroll={{ x: 760 }}
          columns={[
            { title: t('imports.preview.line'), align: 'right', width: 70, render: (_, row) => <span className="muted num">{row.line}</span> },
            {
              title: t('imports.preview.kind'),
              width: 110,
              render: (_, row) => (
                <>
                  <Pill tone={tone[row.kind] ?? 'info'}>{wordOr(t, `imports.preview.kind.${row.kind}`, row.kind)}</Pill>
                  {row.why && <div className="small muted">{row.why}</div>}
                </>
              ),
            },
            ...used.map((field) => ({
              title: field === 'time' ? `${t('imports.role.time')} (${format.place.timezone})` : t(`imports.role.${field}`),
              align: numeric.has(field) ? ('right' as const) : ('left' as const),
              render: (_: unknown, row: PreviewRow) => <span className={numeric.has(field) || field === 'time' ? 'num' : undefined}>{field === 'time' && row.time !== '' ? format.instant(row.time) : row[field]}</span>,
            })),
          ]}
        />
      </div>
    </Panel>
  )
}
