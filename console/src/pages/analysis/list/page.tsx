import { DeleteOutlined } from '@ant-design/icons'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button } from 'antd'
import { Link } from 'react-router'
import { KINDS, aboutOf, isKind, titleOf } from '@/analysis/kinds'
import { addressOf } from '@/analysis/address'
import { http } from '@/api/client'
import type { QuestionList, SavedQuestion } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { useCan } from '@/shell/session'
import { DataTable } from '@/ui/data-table'
import { Loaded } from '@/ui/loaded'
import { Page, Panel } from '@/ui/page'
import { useAct } from '@/ui/use-act'

/** Where to begin, and what was saved. */
export default function QuestionsPage() {
  const { t } = useLanguage()
  const format = useFormat()
  const can = useCan()
  const act = useAct()
  const client = useQueryClient()
  const { modal } = App.useApp()
  const query = useQuery({ queryKey: ['questions'], queryFn: ({ signal }) => http.get<QuestionList>('/questions', undefined, signal) })

  function remove(one: SavedQuestion) {
    void modal.confirm({
      title: t('analysis.remove.title', { title: one.title }),
      content: t('analysis.remove.about'),
      okText: t('analysis.remove'),
      okButtonProps: { danger: true },
      cancelText: t('action.cancel'),
      onOk: () =>
        act(async () => {
          await http.delete(`/questions/${one.id}`)
          await client.invalidateQueries({ queryKey: ['questions'] })
        }, t('analysis.removed')),
    })
  }
  return (
    <Page title={t('analysis.title')} about={t('analysis.about')}>
      <section aria-label={t('analysis.begin.title')} className="kinds">
        {KINDS.map((kind) => (
          <Link key={kind} to={`/analysis/${kind}`} className="panel inside kind">
            <strong>{t(titleOf(kind))}</strong>
            <span className="muted small">{t(aboutOf(kind))}</span>
          </Link>
        ))}
      </section>
      <Panel title={t('analysis.saved.title')} flush>
        <Loaded query={query} rows={4}>
          {(data) =>
            data.questions.length === 0 ? (
              <p className="muted" style={{ padding: '0 18px 18px' }}>
                {t('analysis.saved.none')}
              </p>
            ) : (
              <DataTable<SavedQuestion>
                size="small"
                rowKey="id"
                dataSource={data.questions}
                pagination={data.questions.length > 50 ? { pageSize: 50, showSizeChanger: false } : false}
                scroll={{ x: 720 }}
                columns={[
                  {
                    title: t('analysis.save.title'),
                    render: (_, one) => (
                      <>
                        <Link to={addressOf(one)}>{one.title}</Link>
                        {one.about && <div className="muted small">{one.about}</div>}
                      </>
                    ),
                  },
                  { title: t('analysis.kind'), render: (_, one) => (isKind(one.kind) ? t(titleOf(one.kind)) : one.kind) },
                  { title: t('analysis.saved.by'), dataIndex: 'by' },
                  { title: t('analysis.saved.when'), render: (_, one) => <span title={format.instantFull(one.changed_at)}>{format.ago(one.changed_at)}</span> },
                  { title: '', width: 56, render: (_, one) => can('analyst') && <Button type="text" size="small" icon={<DeleteOutlined />} aria-label={t('analysis.remove.title', { title: one.title })} onClick={() => remove(one)} /> },
                ]}
              />
            )
          }
        </Loaded>
      </Panel>
    </Page>
  )
}
