import { ArrowDownOutlined, ArrowUpOutlined, DeleteOutlined } from '@ant-design/icons'
import { Button, Checkbox, Input, InputNumber, Select } from 'antd'
import { useState } from 'react'
import type { SurveyQuestion } from '@/api/types'
import { useLanguage } from '@/i18n/language'
import { optionsOf, optionsText } from './options'

export const kinds = ['nps', 'single', 'multiple', 'scale', 'text'] as const

interface QuestionCardProps {
  question: SurveyQuestion
  number: number
  last: boolean
  /** The survey was open and this question with it: its kind and scale stay. */
  fixed: boolean
  change: (question: SurveyQuestion) => void
  move: (by: 1 | -1) => void
  remove: () => void
}

/** What a question of another kind does not have goes back to its default. */
export function ofKind(question: SurveyQuestion, kind: SurveyQuestion['kind']): SurveyQuestion {
  const choices = kind === 'single' || kind === 'multiple'
  return { ...question, kind, options: choices ? question.options : [], feedback: kind === 'text' && question.feedback, min_choices: 0, max_choices: 0 }
}

export function QuestionCard({ question, number, last, fixed, change, move, remove }: QuestionCardProps) {
  const { t } = useLanguage()
  const [options, setOptions] = useState(optionsText(question.options))
  const set = (changes: Partial<SurveyQuestion>) => change({ ...question, ...changes })
  const choices = question.kind === 'single' || question.kind === 'multiple'
  return (
    <section className="panel inside" aria-label={t('editor.question', { n: number })}>
      <div className="stack tight">
        <div className="row between">
          <strong>{t('editor.question', { n: number })}</strong>
          <span className="row">
            <Button size="small" icon={<ArrowUpOutlined />} aria-label={t('editor.up', { n: number })} disabled={number === 1} onClick={() => move(-1)} />
            <Button size="small" icon={<ArrowDownOutlined />} aria-label={t('editor.down', { n: number })} disabled={last} onClick={() => move(1)} />
            <Button size="small" icon={<DeleteOutlined />} aria-label={t('editor.remove', { n: number })} onClick={remove} />
          </span>
        </div>
        <label className="labelled">
          {t('editor.question.title')}
          <Input value={question.title} maxLength={300} onChange={(event) => set({ title: event.target.value })} />
        </label>
        <div className="formgrid">
          <label>
            {t('editor.kind')}
            <Select aria-label={t('editor.kind')} value={question.kind} disabled={fixed} options={kinds.map((value) => ({ value, label: t(`editor.kind.${value}`) }))} onChange={(kind) => change(ofKind(question, kind))} />
          </label>
          <label>
            {t('editor.question.key')}
            <Input value={question.key} maxLength={40} disabled={fixed} onChange={(event) => set({ key: event.target.value })} />
          </label>
          <label>
            {t('editor.trait')}
            <Input value={question.trait} maxLength={100} onChange={(event) => set({ trait: event.target.value })} />
          </label>
        </div>
        {choices && (
          <label className="labelled">
            {t('editor.options')}
            <Input.TextArea
              value={options}
              autoSize={{ minRows: 3, maxRows: 12 }}
              onChange={(event) => {
                setOptions(event.target.value)
                set({ options: optionsOf(event.target.value) })
              }}
              onBlur={() => setOptions(optionsText(question.options))}
            />
          </label>
        )}
        {question.kind === 'multiple' && (
          <div className="formgrid">
            <label>
              {t('editor.min')}
              <InputNumber min={0} max={50} value={question.min_choices} onChange={(value) => set({ min_choices: value ?? 0 })} />
            </label>
            <label>
              {t('editor.max')}
              <InputNumber min={0} max={50} value={question.max_choices} onChange={(value) => set({ max_choices: value ?? 0 })} />
            </label>
          </div>
        )}
        {(question.kind === 'scale' || question.kind === 'nps') && (
          <div className="formgrid">
            {question.kind === 'scale' && (
              <>
                <label>
                  {t('editor.low')}
                  <InputNumber min={-100} max={100} disabled={fixed} value={question.low} onChange={(value) => set({ low: value ?? 1 })} />
                </label>
                <label>
                  {t('editor.high')}
                  <InputNumber min={-100} max={100} disabled={fixed} value={question.high} onChange={(value) => set({ high: value ?? 5 })} />
                </label>
              </>
            )}
            <label>
              {t('editor.low_label')}
              <Input value={question.low_label} maxLength={300} onChange={(event) => set({ low_label: event.target.value })} />
            </label>
            <label>
              {t('editor.high_label')}
              <Input value={question.high_label} maxLength={300} onChange={(event) => set({ high_label: event.target.value })} />
            </label>
          </div>
        )}
        {question.kind === 'text' && (
          <div className="formgrid">
            <label>
              {t('editor.max_length')}
              <InputNumber min={1} max={4000} value={question.max_length} onChange={(value) => set({ max_length: value ?? 1000 })} />
            </label>
          </div>
        )}
        <div className="row">
          <Checkbox checked={question.required} onChange={(event) => set({ required: event.target.checked })}>
            {t('editor.required')}
          </Checkbox>
          {question.kind === 'text' && (
            <Checkbox checked={question.feedback} onChange={(event) => set({ feedback: event.target.checked })}>
              {t('editor.feedback')}
            </Checkbox>
          )}
        </div>
      </div>
    </section>
  )
}
