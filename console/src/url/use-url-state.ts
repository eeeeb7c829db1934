import { useCallback, useMemo } from 'react'
import { useSearchParams } from 'react-router'

export type Changes = Record<string, string | number | boolean | null | undefined>

/** The page's state lives in its address. Setting '' or null takes a name out; `replace` keeps the back button useful. */
export function useUrlState() {
  const [parameters, setParameters] = useSearchParams()

  const get = useCallback((name: string): string => parameters.get(name) ?? '', [parameters])
  const set = useCallback(
    (changes: Changes, options: { push?: boolean } = {}) => {
      setParameters(
        (current) => {
          const next = new URLSearchParams(current)
          for (const [name, value] of Object.entries(changes)) {
            if (value === null || value === undefined || value === '' || value === false) next.delete(name)
            else next.set(name, String(value))
          }
          return next
        },
        { replace: !options.push },
      )
    },
    [setParameters],
  )
  return useMemo(() => ({ get, set, parameters }), [get, set, parameters])
}

/** A number in the address, or nothing when it is not one. */
export function numberOf(text: string): number | undefined {
  if (text.trim() === '') return undefined
  const value = Number(text)
  return Number.isFinite(value) ? value : undefined
}

/** One of the allowed words, or the first. */
export function oneOf<T extends string>(text: string, allowed: readonly [T, ...T[]]): T {
  return (allowed as readonly string[]).includes(text) ? (text as T) : allowed[0]
}
