import { METRICS, WITH_PROPERTY, type Kind, type Question } from './kinds'

export interface Names {
  events: string[]
  properties: string[]
  context: string[]
  traits: string[]
}

export interface Condition {
  property: string
  op: string
  value?: unknown
}

export interface Conditions {
  join: 'all' | 'any'
  conditions: Condition[]
}

/** An event with conditions, or several events of which any will do. */
export interface Step {
  events: string[]
  filters: unknown
  label: string
}

export interface Series {
  event: unknown
  metric: string
  property?: string | undefined
  filters?: unknown
  label?: string | undefined
}

export const OPERATORS = ['=', '!=', 'in', 'not_in', 'contains', 'not_contains', 'starts_with', 'ends_with', 'matches', '>', '>=', '<', '<=', 'between', 'before', 'after', 'is_set', 'is_not_set'] as const
export const WITHOUT_VALUE: readonly string[] = ['is_set', 'is_not_set']
export const WITH_LIST: readonly string[] = ['in', 'not_in', 'between']

const COMMON_STEPS = [
  ['view', 'cart', 'checkout', 'pay'],
  ['product_viewed', 'product_added', 'checkout_started', 'order_completed'],
  ['page_view', 'add_to_cart', 'begin_checkout', 'purchase'],
  ['catalog', 'cart', 'payment_choice', 'payment_done'],
]

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Leaves out what is empty or the server's own default; two equal questions are the same text then. */
export function tidy(question: Question): Question {
  return Object.fromEntries(
    Object.entries(question).filter(([name, value]) => {
      if (value === undefined || value === '') return false
      if (value === null) return name === 'window'
      if (Array.isArray(value)) return value.length > 0
      return !isObject(value) || Object.keys(value).length > 0
    }),
  )
}

export function readQuestion(text: string): Question | null {
  if (text === '') return null
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : null
  } catch {
    return null
  }
}

/** A question to begin with, made of the events there are; null where it takes a choice first. */
export function firstQuestion(kind: Kind, names: Names): Question | null {
  const range = { last: '90d' }
  const known = (list: readonly string[]) => list.filter((name) => names.events.includes(name))
  const steps = COMMON_STEPS.map(known).find((list) => list.length > 1) ?? names.events.slice(0, 2)
  const bought = known(['purchase', 'order_completed', 'pay', 'payment_done'])[0] ?? names.events[0]
  if (names.events.length === 0) return null
  switch (kind) {
    case 'trends':
      return { series: [{ event: '*', metric: 'people' }], range }
    case 'funnel':
      return steps.length > 1 ? { steps, range } : null
    case 'retention':
      return { start: '*', interval: 'week', periods: 8, range }
    case 'lifecycle':
      return { interval: 'week', range }
    case 'stickiness':
      return { range: { last: '30d' } }
    case 'distribution':
      return { event: bought, range }
    case 'paths':
      return { range: { last: '30d' } }
    case 'attribution':
      return { conversion: bought, range }
    case 'sessions':
      return { interval: 'week', range }
    case 'ltv':
      return { range: { last: '730d' } }
  }
}

export function readStep(raw: unknown): Step {
  if (typeof raw === 'string') return { events: [raw], filters: undefined, label: '' }
  if (Array.isArray(raw)) return { events: raw.flatMap((one) => readStep(one).events), filters: undefined, label: '' }
  if (!isObject(raw)) return { events: [], filters: undefined, label: '' }
  const label = typeof raw.label === 'string' ? raw.label : ''
  if (Array.isArray(raw.any_of)) return { events: raw.any_of.flatMap((one) => readStep(one).events), filters: raw.filters, label }
  return { events: typeof raw.event === 'string' ? [raw.event] : [], filters: raw.filters, label }
}

export function writeStep(step: Step): unknown {
  const plain = step.filters === undefined && step.label === ''
  const more = { ...(step.filters === undefined ? {} : { filters: step.filters }), ...(step.label === '' ? {} : { label: step.label }) }
  if (step.events.length === 0) return undefined
  if (step.events.length > 1) return { any_of: step.events, ...more }
  return plain ? step.events[0] : { event: step.events[0], ...more }
}

/** Conditions joined by one word; null where they are nested and only their JSON can be shown. */
export function readConditions(raw: unknown): Conditions | null {
  if (raw === undefined || raw === null) return { join: 'all', conditions: [] }
  const list = Array.isArray(raw) ? raw : isObject(raw) && Array.isArray(raw.all) ? raw.all : isObject(raw) && Array.isArray(raw.any) ? raw.any : isObject(raw) && 'property' in raw ? [raw] : null
  if (list === null) return null
  const conditions: Condition[] = []
  for (const one of list as unknown[]) {
    if (!isObject(one) || typeof one.property !== 'string' || typeof one.op !== 'string') return null
    if (Object.keys(one).some((name) => !['property', 'op', 'value'].includes(name))) return null
    conditions.push({ property: one.property, op: one.op, ...(one.value === undefined ? {} : { value: one.value }) })
  }
  return { join: isObject(raw) && Array.isArray(raw.any) ? 'any' : 'all', conditions }
}

export function writeConditions({ join, conditions }: Conditions): unknown {
  if (conditions.length === 0) return undefined
  return join === 'any' ? { any: conditions } : conditions
}

export function readSeries(question: Question): Series[] {
  const list = Array.isArray(question.series) ? (question.series as unknown[]) : [question]
  return list.filter(isObject).map((one) => ({
    event: one.event ?? '*',
    metric: typeof one.metric === 'string' && (METRICS as readonly string[]).includes(one.metric) ? one.metric : 'count',
    ...(typeof one.property === 'string' ? { property: one.property } : {}),
    ...(one === question ? {} : { filters: one.filters }),
    ...(typeof one.label === 'string' ? { label: one.label } : {}),
  }))
}

export function writeSeries(list: Series[]): unknown {
  return list.map((one) => tidy({ ...one, property: WITH_PROPERTY.includes(one.metric) ? one.property : undefined }))
}

/** What is written in a value's field, as JSON: a number where it is one. */
export function valueOf(text: string): unknown {
  const trimmed = text.trim()
  if (/^-?(0|[1-9]\d{0,14})(\.\d+)?$/.test(trimmed)) return Number(trimmed)
  if (trimmed === 'true') return true
  if (trimmed === 'false') return false
  return trimmed
}

export function textOf(value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** The same question, narrowed to one value of its breakdown. */
export function narrowed(question: Question, value: unknown): Question {
  const names = Array.isArray(question.breakdown) ? (question.breakdown as string[]) : typeof question.breakdown === 'string' ? [question.breakdown] : []
  const values = names.length > 1 && Array.isArray(value) ? (value as unknown[]) : [value]
  const own = names.map((property, at) => {
    const one = values[at] ?? null
    return one === null ? { property, op: 'is_not_set' } : { property, op: '=', value: one }
  })
  const { filters } = question
  const rest = Object.fromEntries(Object.entries(question).filter(([name]) => name !== 'breakdown' && name !== 'filters'))
  const held = filters === undefined || filters === null ? [] : [filters]
  return { ...rest, filters: { all: [...held.map((one) => (Array.isArray(one) ? { all: one as unknown[] } : one)), ...own] } }
}
