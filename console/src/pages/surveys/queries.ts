import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query'
import { http } from '@/api/client'
import type { AnswerTexts, Segment, SurveyInfo, SurveyResults } from '@/api/types'

const address = (key: string) => `/surveys/${encodeURIComponent(key)}`

export function useSurveys() {
  return useQuery({ queryKey: ['surveys'], queryFn: ({ signal }) => http.get<{ surveys: SurveyInfo[] }>('/surveys', undefined, signal) })
}

export function useSurvey(key: string) {
  return useQuery({ queryKey: ['surveys', key], queryFn: ({ signal }) => http.get<SurveyInfo>(address(key), undefined, signal) })
}

export function useResults(key: string, segment: string) {
  return useQuery({ queryKey: ['surveys', key, 'results', segment], queryFn: ({ signal }) => http.get<SurveyResults>(`${address(key)}/results`, { segment }, signal), placeholderData: (previous) => previous })
}

export function useTexts(key: string, question: string, segment: string) {
  return useInfiniteQuery({
    queryKey: ['surveys', key, 'texts', question, segment],
    queryFn: ({ pageParam, signal }) => http.get<AnswerTexts>(`${address(key)}/texts`, { question, segment, cursor: pageParam, limit: 20 }, signal),
    initialPageParam: '',
    getNextPageParam: (page) => page.next ?? undefined,
  })
}

export function useSegments() {
  return useQuery({ queryKey: ['segments'], queryFn: ({ signal }) => http.get<{ segments: Segment[] }>('/segments', undefined, signal) })
}

export function useRefreshSurveys() {
  const client = useQueryClient()
  return () => client.invalidateQueries({ queryKey: ['surveys'] })
}
