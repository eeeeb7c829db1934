import { useMemo } from 'react'
import type { ClvQuestion } from '@/api/types'
import { numberOf, oneOf, useUrlState } from '@/url/use-url-state'

export const models = ['bgnbd', 'pareto_nbd', 'mbgnbd'] as const
export const units = ['day', 'week', 'month'] as const

/** The question as the address has it; a model in the address means it has been asked. */
export function useQuestion() {
  const { get } = useUrlState()
  const model = get('model')
  const unit = get('unit')
  const calibrationEnd = get('calibration_end')
  const until = get('until')
  const horizon = get('horizon')
  return useMemo(() => {
    const ahead = numberOf(horizon)
    const question: ClvQuestion = {
      model: oneOf(model, models),
      time_unit: unit === '' ? 'week' : oneOf(unit, units),
      ...(calibrationEnd ? { calibration_end: calibrationEnd } : {}),
      ...(until ? { until } : {}),
      ...(ahead !== undefined && ahead > 0 ? { horizon: ahead } : {}),
    }
    return { asked: model !== '', question }
  }, [model, unit, calibrationEnd, until, horizon])
}
