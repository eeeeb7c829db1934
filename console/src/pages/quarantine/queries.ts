import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query'
import { http } from '@/api/client'
import type { QuarantinePage, ReplayResult } from '@/api/types'

export interface QuarantineFilter {
  import_id: string
  reason: string
  q: string
  state: string
}

export function useQuarantine(filter: QuarantineFilter) {
  return useInfiniteQuery({
    queryKey: ['quarantine', filter],
    queryFn: ({ pageParam, signal }) => http.get<QuarantinePage>('/quarantine', { ...filter, cursor: pageParam, limit: 50 }, signal),
    initialPageParam: '',
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: (previous) => previous,
  })
}

/** Which rows: those ticked, or all that fit the filters. */
export type Rows = { ids: number[] } | { filter: Partial<QuarantineFilter> }

export interface ReplayBody {
  rows: Rows
  replace: Record<string, string> | null
  options: Record<string, string> | null
}

function useRefresh() {
  const client = useQueryClient()
  return async () => {
    await Promise.all([client.invalidateQueries({ queryKey: ['quarantine'] }), client.invalidateQueries({ queryKey: ['overview'] }), client.invalidateQueries({ queryKey: ['health'] })])
  }
}

export function useReplay() {
  const refresh = useRefresh()
  return useMutation({
    mutationFn: ({ rows, replace, options }: ReplayBody) =>
      http.post<ReplayResult>('/quarantine/replay', { ids: 'ids' in rows ? rows.ids : null, filter: 'filter' in rows ? rows.filter : null, replace, options, map: null }),
    onSuccess: refresh,
  })
}

export function useDismiss() {
  const refresh = useRefresh()
  return useMutation({ mutationFn: (rows: Rows) => http.post('/quarantine/dismiss', rows), onSuccess: refresh })
}
