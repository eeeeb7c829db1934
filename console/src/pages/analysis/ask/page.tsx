import { StopOutlined } from '@ant-design/icons'
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query'
import { Button, Drawer, Skeleton } from 'antd'
import { useMemo, useState } from 'react'
import { useLocation, useParams } from 'react-router'
import { AnswerView, type Stamp } from '@/analysis/answer-view'
import type { Behind } from '@/analysis/answers/shared'
import { FieldEditor } from '@/analysis/editors/field-editor'
import { aboutOf, isKind, labelOf, moreFields, titleOf, type Kind, type Question } from '@/analysis/kinds'
import { PeopleDrawer } from '@/analysis/people-drawer'
import { firstQuestion, readQuestion, tidy, type Names } from '@/analysis/question'
import { Sentence } from '@/analysis/sentence'
import { useNames } from '@/analysis/use-names'
import { Problem, http } from '@/api/client'
import type { SegmentList } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { NotFoundPage } from '@/shell/not-found'
import { AsCode } from '@/ui/as-code'
import { EmptyState } from '@/ui/empty'
import { Loaded } from '@/ui/loaded'
import { Page, Panel } from '@/ui/page'
import { ProblemView } from '@/ui/problem'
import { useUrlState } from '@/url/use-url-state'
import { JsonDrawer } from './json-drawer'
import { SaveButton } from './save-button'

/** One page for every kind of question: a sentence, its answer, the people behind it. */
export default function AskPage() {
  const { kind = '' } = useParams()
  const { pathname } = useLocation()
  const names = useNames()
  if (!isKind(kind)) return <NotFoundPage />
  return (
    <Loaded query={names} skeleton={<Skeleton active paragraph={{ rows: 10 }} />}>
      {(known) => <Ask key={pathname} kind={kind} names={known} />}
    </Loaded>
  )
}

function Ask({ kind, names }: { kind: Kind; names: Names }) {
  const { t } = useLanguage()
  const format = useFormat()
  const url = useUrlState()
  const client = useQueryClient()
  const [behind, setBehind] = useState<Behind | null>(null)
  const [open, setOpen] = useState<'more' | 'json' | null>(null)
  const text = url.get('q')
  const unreadable = text !== '' && readQuestion(text) === null
  const question = useMemo(() => (unreadable ? null : (readQuestion(text) ?? firstQuestion(kind, names))), [text, unreadable, kind, names])
  const segments = useQuery({ queryKey: ['segments'], queryFn: ({ signal }) => http.get<SegmentList>('/segments', undefined, signal) })
  const options = useMemo(() => (segments.data?.segments ?? []).map((one) => ({ value: one.key, label: one.name })), [segments.data])
  const answer = useQuery({
    queryKey: ['ask', kind, question],
    queryFn: ({ signal }) => http.post<Stamp>(`/query/${kind}`, question, undefined, signal),
    enabled: question !== null,
    placeholderData: keepPreviousData,
    staleTime: 30_000,
    retry: false,
  })
  if (unreadable) {
    return (
      <Page title={t(titleOf(kind))} about={t(aboutOf(kind))}>
        <Panel>
          <EmptyState picture="curve" title={t('analysis.unreadable')} action={<Button type="primary" onClick={() => url.set({ q: null, saved: null, title: null })}>{t('analysis.begin_anew')}</Button>}>
            {t('analysis.unreadable.about')}
          </EmptyState>
        </Panel>
      </Page>
    )
  }
  const write = (next: Question) => url.set({ q: JSON.stringify(tidy(next)) }, { push: true })
  const change = (part: Question) => write({ ...question, ...part })
  const problem = answer.error instanceof Problem ? answer.error : null
  const answered = answer.data !== undefined && !answer.isError
  const more = moreFields(kind)
  const set = question === null ? 0 : more.filter((field) => question[field.name] !== undefined).length
  return (
    <Page
      title={t(titleOf(kind))}
      about={t(aboutOf(kind))}
      asOf={answered && t('analysis.asof', { took: format.milliseconds(answer.data.took_ms), n: answer.data.scanned, when: format.instant(answer.data.answered_at) })}
      actions={
        question && (
          <>
            <SaveButton kind={kind} question={question} />
            <AsCode path={`/query/${kind}`} body={question} />
          </>
        )
      }
    >
      <Panel label={t('analysis.question')}>
        {names.events.length === 0 ? (
          <EmptyState picture="curve" title={t('analysis.nothing')}>
            {t('analysis.nothing.about')}
          </EmptyState>
        ) : (
          <>
            <Sentence kind={kind} question={question ?? {}} change={change} names={names} segments={options} wrong={problem?.field ?? null} />
            <div className="row">
              <Button size="small" onClick={() => setOpen('more')}>
                {set > 0 ? t('analysis.more.set', { n: set }) : t('analysis.more')}
              </Button>
              <Button size="small" onClick={() => setOpen('json')}>
                {t('analysis.json')}
              </Button>
              {answer.isFetching && (
                <Button size="small" icon={<StopOutlined />} onClick={() => void client.cancelQueries({ queryKey: ['ask', kind, question] })}>
                  {t('analysis.stop')}
                </Button>
              )}
            </div>
          </>
        )}
      </Panel>
      {question === null && names.events.length > 0 && (
        <Panel>
          <p className="muted">{t('analysis.begin')}</p>
        </Panel>
      )}
      {answer.isError && <ProblemView error={answer.error} retry={() => void answer.refetch()} />}
      {question !== null && answer.isPending && answer.fetchStatus !== 'idle' && <Skeleton active paragraph={{ rows: 8 }} />}
      {question !== null && answer.isPending && answer.fetchStatus === 'idle' && (
        <Panel>
          <p className="muted">{t('action.stopped')}</p>
          <Button onClick={() => void answer.refetch()}>{t('problem.retry')}</Button>
        </Panel>
      )}
      {question !== null && answered && (
        <div className="stack" aria-busy={answer.isFetching} style={answer.isPlaceholderData ? { opacity: 0.55 } : undefined}>
          <AnswerView kind={kind} question={question} answer={answer.data} behind={answer.isPlaceholderData ? undefined : setBehind} />
        </div>
      )}
      {open === 'more' && question !== null && (
        <Drawer open onClose={() => setOpen(null)} title={t('analysis.more')} size={480}>
          <div className="stack">
            {more.map((field) => (
              <div key={field.name} className="labelled">
                <span className="label">{t(labelOf(field))}</span>
                <FieldEditor field={field} question={question} set={(value) => change({ [field.name]: value })} names={names} segments={options} />
              </div>
            ))}
          </div>
        </Drawer>
      )}
      {open === 'json' && <JsonDrawer question={question ?? {}} close={() => setOpen(null)} write={write} />}
      {behind && <PeopleDrawer of={behind} close={() => setBehind(null)} />}
    </Page>
  )
}
