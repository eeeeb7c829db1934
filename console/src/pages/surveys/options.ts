import type { SurveyOption } from '@/api/types'

/** `green=Green tea`, one a line; a line without `=` gets the next free key. */
export function optionsOf(text: string): SurveyOption[] {
  const lines = text.split('\n').map((line) => line.trim()).filter(Boolean)
  const taken = new Set(lines.map((line) => /^([A-Za-z0-9_]+)=/.exec(line)?.[1]).filter(Boolean))
  let next = 1
  return lines.map((line) => {
    const found = /^([A-Za-z0-9_]+)=(.*)$/.exec(line)
    if (found) return { key: found[1] ?? '', label: (found[2] ?? '').trim() }
    while (taken.has(`o${next}`)) next += 1
    const key = `o${next}`
    next += 1
    return { key, label: line }
  })
}

export function optionsText(options: SurveyOption[]): string {
  return options.map((one) => `${one.key}=${one.label}`).join('\n')
}
