import type { MessageKey } from '@/i18n/messages'

export const KINDS = ['trends', 'funnel', 'retention', 'lifecycle', 'stickiness', 'distribution', 'paths', 'attribution', 'sessions', 'ltv'] as const
export type Kind = (typeof KINDS)[number]

/** The parameters of a question as the server takes them; what is left out is the server's default. */
export type Question = Record<string, unknown>

export function isKind(text: string): text is Kind {
  return (KINDS as readonly string[]).includes(text)
}

type FieldType =
  | { type: 'step'; optional?: boolean }
  | { type: 'steps' }
  | { type: 'series' }
  | { type: 'property'; scope?: 'node' }
  | { type: 'properties' }
  | { type: 'choice'; choices: readonly string[] }
  | { type: 'choices'; choices: readonly string[] }
  | { type: 'duration'; nullable?: boolean }
  | { type: 'number'; min: number; max: number; nullable?: boolean }
  | { type: 'flag' }
  | { type: 'text' }
  | { type: 'texts' }
  | { type: 'bins' }
  | { type: 'exclusions' }
  | { type: 'renames' }
  | { type: 'costs' }
  | { type: 'holdouts' }
  | { type: 'count_by' }
  | { type: 'touch' }
  | { type: 'range' }
  | { type: 'filters' }
  | { type: 'segment' }
  | { type: 'zone' }

export type Field = FieldType & {
  name: string
  /** What the server takes when it is left out, to show in the sentence. */
  usual?: unknown
}

const INTERVALS = ['hour', 'day', 'week', 'month'] as const
const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const
export const METRICS = ['count', 'people', 'sum', 'mean', 'min', 'max', 'median', 'p90', 'per_person'] as const
export const WITH_PROPERTY: readonly string[] = ['sum', 'mean', 'min', 'max', 'median', 'p90', 'per_person']
export const MODELS = ['first', 'last', 'last_non_direct', 'linear', 'time_decay', 'position', 'markov', 'incremental'] as const

const interval = (usual = 'day'): Field => ({ name: 'interval', type: 'choice', choices: INTERVALS, usual })
const weeks: Field = { name: 'week_starts', type: 'choice', choices: WEEKDAYS, usual: 'monday' }
const event: Field = { name: 'event', type: 'step', usual: '*' }

/** Parameters all kinds have; those in the sentence stand at its end. */
export const COMMON: { sentence: Field[]; more: Field[] } = {
  sentence: [
    { name: 'range', type: 'range' },
    { name: 'segment', type: 'segment' },
    { name: 'filters', type: 'filters' },
    { name: 'breakdown', type: 'properties' },
  ],
  more: [
    { name: 'limit', type: 'number', min: 1, max: 1000, usual: 25 },
    { name: 'timezone', type: 'zone' },
    { name: 'allow_unknown', type: 'flag', usual: false },
  ],
}

interface KindOf {
  /** In the order of the sentence's placeholders. */
  sentence: Field[]
  more: Field[]
  breakdown: boolean
}

