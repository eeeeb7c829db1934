import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { http, type Query } from '@/api/client'
import type { Orders, Page, Person, PersonRow, Timeline } from '@/api/types'

export function usePeople(filters: Query) {
  return useInfiniteQuery({
    queryKey: ['people', filters],
    queryFn: ({ pageParam, signal }) => http.get<Page<PersonRow>>('/people', { ...filters, cursor: pageParam, limit: 100 }, signal),
    initialPageParam: '',
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: (previous) => previous,
  })
}

const path = (id: string) => `/people/${encodeURIComponent(id)}`

export function usePerson(id: string) {
  return useQuery({ queryKey: ['person', id], queryFn: ({ signal }) => http.get<Person>(path(id), undefined, signal) })
}

export function useOrders(id: string) {
  return useInfiniteQuery({
    queryKey: ['person', id, 'orders'],
    queryFn: ({ pageParam, signal }) => http.get<Orders>(`${path(id)}/orders`, { cursor: pageParam }, signal),
    initialPageParam: '',
    getNextPageParam: (page) => page.next ?? undefined,
  })
}

export function useTimeline(id: string, event: string) {
  return useInfiniteQuery({
    queryKey: ['person', id, 'timeline', event],
    queryFn: ({ pageParam, signal }) => http.get<Timeline>(`${path(id)}/timeline`, { cursor: pageParam, event }, signal),
    initialPageParam: '',
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: (previous) => previous,
  })
}
