import { Link } from 'react-router'
import type { Segment } from '@/api/types'
import { questionAddress } from '@/analysis/address'
import { isKind, titleOf } from '@/analysis/kinds'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'

/** The layer or the number of a question that a segment was saved from, as a link to it. */
export function OriginLink({ origin, asked }: Pick<Segment, 'origin' | 'asked'>) {
  const { pick, t } = useLanguage()
  const format = useFormat()
  if (asked) {
    return (
      <Link to={questionAddress(asked.kind, asked.question)} title={Object.entries(asked.which).map(([name, value]) => `${name}: ${String(value)}`).join(', ')}>
        {t('analysis.segment.from', { kind: isKind(asked.kind) ? t(titleOf(asked.kind)) : asked.kind })} · {format.dayOf(asked.at)}
      </Link>
    )
  }
  if (!origin) return <>—</>
  return (
    <Link to={`/people/layerings/${origin.layering_id}?layer=${encodeURIComponent(origin.layer)}`}>
      {pick(origin.layer_name) || origin.layer} · {format.day(origin.as_of)}
    </Link>
  )
}