export const QUESTIONS: Record<Kind, KindOf> = {
  trends: {
    sentence: [{ name: 'series', type: 'series' }, interval()],
    more: [{ name: 'formula', type: 'text' }, { name: 'compare', type: 'flag', usual: false }, { name: 'moving_average', type: 'number', min: 2, max: 365, nullable: true }, weeks],
    breakdown: true,
  },
  funnel: {
    sentence: [
      { name: 'steps', type: 'steps' },
      { name: 'order', type: 'choice', choices: ['ordered', 'strict', 'any'], usual: 'ordered' },
      { name: 'window', type: 'duration', nullable: true, usual: '14d' },
      { name: 'count_by', type: 'count_by', usual: 'person' },
    ],
    more: [
      { name: 'exclude', type: 'exclusions' },
      { name: 'hold', type: 'properties' },
      { name: 'attribution', type: 'touch', usual: 'first_touch' },
      { name: 'interval', type: 'choice', choices: INTERVALS },
      { name: 'bins', type: 'bins' },
      { name: 'distinguish', type: 'properties' },
      weeks,
    ],
    breakdown: true,
  },
  retention: {
    sentence: [
      { name: 'start', type: 'step' },
      { name: 'return', type: 'step', optional: true },
      interval(),
      { name: 'periods', type: 'number', min: 1, max: 1000, usual: 7 },
      { name: 'kind', type: 'choice', choices: ['bounded', 'rolling'], usual: 'bounded' },
      { name: 'first', type: 'choice', choices: ['recurring', 'first_time', 'first_matching'], usual: 'recurring' },
    ],
    more: [{ name: 'at_least', type: 'number', min: 1, max: 1_000_000, usual: 1 }, weeks],
    breakdown: true,
  },
  lifecycle: { sentence: [event, interval()], more: [weeks], breakdown: true },
  stickiness: {
    sentence: [event, interval(), { name: 'at_least', type: 'number', min: 1, max: 1_000_000, usual: 1 }],
    more: [{ name: 'cumulative', type: 'flag', usual: false }, weeks],
    breakdown: true,
  },
  distribution: {
    sentence: [event, { name: 'metric', type: 'choice', choices: ['count', 'sum', 'mean', 'min', 'max'], usual: 'count' }, { name: 'property', type: 'property' }],
    more: [{ name: 'bins', type: 'bins' }],
    breakdown: true,
  },
  paths: {
    sentence: [
      { name: 'event', type: 'step', usual: '*' },
      { name: 'group_by', type: 'property', scope: 'node', usual: 'event' },
      { name: 'start_at', type: 'text' },
      { name: 'end_at', type: 'text' },
      { name: 'steps', type: 'number', min: 2, max: 50, usual: 5 },
    ],
    more: [{ name: 'edges', type: 'number', min: 1, max: 5000, usual: 50 }, { name: 'gap', type: 'duration', usual: '30m' }, { name: 'clean', type: 'renames' }],
    breakdown: false,
  },
  attribution: {
    sentence: [
      { name: 'conversion', type: 'step' },
      { name: 'touch', type: 'step', usual: '*' },
      { name: 'group_by', type: 'property', usual: 'channel' },
      { name: 'lookback', type: 'duration', usual: '30d' },
    ],
    more: [
      { name: 'models', type: 'choices', choices: MODELS },
      { name: 'half_life', type: 'duration', usual: '7d' },
      { name: 'property', type: 'property', usual: 'amount' },
      { name: 'costs', type: 'costs' },
      { name: 'holdouts', type: 'holdouts' },
      { name: 'direct', type: 'texts' },
    ],
    breakdown: false,
  },
  sessions: { sentence: [event, { name: 'gap', type: 'duration', usual: '30m' }, interval()], more: [weeks], breakdown: true },
  ltv: {
    sentence: [{ name: 'start', type: 'step', optional: true }, interval('month'), { name: 'periods', type: 'number', min: 1, max: 1000, usual: 12 }, { name: 'property', type: 'property', usual: 'amount' }],
    more: [{ name: 'revenue', type: 'step', optional: true }, { name: 'refund', type: 'step', optional: true }, weeks],
    breakdown: false,
  },
}

export function sentenceFields(kind: Kind): Field[] {
  const of = QUESTIONS[kind]
  return [...of.sentence, ...COMMON.sentence.filter((field) => field.name !== 'breakdown' || of.breakdown)]
}

export function moreFields(kind: Kind): Field[] {
  return [...QUESTIONS[kind].more, ...COMMON.more.filter((field) => field.name !== 'limit' || QUESTIONS[kind].breakdown || kind === 'attribution')]
}

export const titleOf = (kind: Kind): MessageKey => `analysis.kind.${kind}`
export const aboutOf = (kind: Kind): MessageKey => `analysis.about.${kind}`
export const sentenceOf = (kind: Kind): MessageKey => `analysis.sentence.${kind}`
export const labelOf = (field: Field): MessageKey => `analysis.field.${field.name}` as MessageKey
export const choiceOf = (field: Field, value: string): MessageKey => `analysis.choice.${[field.name === 'models' ? 'model' : field.name, value].join('.')}` as MessageKey
