import type { ImportOptions, ImportQuestion } from '@/api/types'

/** What the reader has decided so far. */
export interface Choices {
  map: Record<string, string>
  options: ImportOptions
}

/** An answer goes where its field says: `map.time` into the map, anything else into the options. */
export function answered(choices: Choices, question: Pick<ImportQuestion, 'field'>, value: string): Choices {
  const [place, name] = question.field.includes('.') ? question.field.split('.', 2) : ['options', question.field]
  if (name === undefined) return choices
  if (place === 'map') return { ...choices, map: { ...choices.map, [name]: value } }
  return { ...choices, options: { ...choices.options, [name]: value } }
}

/** Gives a column a role; a role sits on one column only, so it leaves the one that had it. */
export function withRole(map: Record<string, string>, column: string, role: string | null): Record<string, string> {
  const rest = Object.entries(map).filter(([name, of]) => of !== column && name !== role)
  return Object.fromEntries(role === null ? rest : [...rest, [role, column]])
}
