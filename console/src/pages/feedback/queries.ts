import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query'
import { http } from '@/api/client'
import type { FeedbackDetail, FeedbackFigures, FeedbackList } from '@/api/types'

export interface FeedbackFilter {
  status: string
  topic: string
  assignee: string
  older_days: string
}

export function useFeedback(filter: FeedbackFilter) {
  return useInfiniteQuery({
    queryKey: ['feedback', 'list', filter],
    queryFn: ({ pageParam, signal }) => http.get<FeedbackList>('/feedback', { ...filter, status: filter.status === 'all' ? '' : filter.status, cursor: pageParam, limit: 50 }, signal),
    initialPageParam: '',
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: (previous) => previous,
  })
}

export function useFeedbackFigures() {
  return useQuery({ queryKey: ['feedback', 'figures'], queryFn: ({ signal }) => http.get<FeedbackFigures>('/feedback/stats', undefined, signal) })
}

export function useFeedbackDetail(number: string) {
  return useQuery({ queryKey: ['feedback', 'one', number], queryFn: ({ signal }) => http.get<FeedbackDetail>(`/feedback/${encodeURIComponent(number)}`, undefined, signal) })
}

export function useRefreshFeedback() {
  const client = useQueryClient()
  return () => client.invalidateQueries({ queryKey: ['feedback'] })
}
