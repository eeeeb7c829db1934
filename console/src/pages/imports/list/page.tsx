import { Button } from 'antd'
import { Link, useNavigate } from 'react-router'
import type { Import } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { useCan } from '@/shell/session'
import { DataTable } from '@/ui/data-table'
import { EmptyState } from '@/ui/empty'
import { Loaded } from '@/ui/loaded'
import { Page } from '@/ui/page'
import { Pill } from '@/ui/pill'
import { useImports } from '../queries'
import { filesLabel, statusTone } from '../words'

export default function ImportsPage() {
  const { t } = useLanguage()
  const format = useFormat()
  const can = useCan()
  const navigate = useNavigate()
  const imports = useImports()
  const newImport = can('operator') && (
    <Button type="primary" onClick={() => void navigate('/data/imports/new')}>
      {t('imports.new')}
    </Button>
  )

  return (
    <Page title={t('imports.title')} about={t('imports.about')} actions={newImport}>
      <section className="panel" aria-label={t('imports.title')}>
        <div className="flush">
          <Loaded query={imports} rows={8}>
            {(data) => {
              const rows = data.pages.flatMap((page) => page.imports)
              if (rows.length === 0)
                return (
                  <EmptyState picture="files" title={t('imports.empty')} action={newImport}>
                    {t('imports.empty.about')}
                  </EmptyState>
                )
              return (
                <DataTable<Import>
                  rowKey="id"
                  dataSource={rows}
                  pagination={false}
                  scroll={{ x: 820 }}
                  columns={[
                    {
                      title: t('imports.col.files'),
                      render: (_, one) => (
                        <>
                          <Link to={`/data/imports/${one.id}`}>{filesLabel(t, one.files)}</Link>
                          <div className="small muted">{format.bytes(one.files.reduce((sum, file) => sum + file.bytes, 0))}</div>
                        </>
                      ),
                    },
                    { title: t('imports.col.kind'), render: (_, one) => t(`imports.kind.${one.kind}`) },
                    {
                      title: t('imports.col.status'),
                      render: (_, one) => (
                        <>
                          <Pill tone={statusTone[one.status]}>{t(`imports.status.${one.status}`)}</Pill>
                          {one.dry_run && <> <Pill>{t('imports.dry')}</Pill></>}
                        </>
                      ),
                    },
                    { title: t('imports.col.rows'), align: 'right', render: (_, one) => format.count(one.summary?.rows_read ?? one.progress?.rows_read) },
                    { title: t('imports.col.accepted'), align: 'right', render: (_, one) => format.count(one.summary?.rows_accepted) },
                    {
                      title: t('imports.col.quarantined'),
                      align: 'right',
                      render: (_, one) =>
                        one.summary && one.summary.rows_quarantined > 0 && !one.dry_run ? (
                          <Link to={`/data/quarantine?import_id=${one.id}`}>{format.count(one.summary.rows_quarantined)}</Link>
                        ) : (
                          format.count(one.summary?.rows_quarantined)
                        ),
                    },
                    { title: t('imports.col.by'), render: (_, one) => one.by === '' ? '—' : one.by },
                    {
                      title: t('imports.col.when'),
                      render: (_, one) => (
                        <span className="num" title={format.instantFull(one.created_at)}>
                          {format.ago(one.created_at)}
                        </span>
                      ),
                    },
                  ]}
                />
              )
            }}
          </Loaded>
          {imports.hasNextPage && (
            <div style={{ padding: 16, textAlign: 'center' }}>
              <Button loading={imports.isFetchingNextPage} onClick={() => void imports.fetchNextPage()}>
                {t('action.more')}
              </Button>
            </div>
          )}
        </div>
      </section>
    </Page>
  )
}
