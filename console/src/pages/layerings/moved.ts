import type { Flow } from '@/api/types'

/** Of the people known on both days: how many there are and how many changed layer. */
export function movedOf(flows: Flow[]): { known: number; moved: number } {
  const both = flows.filter((flow) => flow.from !== 'not_known_yet' && flow.to !== 'not_known_yet')
  return { known: both.reduce((sum, flow) => sum + flow.people, 0), moved: both.filter((flow) => flow.from !== flow.to).reduce((sum, flow) => sum + flow.people, 0) }
}
