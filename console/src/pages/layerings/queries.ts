import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { http } from '@/api/client'
import type { LayerPerson, Layering, LayeringComparison, Layerings, Page } from '@/api/types'

export function useLayerings() {
  return useQuery({ queryKey: ['layerings'], queryFn: ({ signal }) => http.get<Layerings>('/layerings', undefined, signal) })
}

export function useLayering(id: string) {
  return useQuery({ queryKey: ['layerings', id], queryFn: ({ signal }) => http.get<Layering>(`/layerings/${id}`, undefined, signal), staleTime: 60_000 })
}

export interface LayeringQuestion {
  kind: string
  as_of?: string
  parameters?: Record<string, unknown>
}

export function useCompute() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (question: LayeringQuestion) => http.post<Layering>('/layerings', question),
    onSuccess: (answer) => {
      client.setQueryData(['layerings', String(answer.id)], answer)
      void client.invalidateQueries({ queryKey: ['layerings'], exact: true })
      void client.invalidateQueries({ queryKey: ['overview'] })
    },
  })
}

export function useDeleteLayering() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (id: string | number) => http.delete(`/layerings/${id}`),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['layerings'], exact: true })
      void client.invalidateQueries({ queryKey: ['overview'] })
    },
  })
}

export function useLayerPeople(id: string, key: string) {
  return useInfiniteQuery({
    queryKey: ['layerings', id, 'people', key],
    queryFn: ({ pageParam, signal }) => http.get<Page<LayerPerson>>(`/layerings/${id}/layers/${encodeURIComponent(key)}/people`, { cursor: pageParam, limit: 100 }, signal),
    initialPageParam: '',
    getNextPageParam: (page) => page.next ?? undefined,
  })
}

export function useComparison(id: string, other: string) {
  return useQuery({ queryKey: ['layerings', id, 'compare', other], queryFn: ({ signal }) => http.get<LayeringComparison>(`/layerings/${id}/compare/${other}`, undefined, signal) })
}
