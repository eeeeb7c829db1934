import { useQuery } from '@tanstack/react-query'
import { http } from '@/api/client'
import type { Names } from './question'

/** Events, properties and traits to choose from. */
export function useNames() {
  return useQuery({ queryKey: ['names'], queryFn: ({ signal }) => http.get<Names>('/query/names', undefined, signal), staleTime: 60_000 })
}
