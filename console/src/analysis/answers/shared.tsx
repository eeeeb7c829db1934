import { Button } from 'antd'
import type { ReactNode } from 'react'
import type { Translate } from '@/i18n/language'
import type { Kind, Question } from '../kinds'
import { textOf } from '../question'

/** Which number the people are wanted of: a question of a kind that lists them, and its `which`. */
export interface Behind {
  kind: Kind
  question: Question
  which: Record<string, unknown>
  title: string
}

export interface AnswerProps<A> {
  question: Question
  answer: A
  /** Opens the people behind a number; left out where there is no room for it. */
  behind?: ((of: Behind) => void) | undefined
  /** In a tile: the picture alone. */
  compact?: boolean | undefined
}

/** A value of a breakdown in words. */
export function valueWords(value: unknown, t: Translate): string {
  if (value === null || value === undefined) return t('analysis.missing')
  if (value === '(other)') return t('analysis.other')
  return Array.isArray(value) ? value.map((one) => valueWords(one, t)).join(' · ') : textOf(value)
}

/** A number that opens the people behind it. */
export function PeopleNumber({ children, open, label }: { children: ReactNode; open?: (() => void) | undefined; label: string }) {
  if (!open) return <>{children}</>
  return (
    <Button type="link" size="small" className="num" style={{ paddingInline: 0, height: 'auto' }} aria-label={label} onClick={open}>
      {children}
    </Button>
  )
}

/** A line over periods whose running one is no fall: that part is drawn apart, dotted. */
export function runningApart(line: Record<string, unknown>, periods: string[], values: (number | null)[], partial: string | null | undefined): Record<string, unknown>[] {
  const at = partial ? periods.indexOf(partial) : -1
  if (at < 0) return [{ ...line, data: values }]
  return [
    { ...line, data: values.map((value, number) => (number === at ? null : value)) },
    { ...line, data: values.map((value, number) => (number === at || number === at - 1 ? value : null)), lineStyle: { type: 'dotted' }, endLabel: { show: false } },
  ]
}
