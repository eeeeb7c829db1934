import { Button } from 'antd'
import { Link } from 'react-router'
import type { ChoiceShare, QuestionResult } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { DataTable } from '@/ui/data-table'
import { Loaded } from '@/ui/loaded'
import { Panel } from '@/ui/page'
import { personAddress } from '@/ui/person-link'
import { ShareBar } from '@/ui/share-bar'
import { Stats } from '@/ui/stats'
import { useTexts } from '../queries'

export function QuestionPanel({ survey, segment, question }: { survey: string; segment: string; question: QuestionResult }) {
  const { t } = useLanguage()
  const format = useFormat()
  const about = [t('survey.answered', { n: question.answered, of: question.of }), question.unknown > 0 ? t('survey.unknown', { n: question.unknown }) : ''].filter(Boolean).join(t('stop'))
  const between = (low: number | null, high: number | null, digits: number) => (low === null || high === null ? t('survey.interval.none') : t('survey.interval', { low: format.fixed(low, digits), high: format.fixed(high, digits) }))
  return (
    <Panel title={question.title} about={about}>
      <div className="stack">
        {question.nps && (
          <Stats
            label={t('survey.nps')}
            items={[
              { key: 'nps', label: t('survey.nps'), value: format.fixed(question.nps.score, 1), detail: `${between(question.nps.low, question.nps.high, 1)} · ${t('survey.of', { n: question.nps.people })}` },
              ...(['promoters', 'passives', 'detractors'] as const).map((key) => {
                const count = question.nps?.[key] ?? 0
                const of = question.nps?.people ?? 0
                return { key, label: t(`survey.${key}`), value: format.count(count), detail: `${format.ratio(count, of)} = ${format.percent(count / of)}` }
              }),
            ]}
          />
        )}
        {question.average && (
          <Stats label={t('survey.mean')} items={[{ key: 'mean', label: t('survey.mean'), value: format.fixed(question.average.mean, 2), detail: `${between(question.average.low, question.average.high, 2)} · ${t('survey.of', { n: question.average.people })}` }]} />
        )}
        {question.choices.length > 0 && question.answered > 0 && (
          <DataTable<ChoiceShare>
            rowKey="key"
            size="small"
            dataSource={question.choices}
            pagination={false}
            columns={[
              { title: t('survey.choice'), dataIndex: 'label' },
              { title: t('survey.people'), align: 'right', width: 90, render: (_, one) => format.ratio(one.people, one.of) },
              {
                title: `${t('survey.share')}${t('comma')}${t('survey.between')}`,
                width: '45%',
                render: (_, one) =>
                  one.share !== null && (
                    <>
                      <ShareBar share={one.share} text={format.percent(one.share)} />
                      {one.low !== null && one.high !== null && <span className="small muted nowrap">{`${format.percent(one.low)} – ${format.percent(one.high)}`}</span>}
                    </>
                  ),
              },
            ]}
          />
        )}
        {question.kind === 'text' && <Texts survey={survey} segment={segment} question={question.key} />}
      </div>
    </Panel>
  )
}

function Texts({ survey, segment, question }: { survey: string; segment: string; question: string }) {
  const { t } = useLanguage()
  const format = useFormat()
  const query = useTexts(survey, question, segment)
  return (
    <Loaded query={query} rows={3}>
      {(data) => {
        const texts = data.pages.flatMap((page) => page.texts)
        if (texts.length === 0) return <p className="muted">{t('survey.texts.none')}</p>
        return (
          <>
            <ul className="lines">
              {texts.map((one) => (
                <li key={`${one.uid} ${one.at}`}>
                  <div className="fill" style={{ whiteSpace: 'pre-line', overflowWrap: 'anywhere' }}>
                    {one.text}
                    <div className="small">
                      <Link to={personAddress(one.uid)}>#{one.uid}</Link>{' '}
                      <span className="muted" title={format.instantFull(one.at)}>
                        {format.ago(one.at)}
                      </span>
                    </div>
                  </div>
                </li>
              ))}
            </ul>
            <div className="row small muted">
              {t('survey.texts.count', { shown: texts.length, total: data.pages[0]?.total ?? 0 })}
              {query.hasNextPage && (
                <Button size="small" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                  {t('action.more')}
                </Button>
              )}
            </div>
          </>
        )
      }}
    </Loaded>
  )
}
