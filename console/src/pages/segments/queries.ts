import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { http } from '@/api/client'
import type { LayerPerson, Page, Segment } from '@/api/types'

export function useSegments() {
  return useQuery({ queryKey: ['segments'], queryFn: ({ signal }) => http.get<{ segments: Segment[] }>('/segments', undefined, signal) })
}

const path = (key: string) => `/segments/${encodeURIComponent(key)}`

export function useSegment(key: string) {
  return useQuery({ queryKey: ['segments', key], queryFn: ({ signal }) => http.get<Segment>(path(key), undefined, signal) })
}

export function useSegmentPeople(key: string) {
  return useInfiniteQuery({
    queryKey: ['segments', key, 'people'],
    queryFn: ({ pageParam, signal }) => http.get<Page<LayerPerson>>(`${path(key)}/people`, { cursor: pageParam, limit: 100 }, signal),
    initialPageParam: '',
    getNextPageParam: (page) => page.next ?? undefined,
  })
}

export function useDeleteSegment() {
  const client = useQueryClient()
  return useMutation({ mutationFn: (key: string) => http.delete(path(key)), onSuccess: () => client.invalidateQueries({ queryKey: ['segments'], exact: true }) })
}
