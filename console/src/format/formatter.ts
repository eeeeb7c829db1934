import type { Language, Money } from '@/api/types'

/** What is shown when there is nothing to show. */
export const NOTHING = '—'

export interface Place {
  language: Language
  timezone: string
  currency: string
  currencyDigits: number
}

type MoneyLike = number | Pick<Money, 'amount' | 'currency'> | null | undefined

/** An integer of minor units as an exact decimal text: 1205 with 2 digits is `12.05`. */
export function minorToDecimal(minor: number, digits: number): `${number}` {
  const negative = minor < 0
  const text = Math.abs(Math.round(minor)).toString().padStart(digits + 1, '0')
  const whole = digits === 0 ? text : text.slice(0, -digits)
  const part = digits === 0 ? '' : `.${text.slice(-digits)}`
  return `${negative ? '-' : ''}${whole}${part}` as `${number}`
}

/** Formats for one reader: language, the workspace's zone and currency. Built once, used in every cell. */
export function createFormatter(place: Place) {
  const { language, timezone, currency, currencyDigits } = place
  const locale = language === 'en' ? 'en-GB' : 'zh-CN'
  const integer = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 })
  const compactNumber = new Intl.NumberFormat(locale, { notation: 'compact', maximumFractionDigits: 1 })
  // 07/01 is July in one country and January in another, so English writes the month's name.
  const month = language === 'en' ? 'short' : '2-digit'
  const minutes = { timeZone: timezone, year: 'numeric', month, day: '2-digit', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const
  const instantFormat = new Intl.DateTimeFormat(locale, minutes)
  const secondsFormat = new Intl.DateTimeFormat(locale, { ...minutes, second: '2-digit' })
  const dayFormat = new Intl.DateTimeFormat(locale, { timeZone: 'UTC', year: 'numeric', month: 'short', day: 'numeric' })
  const dayOfInstant = new Intl.DateTimeFormat('en-CA', { timeZone: timezone, year: 'numeric', month: '2-digit', day: '2-digit' })
  const monthFormat = new Intl.DateTimeFormat(locale, { timeZone: 'UTC', year: 'numeric', month: 'short' })
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' })
  const moneyFormats = new Map<string, Intl.NumberFormat>()

  function digitsOf(code: string): number {
    if (code === currency) return currencyDigits
    return new Intl.NumberFormat('en', { style: 'currency', currency: code }).resolvedOptions().maximumFractionDigits ?? 2
  }

  function moneyFormat(code: string, compact: boolean, digits: number): Intl.NumberFormat {
    const key = `${code}${compact ? '~' : ''}`
    let format = moneyFormats.get(key)
    if (!format) {
      const shape = compact
        ? { notation: 'compact' as const, maximumFractionDigits: 1, minimumFractionDigits: 0 }
        : { minimumFractionDigits: digits, maximumFractionDigits: digits }
      format = new Intl.NumberFormat(locale, { style: 'currency', currency: code, ...shape })
      moneyFormats.set(key, format)
    }
    return format
  }

  function money(value: MoneyLike, code: string = currency, compact = false): string {
    if (value === null || value === undefined) return NOTHING
    const minor = typeof value === 'number' ? value : value.amount
    const of = typeof value === 'number' ? code : value.currency
    if (!Number.isFinite(minor)) return NOTHING
    const digits = digitsOf(of)
    return moneyFormat(of, compact, digits).format(minorToDecimal(minor, digits) as unknown as number)
  }

  function parts(value: string | null | undefined): Date | null {
    if (!value) return null
    const date = new Date(value)
    return Number.isNaN(date.getTime()) ? null : date
  }

  return {
    place,
    locale,
    /** 1,234,567 */
    count: (value: number | null | undefined) => (value === null || value === undefined ? NOTHING : integer.format(value)),
    /** 123.5万 / 1.2M */
    compact: (value: number | null | undefined) => (value === null || value === undefined ? NOTHING : compactNumber.format(value)),
    /** A plain number with at most `digits` decimals. */
    decimal: (value: number | null | undefined, digits = 2) =>
      value === null || value === undefined || !Number.isFinite(value) ? NOTHING : new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(value),
    /** A parameter of a model: a fixed number of decimals, so that columns align. */
    fixed: (value: number | null | undefined, digits: number) =>
      value === null || value === undefined || !Number.isFinite(value)
        ? NOTHING
        : new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value),
    /** 0.2345 → 23.5% */
    percent: (share: number | null | undefined, digits = 1) =>
      share === null || share === undefined || !Number.isFinite(share)
        ? NOTHING
        : new Intl.NumberFormat(locale, { style: 'percent', minimumFractionDigits: digits, maximumFractionDigits: digits }).format(share),
    /** A rate never travels without its two numbers. */
    ratio: (numerator: number, denominator: number) =>
      `${integer.format(numerator)} / ${integer.format(denominator)}`,
    money: (value: MoneyLike, code?: string) => money(value, code),
    moneyCompact: (value: MoneyLike, code?: string) => money(value, code, true),
    /** Minor units as a number of major units: only for drawing, never for adding up. */
    major: (minor: number, code: string = currency) => minor / 10 ** digitsOf(code),
    /** A calendar day as written, without shifting it through a zone. */
    day: (value: string | null | undefined) => {
      const date = parts(value ? value.slice(0, 10) : null)
      return date ? dayFormat.format(date) : NOTHING
    },
    /** The calendar day of an instant, in the workspace's zone. */
    dayOf: (value: string | null | undefined) => {
      const date = parts(value)
      return date ? dayFormat.format(new Date(dayOfInstant.format(date))) : NOTHING
    },
    month: (value: string) => {
      const date = parts(`${value}-01`)
      return date ? monthFormat.format(date) : value
    },
    /** Minute precision in the workspace's zone; the zone's name stands in the column's head or beside. */
    instant: (value: string | null | undefined) => {
      const date = parts(value)
      return date ? instantFormat.format(date) : NOTHING
    },
    /** Second precision with the zone's name. */
    instantFull: (value: string | null | undefined) => {
      const date = parts(value)
      return date ? `${secondsFormat.format(date)} ${timezone}` : NOTHING
    },
    ago: (value: string | null | undefined, now: number = Date.now()) => {
      const date = parts(value)
      if (!date) return NOTHING
      const seconds = (date.getTime() - now) / 1000
      const size = Math.abs(seconds)
      if (size < 60) return relative.format(Math.round(seconds), 'second')
      if (size < 3600) return relative.format(Math.round(seconds / 60), 'minute')
      if (size < 86_400) return relative.format(Math.round(seconds / 3600), 'hour')
      if (size < 86_400 * 60) return relative.format(Math.round(seconds / 86_400), 'day')
      if (size < 86_400 * 730) return relative.format(Math.round(seconds / 86_400 / 30.44), 'month')
      return relative.format(Math.round(seconds / 86_400 / 365.25), 'year')
    },
    /** 3725 → 1 h 2 min / 1小时2分 */
    duration: (seconds: number | null | undefined) => {
      if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return NOTHING
      const unit = language === 'en' ? { d: ' d', h: ' h', m: ' min', s: ' s', gap: ' ' } : { d: ' 天', h: ' 小时', m: ' 分', s: ' 秒', gap: ' ' }
      if (seconds < 1) return `${new Intl.NumberFormat(locale, { maximumFractionDigits: 2 }).format(seconds)}${unit.s}`
      if (seconds < 10) return `${new Intl.NumberFormat(locale, { maximumFractionDigits: 1 }).format(seconds)}${unit.s}`
      const whole = Math.round(seconds)
      if (whole < 60) return `${whole}${unit.s}`
      if (whole < 3600) return `${Math.floor(whole / 60)}${unit.m}${unit.gap}${whole % 60}${unit.s}`
      if (whole < 86_400) return `${Math.floor(whole / 3600)}${unit.h}${unit.gap}${Math.floor((whole % 3600) / 60)}${unit.m}`
      return `${Math.floor(whole / 86_400)}${unit.d}${unit.gap}${Math.floor((whole % 86_400) / 3600)}${unit.h}`
    },
    milliseconds: (value: number | null | undefined) => (value === null || value === undefined ? NOTHING : value < 1000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(1)} s`),
    bytes: (value: number | null | undefined) => {
      if (value === null || value === undefined) return NOTHING
      const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']
      let size = value
      let step = 0
      while (size >= 1000 && step < units.length - 1) {
        size /= 1000
        step += 1
      }
      return `${new Intl.NumberFormat(locale, { maximumFractionDigits: step === 0 || size >= 100 ? 0 : 1 }).format(size)} ${units[step] ?? ''}`
    },
  }
}

export type Formatter = ReturnType<typeof createFormatter>
