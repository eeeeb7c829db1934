import { Link } from 'react-router'
import type { DistinctId } from '@/api/types'

interface Named {
  uid: number
  distinct_ids: (DistinctId | string)[]
  name?: string | null
}

/** The id a shop knows a person by; the person number when there is none. */
export function firstId(person: Named): string {
  const first = person.distinct_ids[0]
  if (first === undefined) return `#${person.uid}`
  return typeof first === 'string' ? first : first.id
}

/** `uid:123` names the person by number, whatever ids sources use. */
export function personAddress(uid: number): string {
  return `/people/uid:${uid}`
}

export function PersonLink({ person }: { person: Named }) {
  const id = firstId(person)
  return (
    <Link to={personAddress(person.uid)}>
      {person.name ? (
        <>
          {person.name} <span className="muted small">{id}</span>
        </>
      ) : (
        id
      )}
    </Link>
  )
}
