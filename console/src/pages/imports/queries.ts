import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query'
import { useCallback } from 'react'
import { http } from '@/api/client'
import type { Import, ImportPage } from '@/api/types'

export function useImports() {
  return useInfiniteQuery({
    queryKey: ['imports'],
    queryFn: ({ pageParam, signal }) => http.get<ImportPage>('/imports', { cursor: pageParam }, signal),
    initialPageParam: '',
    getNextPageParam: (page) => page.next ?? undefined,
    refetchInterval: (query) => (query.state.data?.pages.some((page) => page.imports.some((one) => one.status === 'running')) ? 2000 : false),
  })
}

export function importKey(id: string) {
  return ['imports', id] as const
}

/** While it runs, asked again every second. */
export function useImport(id: string) {
  return useQuery({
    queryKey: importKey(id),
    queryFn: ({ signal }) => http.get<Import>(`/imports/${id}`, undefined, signal),
    refetchInterval: (query) => (query.state.data?.status === 'running' ? 1000 : false),
  })
}

/** Keeps the answer of an action as the import's newest state; data elsewhere may have changed with it. */
export function useKeepImport() {
  const client = useQueryClient()
  return useCallback(
    (answer: Import) => {
      client.setQueryData(importKey(answer.id), answer)
      void client.invalidateQueries({ queryKey: ['imports'], exact: true })
    },
    [client],
  )
}
