import { Select } from 'antd'
import type { ImportKind, Proposal, ProposalColumn } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { DataTable } from '@/ui/data-table'
import { Panel } from '@/ui/page'
import { ShareBar } from '@/ui/share-bar'
import { roles, wordOr } from '../words'
import { withRole } from './mapping'

interface ColumnMapProps {
  kind: ImportKind
  proposal: Proposal
  map: Record<string, string>
  disabled: boolean
  change: (map: Record<string, string>) => void
}

export function ColumnMap({ kind, proposal, map, disabled, change }: ColumnMapProps) {
  const { t, pick } = useLanguage()
  const format = useFormat()
  const roleOf = (column: string) => Object.entries(map).find(([, of]) => of === column)?.[0] ?? null
  const known = [...new Set([...roles[kind], ...Object.keys(map)])]

  return (
    <Panel title={t('imports.columns')} about={t('imports.columns.about')} flush>
      <DataTable<ProposalColumn>
        rowKey="column"
        size="middle"
        dataSource={proposal.columns}
        pagination={proposal.columns.length > 40 ? { pageSize: 40, showSizeChanger: false } : false}
        scroll={{ x: 760 }}
        columns={[
          { title: t('imports.column'), width: '20%', render: (_, column) => <strong style={{ overflowWrap: 'anywhere' }}>{column.column}</strong> },
          {
            title: t('imports.samples'),
            width: '28%',
            render: (_, column) => <span className="mono muted">{column.samples.filter(Boolean).slice(0, 3).join(' · ')}</span>,
          },
          {
            title: t('imports.role'),
            width: 220,
            render: (_, column) => (
              <Select<string>
                style={{ width: 200 }}
                disabled={disabled}
                aria-label={t('imports.role.of', { column: column.column })}
                value={roleOf(column.column) ?? ''}
                onChange={(role) => change(withRole(map, column.column, role === '' ? null : role))}
                showSearch={{ optionFilterProp: 'label' }}
                options={[{ value: '', label: t('imports.role.none') }, ...known.map((role) => ({ value: role, label: wordOr(t, `imports.role.${role}`, role) }))]}
              />
            ),
          },
          {
            title: t('imports.confidence'),
            render: (_, column) => {
              const role = roleOf(column.column)
              if (role === null) return <span className="small muted">{pick(column.why)}</span>
              if (role !== column.role) return <span className="small muted">{t('imports.confidence.chosen')}</span>
              return (
                <div className="row" style={{ flexWrap: 'nowrap' }}>
                  <ShareBar share={column.confidence} text={format.percent(column.confidence, 0)} color={column.confidence < 0.6 ? 'var(--warning)' : 'var(--accent)'} />
                  <span className="small muted">{pick(column.why)}</span>
                </div>
              )
            },
          },
        ]}
      />
    </Panel>
  )
}
