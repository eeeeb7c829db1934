import { App, Button, Select, Tabs } from 'antd'
import { useNavigate, useParams } from 'react-router'
import { http } from '@/api/client'
import type { SurveyInfo } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { useCan } from '@/shell/session'
import { EmptyState } from '@/ui/empty'
import { Loaded } from '@/ui/loaded'
import { Page, Panel } from '@/ui/page'
import { Stats, type StatItem } from '@/ui/stats'
import { useAct } from '@/ui/use-act'
import { oneOf, useUrlState } from '@/url/use-url-state'
import { Editor } from '../editor'
import { FormFrame } from '../form-frame'
import { useRefreshSurveys, useResults, useSegments, useSurvey } from '../queries'
import { SurveyStatus } from '../status'
import { LinksTab } from './links-tab'
import { QuestionPanel } from './question-panel'

const tabs = ['results', 'links', 'preview'] as const

export default function SurveyPage() {
  const { key = '' } = useParams()
  const { t } = useLanguage()
  const can = useCan()
  const url = useUrlState()
  const query = useSurvey(key)
  const info = query.data
  const shown = tabs.filter((tab) => tab !== 'links' || can('operator'))
  return (
    <Page title={info?.survey.title ?? key} about={info && <About info={info} />} actions={info && can('operator') && <Actions info={info} />}>
      <Loaded query={query}>
        {(one) => (
          <Tabs
            activeKey={oneOf(url.get('tab'), tabs)}
            onChange={(tab) => url.set({ tab: tab === 'results' ? null : tab })}
            items={shown.map((tab) => ({
              key: tab,
              label: t(`survey.tab.${tab}`),
              children: tab === 'results' ? <ResultsTab info={one} /> : tab === 'links' ? <LinksTab info={one} /> : <FormFrame survey={one.survey} />,
            }))}
          />
        )}
      </Loaded>
      {info && can('operator') && url.get('edit') === key && <Editor info={info} close={() => url.set({ edit: null })} />}
    </Page>
  )
}

function About({ info }: { info: SurveyInfo }) {
  const { t } = useLanguage()
  return (
    <span className="row">
      <SurveyStatus survey={info} />
      <span className="mono">{info.survey.key}</span>
      {info.survey.public && <span>{t('surveys.public')}</span>}
      {info.survey.answers_event && <span>{t('surveys.imported', { event: info.survey.answers_event })}</span>}
    </span>
  )
}

function Actions({ info }: { info: SurveyInfo }) {
  const { t } = useLanguage()
  const { modal } = App.useApp()
  const act = useAct()
  const url = useUrlState()
  const navigate = useNavigate()
  const refresh = useRefreshSurveys()
  const path = `/surveys/${encodeURIComponent(info.survey.key)}`
  const { title } = info.survey

  async function open() {
    await act(() => http.post(`${path}/open`), t('surveys.opened'))
    await refresh()
  }
  function close() {
    void modal.confirm({
      title: t('surveys.close.title', { title }),
      content: t('surveys.close.about'),
      okText: t('surveys.close'),
      cancelText: t('action.cancel'),
      onOk: async () => {
        await act(() => http.post(`${path}/close`), t('surveys.closed'))
        await refresh()
      },
    })
  }
  function remove() {
    void modal.confirm({
      title: t('surveys.delete.title', { title }),
      content: t('surveys.delete.about'),
      okText: t('action.delete'),
      okButtonProps: { danger: true },
      cancelText: t('action.cancel'),
      onOk: async () => {
        const well = await act(() => http.delete(path), t('surveys.deleted'))
        await refresh()
        if (well) void navigate('/people/surveys')
      },
    })
  }
  return (
    <>
      <Button onClick={() => url.set({ edit: info.survey.key })}>{t('surveys.edit')}</Button>
      {!info.opened_at && <Button onClick={remove}>{t('action.delete')}</Button>}
      {info.status === 'open' ? (
        <Button onClick={close}>{t('surveys.close')}</Button>
      ) : (
        <Button type="primary" onClick={() => void open()}>
          {t('surveys.open')}
        </Button>
      )}
    </>
  )
}

function ResultsTab({ info }: { info: SurveyInfo }) {
  const { t } = useLanguage()
  const format = useFormat()
  const url = useUrlState()
  const segment = url.get('segment')
  const segments = useSegments()
  const query = useResults(info.survey.key, segment)
  return (
    <div className="stack">
      {(segments.data?.segments.length ?? 0) > 0 && (
        <div className="row">
          <Select
            style={{ minWidth: 240, maxWidth: '100%' }}
            aria-label={t('survey.segment')}
            value={segment}
            options={[{ value: '', label: t('survey.segment.all') }, ...(segments.data?.segments ?? []).map((one) => ({ value: one.key, label: one.name }))]}
            onChange={(value) => url.set({ segment: value })}
          />
        </div>
      )}
      <Loaded query={query}>
        {(results) => {
          const items: StatItem[] = [
            { key: 'people', label: t('survey.stat.people'), value: format.count(results.people), detail: t('survey.stat.answers', { n: results.answers }) },
          ]
          if (results.funnel && results.funnel.invited > 0) {
            const { invited, opened, answered } = results.funnel
            items.push(
              { key: 'invited', label: t('survey.stat.invited'), value: format.count(invited) },
              { key: 'opened', label: t('survey.stat.opened'), value: format.count(opened), detail: `${format.ratio(opened, invited)} = ${format.percent(opened / invited)}` },
              { key: 'answered', label: t('survey.stat.answered'), value: format.count(answered), detail: `${format.ratio(answered, invited)} = ${format.percent(answered / invited)}` },
            )
          }
          if (results.last_at) items.push({ key: 'last', label: t('survey.stat.last'), value: format.dayOf(results.last_at) })
          return (
            <div className="stack">
              <Stats label={t('survey.tab.results')} items={items} />
              {results.people === 0 ? (
                <Panel label={t('survey.tab.results')}>
                  <EmptyState picture="curve" title={t('survey.none')}>
                    {t('survey.none.about')}
                  </EmptyState>
                </Panel>
              ) : (
                results.questions.map((question) => <QuestionPanel key={question.key} survey={info.survey.key} segment={segment} question={question} />)
              )}
            </div>
          )
        }}
      </Loaded>
    </div>
  )
}
