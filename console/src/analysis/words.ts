import type { Translate } from '@/i18n/language'
import { choiceOf, type Field, type Question } from './kinds'
import { readConditions, readSeries, readStep, textOf, type Condition, type Series, type Step } from './question'

export function stepWords(step: Step, t: Translate): string {
  if (step.label !== '') return step.label
  const events = step.events.map((name) => (name === '*' ? t('analysis.any_event') : name)).join(' / ')
  const count = readConditions(step.filters)?.conditions.length ?? 1
  return step.filters === undefined || count === 0 ? events : t('analysis.step.with', { events, n: count })
}

export function conditionWords(one: Condition, t: Translate): string {
  const op = t(`analysis.op.${one.op}` as Parameters<Translate>[0])
  const value = Array.isArray(one.value) ? one.value.map(textOf).join(', ') : textOf(one.value)
  return `${one.property} ${op} ${value}`.trim()
}

export function filterWords(raw: unknown, t: Translate): string {
  const read = readConditions(raw)
  if (read === null) return t('analysis.filters.nested')
  if (read.conditions.length === 0) return t('analysis.filters.none')
  return read.conditions.map((one) => conditionWords(one, t)).join(t(read.join === 'any' ? 'analysis.filters.or' : 'analysis.filters.and'))
}

export function durationWords(raw: unknown, t: Translate): string {
  const found = typeof raw === 'string' ? /^(\d+(?:\.\d+)?)(s|m|h|d|w|mo)$/.exec(raw) : null
  return found ? t(`analysis.unit.${found[2] as 's' | 'm' | 'h' | 'd' | 'w' | 'mo'}`, { n: Number(found[1]) }) : textOf(raw)
}

export function rangeWords(raw: unknown, t: Translate): string {
  if (typeof raw !== 'object' || raw === null) return t('analysis.range.all')
  const { last, from, to } = raw as { last?: string; from?: string; to?: string }
  if (last !== undefined) return t('analysis.range.last', { length: durationWords(last, t) })
  if (from !== undefined && to !== undefined) return t('analysis.range.between', { from, to })
  if (from !== undefined) return t('analysis.range.since', { from })
  return to === undefined ? t('analysis.range.all') : t('analysis.range.until', { to })
}

export function seriesWords(one: Series, t: Translate): string {
  if (one.label !== undefined && one.label !== '') return one.label
  const event = stepWords(readStep(one.event), t)
  const metric = t(`analysis.choice.metric.${one.metric}` as Parameters<Translate>[0])
  return one.property === undefined ? t('analysis.series.of', { event, metric }) : t('analysis.series.of_property', { event, metric, property: one.property })
}

/** A parameter's value in the sentence. */
export function fieldWords(field: Field, question: Question, t: Translate, segmentName: (key: string) => string): string {
  const value = question[field.name] ?? field.usual
  switch (field.type) {
    case 'steps':
      return Array.isArray(value) && value.length > 0 ? value.map((one) => stepWords(readStep(one), t)).join(' → ') : t('analysis.choose')
    case 'series':
      return readSeries(question).map((one) => seriesWords(one, t)).join(t('analysis.series.and'))
    case 'step': {
      if (value === undefined && field.optional) return t(`analysis.usual.${field.name}` as Parameters<Translate>[0])
      const words = stepWords(readStep(value), t)
      return words === '' ? t('analysis.choose') : words
    }
    case 'choice':
      return typeof value === 'string' ? t(choiceOf(field, value)) : t('analysis.none')
    case 'duration':
      return question[field.name] === null ? t('analysis.no_window') : durationWords(value, t)
    case 'range':
      return rangeWords(value, t)
    case 'filters':
      return filterWords(value, t)
    case 'segment':
      return typeof value === 'string' ? segmentName(value) : t('analysis.everyone')
    case 'count_by':
      return value === 'person' ? t('analysis.people') : textOf(value)
    case 'properties': {
      const list = Array.isArray(value) ? value.map(textOf) : typeof value === 'string' ? [value] : []
      return list.length === 0 ? t('analysis.none') : list.join(' × ')
    }
    default:
      return value === undefined ? t('analysis.none') : textOf(value)
  }
}
