import { PlusOutlined } from '@ant-design/icons'
import { Button } from 'antd'
import { Link } from 'react-router'
import type { SurveyInfo } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { useCan } from '@/shell/session'
import { DataTable } from '@/ui/data-table'
import { EmptyState } from '@/ui/empty'
import { Loaded } from '@/ui/loaded'
import { Page } from '@/ui/page'
import { useUrlState } from '@/url/use-url-state'
import { Editor } from '../editor'
import { useSurveys } from '../queries'
import { SurveyStatus } from '../status'

export default function SurveysPage() {
  const { t } = useLanguage()
  const format = useFormat()
  const can = useCan()
  const url = useUrlState()
  const query = useSurveys()
  const make = can('operator') && (
    <Button type="primary" icon={<PlusOutlined />} onClick={() => url.set({ edit: 'new' })}>
      {t('surveys.new')}
    </Button>
  )
  const edited = query.data?.surveys.find((one) => one.survey.key === url.get('edit'))
  return (
    <Page title={t('surveys.title')} about={t('surveys.about')} actions={make}>
      <section className="panel" aria-label={t('surveys.title')}>
        <div className="flush">
          <Loaded query={query}>
            {(data) =>
              data.surveys.length === 0 ? (
                <EmptyState picture="done" title={t('surveys.empty')} action={make}>
                  {t('surveys.empty.about')}
                </EmptyState>
              ) : (
                <DataTable<SurveyInfo>
                  rowKey={(one) => one.survey.key}
                  dataSource={data.surveys}
                  pagination={false}
                  scroll={{ x: 760 }}
                  columns={[
                    {
                      title: t('surveys.col.survey'),
                      render: (_, one) => (
                        <>
                          <Link to={`/people/surveys/${encodeURIComponent(one.survey.key)}`}>{one.survey.title}</Link>
                          <div className="small muted">{[one.survey.key, one.survey.public ? t('surveys.public') : '', one.survey.answers_event ? t('surveys.imported', { event: one.survey.answers_event }) : ''].filter(Boolean).join(' · ')}</div>
                        </>
                      ),
                    },
                    { title: t('surveys.col.status'), width: 110, render: (_, one) => <SurveyStatus survey={one} /> },
                    { title: t('surveys.col.questions'), width: 100, align: 'right', render: (_, one) => format.count(one.survey.questions.length) },
                    { title: t('surveys.col.links'), width: 180, align: 'right', render: (_, one) => format.ratio(one.funnel.answered, one.funnel.invited) },
                    { title: t('surveys.col.changed'), width: 130, render: (_, one) => <span title={format.instantFull(one.changed_at)}>{format.ago(one.changed_at)}</span> },
                    ...(can('operator')
                      ? [
                          {
                            title: <span className="sr">{t('surveys.edit')}</span>,
                            align: 'right' as const,
                            width: 90,
                            render: (_: unknown, one: SurveyInfo) => (
                              <Button size="small" onClick={() => url.set({ edit: one.survey.key })}>
                                {t('surveys.edit')}
                              </Button>
                            ),
                          },
                        ]
                      : []),
                  ]}
                />
              )
            }
          </Loaded>
        </div>
      </section>
      {can('operator') && url.get('edit') === 'new' && <Editor close={() => url.set({ edit: null })} />}
      {can('operator') && edited && <Editor key={edited.survey.key} info={edited} close={() => url.set({ edit: null })} />}
    </Page>
  )
}
