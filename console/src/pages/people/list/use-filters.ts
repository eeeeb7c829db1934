import { useMemo } from 'react'
import type { Query } from '@/api/client'
import { useFormat } from '@/format/use-format'
import { numberOf, useUrlState } from '@/url/use-url-state'

export const sorts = ['uid', '-last_purchase', '-monetary', '-orders'] as const
export const filterNames = ['q', 'layer', 'segment', 'min_orders', 'max_orders', 'min_revenue', 'max_revenue', 'last_purchase_after', 'last_purchase_before'] as const
export type FilterName = (typeof filterNames)[number]

/** The filters as they stand in the address. Money is written there in the currency's unit and asked for in minor units. */
export function useFilters() {
  const url = useUrlState()
  const { place } = useFormat()
  const { get, set, parameters } = url
  const address = parameters.toString()

  const query = useMemo<Query>(() => {
    const read = new URLSearchParams(address)
    const money = (name: string) => {
      const value = numberOf(read.get(name) ?? '')
      return value === undefined ? undefined : Math.round(value * 10 ** place.currencyDigits)
    }
    return {
      q: read.get('q')?.trim(),
      layer: read.get('layer'),
      segment: read.get('segment'),
      min_orders: numberOf(read.get('min_orders') ?? ''),
      max_orders: numberOf(read.get('max_orders') ?? ''),
      min_revenue: money('min_revenue'),
      max_revenue: money('max_revenue'),
      last_purchase_after: read.get('last_purchase_after'),
      last_purchase_before: read.get('last_purchase_before'),
      sort: (sorts as readonly string[]).includes(read.get('sort') ?? '') ? read.get('sort') : undefined,
    }
  }, [address, place.currencyDigits])

  return {
    get,
    set,
    query,
    active: filterNames.some((name) => get(name) !== ''),
    count: filterNames.filter((name) => name !== 'q' && get(name) !== '').length,
    clear: () => set(Object.fromEntries(filterNames.map((name) => [name, null]))),
  }
}

export type FilterState = ReturnType<typeof useFilters>
