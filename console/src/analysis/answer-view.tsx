import type { AttributionAnswer, DistributionAnswer, FunnelAnswer, LifecycleAnswer, LtvAnswer, PathsAnswer, RetentionAnswer, SessionsAnswer, StickinessAnswer, TrendsAnswer } from '@/api/types'
import { Attribution } from './answers/attribution'
import { Distribution } from './answers/distribution'
import { Funnel } from './answers/funnel'
import { Lifecycle } from './answers/lifecycle'
import { Ltv } from './answers/ltv'
import { Paths } from './answers/paths'
import { Retention } from './answers/retention'
import { Sessions } from './answers/sessions'
import type { AnswerProps } from './answers/shared'
import { Stickiness } from './answers/stickiness'
import { Trends } from './answers/trends'
import type { Kind } from './kinds'

/** What every answer carries. */
export interface Stamp {
  as_of: number
  took_ms: number
  scanned: number
  cached: boolean
  answered_at: string
}

/** An answer as picture and table; the kind says what is in it. */
export function AnswerView({ kind, answer, ...rest }: Omit<AnswerProps<unknown>, 'answer'> & { kind: Kind; answer: unknown }) {
  switch (kind) {
    case 'trends':
      return <Trends {...rest} answer={answer as TrendsAnswer} />
    case 'funnel':
      return <Funnel {...rest} answer={answer as FunnelAnswer} />
    case 'retention':
      return <Retention {...rest} answer={answer as RetentionAnswer} />
    case 'lifecycle':
      return <Lifecycle {...rest} answer={answer as LifecycleAnswer} />
    case 'stickiness':
      return <Stickiness {...rest} answer={answer as StickinessAnswer} />
    case 'distribution':
      return <Distribution {...rest} answer={answer as DistributionAnswer} />
    case 'paths':
      return <Paths {...rest} answer={answer as PathsAnswer} />
    case 'attribution':
      return <Attribution {...rest} answer={answer as AttributionAnswer} />
    case 'sessions':
      return <Sessions {...rest} answer={answer as SessionsAnswer} />
    case 'ltv':
      return <Ltv {...rest} answer={answer as LtvAnswer} />
  }
}
