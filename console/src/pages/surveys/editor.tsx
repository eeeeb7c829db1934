import { PlusOutlined } from '@ant-design/icons'
import { Button, Checkbox, Drawer, Input, InputNumber, Select, Space } from 'antd'
import { useState } from 'react'
import { http } from '@/api/client'
import type { Survey, SurveyInfo, SurveyQuestion } from '@/api/types'
import { useDelayed } from '@/format/use-delayed'
import { useLanguage } from '@/i18n/language'
import { useAct } from '@/ui/use-act'
import { FormFrame } from './form-frame'
import { QuestionCard } from './question-card'
import { useRefreshSurveys } from './queries'

const blank: SurveyQuestion = { key: '', kind: 'text', title: '', about: '', required: false, options: [], min_choices: 0, max_choices: 0, low: 1, high: 5, low_label: '', high_label: '', max_length: 1000, trait: '', feedback: false }

/** The next `q1`, `q2`, … that no question has. */
function freeKey(questions: SurveyQuestion[]): string {
  let number = questions.length + 1
  while (questions.some((one) => one.key === `q${number}`)) number += 1
  return `q${number}`
}

interface Line {
  id: number
  question: SurveyQuestion
}

export function Editor({ info, close }: { info?: SurveyInfo; close: () => void }) {
  const { t, language } = useLanguage()
  const act = useAct()
  const refresh = useRefreshSurveys()
  const [head, setHead] = useState<Omit<Survey, 'questions'>>(
    () => info?.survey ?? { key: `survey-${new Date().toISOString().slice(0, 10)}`, title: '', intro: '', thanks: '', language: language === 'en' ? 'en' : 'zh-CN', public: false, again_after_days: null, answers_event: '' },
  )
  const [lines, setLines] = useState<Line[]>(() => (info?.survey.questions ?? [{ ...blank, key: 'nps', kind: 'nps', title: t('editor.start.recommend'), required: true }]).map((question, id) => ({ id, question })))
  const [busy, setBusy] = useState(false)
  const questions = lines.map((line) => line.question)
  const survey: Survey = { ...head, questions }
  const shown = JSON.parse(useDelayed(JSON.stringify(survey))) as Survey
  const set = (changes: Partial<Survey>) => setHead({ ...head, ...changes })
  // The lines that were there first have the first ids.
  const fixed = info?.opened_at ? info.survey.questions.length : 0

  function move(from: number, by: 1 | -1) {
    const next = [...lines]
    const [line] = next.splice(from, 1)
    if (line) next.splice(from + by, 0, line)
    setLines(next)
  }
  async function save() {
    setBusy(true)
    const well = await act(() => (info ? http.put(`/surveys/${encodeURIComponent(info.survey.key)}`, survey) : http.post('/surveys', survey)), t('surveys.saved'))
    setBusy(false)
    if (!well) return
    await refresh()
    close()
  }
  return (
    <Drawer
      open
      size="min(1100px, 100vw)"
      onClose={close}
      title={info ? t('editor.of', { title: info.survey.title }) : t('editor.new')}
      extra={
        <Space>
          <Button onClick={close}>{t('action.cancel')}</Button>
          <Button type="primary" loading={busy} onClick={() => void save()}>
            {t('action.save')}
          </Button>
        </Space>
      }
    >
      <div className="split">
        <div className="stack">
          <div className="formgrid">
            <label>
              {t('editor.title')}
              <Input value={head.title} maxLength={300} onChange={(event) => set({ title: event.target.value })} />
            </label>
            <label>
              {t('editor.key')}
              <Input value={head.key} maxLength={60} disabled={info !== undefined} onChange={(event) => set({ key: event.target.value })} />
            </label>
            <label>
              {t('editor.language')}
              <Select
                aria-label={t('editor.language')}
                value={head.language}
                options={[
                  { value: 'zh-CN', label: t('editor.language.zh') },
                  { value: 'en', label: t('editor.language.en') },
                ]}
                onChange={(value) => set({ language: value })}
              />
            </label>
            <label>
              {t('editor.again')}
              <InputNumber min={1} max={3650} value={head.again_after_days} onChange={(value) => set({ again_after_days: value })} />
            </label>
          </div>
          <label className="labelled">
            {t('editor.intro')}
            <Input.TextArea value={head.intro} maxLength={2000} autoSize={{ minRows: 2, maxRows: 6 }} onChange={(event) => set({ intro: event.target.value })} />
          </label>
          <label className="labelled">
            {t('editor.thanks')}
            <Input.TextArea value={head.thanks} maxLength={2000} autoSize={{ minRows: 1, maxRows: 6 }} onChange={(event) => set({ thanks: event.target.value })} />
          </label>
          <Checkbox checked={head.public} onChange={(event) => set({ public: event.target.checked })}>
            {t('editor.public')}
          </Checkbox>
          <h2 style={{ fontSize: 16, margin: 0 }}>{t('editor.questions')}</h2>
          {fixed > 0 && <p className="small muted" style={{ margin: 0 }}>{t('editor.fixed')}</p>}
          {lines.map((line, position) => (
            <QuestionCard
              key={line.id}
              question={line.question}
              number={position + 1}
              last={position === lines.length - 1}
              fixed={line.id < fixed}
              change={(question) => setLines(lines.map((one) => (one.id === line.id ? { ...one, question } : one)))}
              move={(by) => move(position, by)}
              remove={() => setLines(lines.filter((one) => one.id !== line.id))}
            />
          ))}
          <div>
            <Button icon={<PlusOutlined />} disabled={lines.length >= 50} onClick={() => setLines([...lines, { id: Math.max(-1, ...lines.map((one) => one.id)) + 1, question: { ...blank, key: freeKey(questions) } }])}>
              {t('editor.add')}
            </Button>
          </div>
        </div>
        <section aria-label={t('editor.preview')} style={{ position: 'sticky', top: 0 }}>
          <FormFrame survey={shown} />
        </section>
      </div>
    </Drawer>
  )
}
