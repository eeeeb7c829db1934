import { useMutation } from '@tanstack/react-query'
import { Alert, Button, Radio, Select } from 'antd'
import { Link, useNavigate } from 'react-router'
import { http } from '@/api/client'
import type { Import, ImportQuestion, Proposal } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { useCan } from '@/shell/session'
import { Panel } from '@/ui/page'
import { ProblemView } from '@/ui/problem'
import { useKeepImport } from '../queries'
import { ColumnMap } from './column-map'
import { answered, type Choices } from './mapping'
import { PreviewTable } from './preview-table'
import { ReadingOptions, RuleList } from './reading-options'

export function Review({ one }: { one: Import }) {
  const { t } = useLanguage()
  const keep = useKeepImport()
  const navigate = useNavigate()
  const can = useCan()
  const preview = useMutation({ mutationFn: (choices: Choices) => http.post<Import>(`/imports/${one.id}/preview`, choices), onSuccess: keep })
  const start = useMutation({ mutationFn: (body: Choices & { dry_run: boolean }) => http.post<Import>(`/imports/${one.id}/start`, body), onSuccess: keep })
  const discard = useMutation({
    mutationFn: () => http.post<Import>(`/imports/${one.id}/cancel`),
    onSuccess: (answer) => {
      keep(answer)
      void navigate('/data/imports')
    },
  })
  const proposal = one.proposal
  if (!proposal) return <ProblemView error={new Error(one.error?.reason ?? '')} />

  // Until the server has answered, the reader's own choice stands.
  const choices: Choices = preview.isPending ? preview.variables : { map: proposal.map, options: proposal.options }
  const open = proposal.questions.length
  const busy = preview.isPending || start.isPending

  return (
    <>
      <FormatLine proposal={proposal} />
      {open > 0 && <Questions questions={proposal.questions} busy={busy} answer={(question, value) => preview.mutate(answered(choices, question, value))} />}
      {proposal.warnings.length > 0 && <Warnings proposal={proposal} />}
      {preview.error && <ProblemView error={preview.error} />}
      <ColumnMap kind={one.kind} proposal={proposal} map={choices.map} disabled={!can('operator')} change={(map) => preview.mutate({ ...choices, map })} />
      <div className={one.kind === 'orders' ? 'halves' : 'stack'}>
        <Panel title={t('imports.options')}>
          <ReadingOptions kind={one.kind} level={proposal.level} options={choices.options} change={(options) => preview.mutate({ ...choices, options })} />
        </Panel>
        {choices.options.rules.length > 0 && (
          <Panel title={t('imports.rules')} about={t('imports.rules.about', { rows: proposal.rows_sampled })}>
            <RuleList rules={choices.options.rules} change={(rules) => preview.mutate({ ...choices, options: { ...choices.options, rules } })} />
          </Panel>
        )}
      </div>
      <PreviewTable rows={proposal.preview_rows} stale={preview.isPending} />
      {start.error && <ProblemView error={start.error} />}
      {discard.error && <ProblemView error={discard.error} />}
      {can('operator') && (
        <div className="row sticky-actions">
          <Button type="primary" size="large" disabled={open > 0 || preview.isPending} loading={start.isPending && !start.variables.dry_run} onClick={() => start.mutate({ ...choices, dry_run: false })}>
            {t('imports.start')}
          </Button>
          <Button size="large" disabled={open > 0 || preview.isPending} loading={start.isPending && start.variables.dry_run} onClick={() => start.mutate({ ...choices, dry_run: true })}>
            {t('imports.start.dry')}
          </Button>
          <Button size="large" type="text" loading={discard.isPending} onClick={() => discard.mutate()}>
            {t('imports.discard')}
          </Button>
          {open > 0 && <span className="warn small">{t('imports.start.blocked', { n: open })}</span>}
        </div>
      )}
    </>
  )
}

function FormatLine({ proposal }: { proposal: Proposal }) {
  const { t } = useLanguage()
  const format = useFormat()
  const { kind, compression, encoding, sheet, header } = proposal.format
  const parts = [
    t('imports.format', { kind: [kind.toUpperCase(), compression, encoding].filter(Boolean).join(' · '), rows: format.count(proposal.rows_sampled) }),
    sheet,
    header ? '' : t('imports.format.noheader'),
    proposal.level === 'line' || proposal.level === 'order' ? t(`imports.format.level.${proposal.level}`) : '',
  ]
  return <p className="muted">{parts.filter(Boolean).join(' · ')}</p>
}

function Questions({ questions, answer, busy }: { questions: ImportQuestion[]; answer: (question: ImportQuestion, value: string) => void; busy: boolean }) {
  const { t, pick } = useLanguage()
  return (
    <Alert
      type="warning"
      showIcon
      title={t('imports.questions')}
      description={
        <div className="stack">
          <p>{t('imports.questions.about')}</p>
          {questions.map((question) => (
            <div key={question.field} role="group" aria-label={pick(question.reason)}>
              <p style={{ fontWeight: 600, marginBottom: 6 }}>{pick(question.reason)}</p>
              {question.choices.length === 0 ? (
                <Link to="/settings">{t('nav.settings')}</Link>
              ) : question.choices.length > 5 ? (
                <Select
                  disabled={busy}
                  style={{ minWidth: 240 }}
                  showSearch={{ optionFilterProp: 'label' }}
                  aria-label={pick(question.reason)}
                  placeholder={t('imports.questions.choose')}
                  options={question.choices.map((choice) => ({ value: choice.value, label: pick(choice.label) }))}
                  onChange={(value: string) => answer(question, value)}
                />
              ) : (
                <Radio.Group
                  disabled={busy}
                  optionType="button"
                  options={question.choices.map((choice) => ({ value: choice.value, label: pick(choice.label) }))}
                  onChange={(event) => answer(question, String(event.target.value))}
                />
              )}
            </div>
          ))}
        </div>
      }
    />
  )
}

function Warnings({ proposal }: { proposal: Proposal }) {
  const { t, pick } = useLanguage()
  return (
    <Alert
      type="info"
      showIcon
      title={t('imports.warnings')}
      description={
        <ul style={{ paddingInlineStart: 18 }}>
          {proposal.warnings.map((warning) => (
            <li key={warning.en}>{pick(warning)}</li>
          ))}
        </ul>
      }
    />
  )
}
