import type { LayeringParameter } from '@/api/types'

/** A form holds text; the server wants numbers, lists and switches. Nothing given means the default. */
export function readParameter(parameter: LayeringParameter, text: string): unknown {
  const trimmed = text.trim()
  if (trimmed === '') return undefined
  switch (parameter.type) {
    case 'boolean':
      return trimmed === 'true'
    case 'integer':
    case 'number':
      return Number(trimmed)
    case 'numbers':
      return trimmed.split(/[,，\s]+/).filter(Boolean).map(Number)
    case 'texts':
      return trimmed.split(/[,，]+/).map((one) => one.trim()).filter(Boolean)
    default:
      return trimmed
  }
}

export function parameterIsWrong(parameter: LayeringParameter, text: string): boolean {
  const value = readParameter(parameter, text)
  if (value === undefined) return false
  if (typeof value === 'number') return !Number.isFinite(value)
  return parameter.type === 'numbers' && Array.isArray(value) && value.some((one) => !Number.isFinite(one))
}

export function showDefault(value: unknown, automatic: string): string {
  if (value === null || value === undefined) return automatic
  return Array.isArray(value) ? value.join(', ') : typeof value === 'string' ? value : JSON.stringify(value)
}
