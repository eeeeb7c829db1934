import { DeleteOutlined } from '@ant-design/icons'
import { Button } from 'antd'
import { Link, useNavigate } from 'react-router'
import type { SavedLayering } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { useCan } from '@/shell/session'
import { DataTable } from '@/ui/data-table'
import { EmptyState } from '@/ui/empty'
import { Panel } from '@/ui/page'
import { ShareBar } from '@/ui/share-bar'
import { useUrlState } from '@/url/use-url-state'
import { useConfirmDelete } from '../use-confirm-delete'
import { useKindNames } from '../use-kind-names'

export function SavedTable({ saved }: { saved: SavedLayering[] }) {
  const { t } = useLanguage()
  const format = useFormat()
  const can = useCan()
  const navigate = useNavigate()
  const url = useUrlState()
  const remove = useConfirmDelete()
  const { kindName } = useKindNames()
  const chosen = url.get('compare').split('.').filter(Boolean)

  if (saved.length === 0)
    return (
      <Panel title={t('layerings.saved')}>
        <EmptyState picture="layers" title={t('layerings.empty')}>
          {t('layerings.empty.about')}
        </EmptyState>
      </Panel>
    )
  return (
    <Panel
      title={t('layerings.saved')}
      about={saved.length > 1 ? t('layerings.saved.about') : undefined}
      flush
      extra={
        chosen.length === 2 && (
          <Button type="primary" size="small" onClick={() => void navigate(`/people/layerings/${chosen[0] ?? ''}/compare/${chosen[1] ?? ''}`)}>
            {t('layerings.compare')}
          </Button>
        )
      }
    >
      <DataTable<SavedLayering>
        rowKey={(one) => String(one.id)}
        dataSource={saved}
        pagination={saved.length > 20 ? { pageSize: 20, showSizeChanger: false } : false}
        scroll={{ x: 720 }}
        {...(saved.length > 1
          ? {
              rowSelection: {
                hideSelectAll: true,
              columnTitle: <span className="sr">{t('layerings.compare')}</span>,
                selectedRowKeys: chosen,
                // Two at most: the third takes the place of the first.
                onChange: (keys) => url.set({ compare: keys.map(String).slice(-2).join('.') }),
                getCheckboxProps: (one) => ({ 'aria-label': `${kindName(one.kind)} ${one.as_of}` }),
              },
            }
          : {})}
        columns={[
          { title: t('layerings.col.kind'), render: (_, one) => <Link to={`/people/layerings/${one.id}`}>{kindName(one.kind)}</Link> },
          { title: t('layerings.col.asof'), render: (_, one) => <span className="num">{format.day(one.as_of)}</span> },
          { title: t('layerings.col.people'), align: 'right', render: (_, one) => format.count(one.people) },
          { title: t('layerings.col.quality'), width: 140, render: (_, one) => <ShareBar share={one.quality_score / 100} text={t('layerings.score', { score: one.quality_score })} /> },
          { title: t('layerings.col.computed'), render: (_, one) => <span title={format.instantFull(one.computed_at)}>{format.ago(one.computed_at)}</span> },
          ...(can('analyst')
            ? [
                {
                  title: <span className="sr">{t('action.delete')}</span>,
                  width: 56,
                  render: (_: unknown, one: SavedLayering) => (
                    <Button type="text" icon={<DeleteOutlined />} aria-label={t('layerings.delete')} onClick={() => remove({ id: one.id, name: kindName(one.kind), day: one.as_of, people: one.people })} />
                  ),
                },
              ]
            : []),
        ]}
      />
    </Panel>
  )
}
