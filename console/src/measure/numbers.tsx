import { useCallback } from 'react'
import type { MetricPoint, Part } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useWorkspace } from '@/shell/session'

/** A value in its unit: a share in percent, money (major units) with its currency. */
export function useUnit(): (value: number | null | undefined, unit: string) => string {
  const format = useFormat()
  const { currency_digits: digits } = useWorkspace()
  return useCallback(
    (value, unit) => {
      if (value === null || value === undefined) return '—'
      if (unit === 'share') return format.percent(value)
      if (unit === 'money') return format.money(Math.round(value * 10 ** digits))
      if (unit === 'seconds') return `${format.decimal(value, 0)} s`
      return format.decimal(value)
    },
    [format, digits],
  )
}

/** A share with what it is of and its interval. */
export function ShareText({ part }: { part: Part | null | undefined }) {
  const format = useFormat()
  if (part?.share === null || part?.share === undefined) return <span className="muted">—</span>
  return (
    <span>
      {format.percent(part.share)} <span className="small muted">{format.ratio(part.people, part.of)}{part.low !== null && part.high !== null && ` · ${format.percent(part.low)} – ${format.percent(part.high)}`}</span>
    </span>
  )
}

/** What a metric's value is made of: numerator and denominator, and the interval where there is one. */
export function useMadeOf(): (point: MetricPoint, unit: string) => string {
  const format = useFormat()
  return useCallback(
    (point, unit) => {
      if (point.denominator === null) return ''
      const bounds = point.low !== null && point.high !== null && unit === 'share' ? ` · ${format.percent(point.low)} – ${format.percent(point.high)}` : ''
      return `${format.decimal(point.numerator)} / ${format.decimal(point.denominator)}${bounds}`
    },
    [format],
  )
}
