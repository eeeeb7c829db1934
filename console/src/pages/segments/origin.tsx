import { Link } from 'react-router'
import type { Segment } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'

/** The layer a segment was saved from, as a link to it. */
export function OriginLink({ origin }: { origin: Segment['origin'] }) {
  const { pick } = useLanguage()
  const format = useFormat()
  if (!origin) return <>—</>
  return (
    <Link to={`/people/layerings/${origin.layering_id}?layer=${encodeURIComponent(origin.layer)}`}>
      {pick(origin.layer_name) || origin.layer} · {format.day(origin.as_of)}
    </Link>
  )
}
