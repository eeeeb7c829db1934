import type { SavedQuestion } from '@/api/types'
import type { Question } from './kinds'
import { tidy } from './question'

/** Where a question is asked. */
export function questionAddress(kind: string, question: Question): string {
  return `/analysis/${kind}?${new URLSearchParams({ q: JSON.stringify(tidy(question)) }).toString()}`
}

/** Where a saved question is asked, and may be saved again. */
export function addressOf(saved: SavedQuestion): string {
  const parameters = new URLSearchParams({ q: JSON.stringify(tidy(saved.question)), saved: String(saved.id), title: saved.title })
  return `/analysis/${saved.kind}?${parameters.toString()}`
}
