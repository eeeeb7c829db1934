import { DeleteOutlined } from '@ant-design/icons'
import { Button } from 'antd'
import { Link } from 'react-router'
import type { Segment } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { useCan } from '@/shell/session'
import { DataTable } from '@/ui/data-table'
import { EmptyState } from '@/ui/empty'
import { Loaded } from '@/ui/loaded'
import { Page } from '@/ui/page'
import { Pill } from '@/ui/pill'
import { OriginLink } from '../origin'
import { useSegments } from '../queries'
import { useConfirmDelete } from '../use-confirm-delete'

export default function SegmentsPage() {
  const { t } = useLanguage()
  const format = useFormat()
  const can = useCan()
  const segments = useSegments()
  const remove = useConfirmDelete()
  return (
    <Page title={t('segments.title')} about={t('segments.about')}>
      <section className="panel" aria-label={t('segments.title')}>
        <div className="flush">
          <Loaded query={segments} rows={6}>
            {({ segments: rows }) =>
              rows.length === 0 ? (
                <EmptyState
                  picture="people"
                  title={t('segments.empty')}
                  action={
                    <Link to="/people/layerings">
                      <Button type="primary">{t('segments.empty.action')}</Button>
                    </Link>
                  }
                >
                  {t('segments.empty.about')}
                </EmptyState>
              ) : (
                <DataTable<Segment>
                  rowKey="key"
                  dataSource={rows}
                  pagination={rows.length > 50 ? { pageSize: 50, showSizeChanger: false } : false}
                  scroll={{ x: 720 }}
                  columns={[
                    {
                      title: t('segments.col.name'),
                      render: (_, segment) => (
                        <>
                          <Link to={`/people/segments/${encodeURIComponent(segment.key)}`}>{segment.name}</Link>
                          <div className="small muted mono">{segment.key}</div>
                        </>
                      ),
                    },
                    { title: t('segments.col.kind'), render: (_, segment) => <Pill>{segment.kind === 'static' ? t('segments.kind.static') : segment.kind}</Pill> },
                    { title: t('segments.col.people'), align: 'right', sorter: (a, b) => a.people - b.people, render: (_, segment) => format.count(segment.people) },
                    { title: t('segments.col.origin'), render: (_, segment) => <OriginLink origin={segment.origin} asked={segment.asked} /> },
                    {
                      title: t('segments.col.created'),
                      render: (_, segment) => (
                        <span title={format.instantFull(segment.created_at)}>
                          {format.ago(segment.created_at)}
                          {segment.by ? ` · ${segment.by}` : ''}
                        </span>
                      ),
                    },
                    ...(can('analyst')
                      ? [{ title: <span className="sr">{t('action.delete')}</span>, width: 56, render: (_: unknown, segment: Segment) => <Button type="text" icon={<DeleteOutlined />} aria-label={`${t('segments.delete')} ${segment.name}`} onClick={() => remove(segment)} /> }]
                      : []),
                  ]}
                />
              )
            }
          </Loaded>
        </div>
      </section>
    </Page>
  )
}
