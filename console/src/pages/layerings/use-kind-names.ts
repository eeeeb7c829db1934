import { useMemo } from 'react'
import type { SavedLayering } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { useLayerings } from './queries'

/** The name of a kind of layering, and of a saved one with its day. */
export function useKindNames() {
  const { pick } = useLanguage()
  const format = useFormat()
  const kinds = useLayerings().data?.kinds
  return useMemo(() => {
    const names = new Map((kinds ?? []).map((kind) => [kind.kind, pick(kind.name)]))
    const kindName = (kind: string) => names.get(kind) ?? kind
    return { kindName, savedName: (saved: Pick<SavedLayering, 'kind' | 'as_of'>) => `${kindName(saved.kind)} · ${format.day(saved.as_of)}` }
  }, [kinds, pick, format])
}
