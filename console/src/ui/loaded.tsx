import type { UseQueryResult } from '@tanstack/react-query'
import { Skeleton } from 'antd'
import type { ReactNode } from 'react'
import { ProblemView } from './problem'

interface LoadedProps<T> {
  query: Pick<UseQueryResult<T>, 'data' | 'error' | 'refetch'>
  rows?: number
  skeleton?: ReactNode
  children: (data: T) => ReactNode
}

/** Skeleton, then answer; an error takes the place of the answer only when there is none to keep showing. */
export function Loaded<T>({ query, rows = 5, skeleton, children }: LoadedProps<T>) {
  if (query.data !== undefined) return <>{children(query.data)}</>
  if (query.error) return <ProblemView error={query.error} retry={() => void query.refetch()} />
  return <div aria-busy="true">{skeleton ?? <Skeleton active title={false} paragraph={{ rows, width: '100%' }} />}</div>
}
