import { Popover } from 'antd'
import { Fragment, useMemo } from 'react'
import { useLanguage } from '@/i18n/language'
import { FieldEditor } from './editors/field-editor'
import { labelOf, sentenceFields, sentenceOf, type Field, type Kind, type Question } from './kinds'
import type { Names } from './question'
import { fieldWords } from './words'

interface SentenceProps {
  kind: Kind
  question: Question
  change: (part: Question) => void
  names: Names
  segments: { value: string; label: string }[]
  /** The field the server found wrong. */
  wrong: string | null
}

/** The question as a sentence whose parts can be changed where they stand. */
export function Sentence({ kind, question, change, names, segments, wrong }: SentenceProps) {
  const { t } = useLanguage()
  const fields = useMemo(() => new Map(sentenceFields(kind).map((field) => [field.name, field])), [kind])
  const parts = t(sentenceOf(kind)).split(/\{(\w+)\}/)
  const segmentName = (key: string) => segments.find((one) => one.value === key)?.label ?? key
  const isWrong = (field: Field) => wrong !== null && (wrong === field.name || wrong.startsWith(`${field.name}.`) || wrong.startsWith(`${field.name}[`))
  return (
    <p className="sentence">
      {parts.map((part, at) => {
        const field = at % 2 === 1 ? fields.get(part) : undefined
        if (!field) return <Fragment key={at}>{part}</Fragment>
        if (field.name === 'property' && kind === 'distribution' && (question.metric ?? 'count') === 'count') return null
        return (
          <Popover
            key={at}
            trigger="click"
            placement="bottomLeft"
            title={t(labelOf(field))}
            styles={{ container: { maxWidth: 'min(560px, 94vw)', maxHeight: '70vh', overflow: 'auto' } }}
            content={<FieldEditor field={field} question={question} set={(value) => change({ [field.name]: value })} names={names} segments={segments} />}
          >
            <button type="button" className={isWrong(field) ? 'part wrong' : 'part'} aria-label={`${t(labelOf(field))}${t('colon')}${fieldWords(field, question, t, segmentName)}`}>
              {fieldWords(field, question, t, segmentName)}
            </button>
          </Popover>
        )
      })}
    </p>
  )
}
