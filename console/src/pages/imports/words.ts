import type { Tone } from '@/ui/pill'
import type { Import, ImportKind, ImportStatus } from '@/api/types'
import type { Translate } from '@/i18n/language'
import { messages, type MessageKey } from '@/i18n/messages'

/** The roles a column may have, in reading order; the server's vocabulary. */
export const roles: Record<ImportKind, string[]> = {
  orders: ['customer', 'phone', 'email', 'order', 'time', 'clock', 'quantity', 'price', 'amount', 'product', 'product_name', 'category', 'channel', 'store', 'status', 'currency', 'name', 'city', 'province', 'country', 'gender', 'birthday'],
  events: ['person', 'time', 'event', 'event_id', 'anonymous'],
  profiles: ['customer', 'phone', 'email', 'name', 'city', 'province', 'country', 'gender', 'birthday'],
}

/** A message where there is one for this key, else the server's own word. */
export function wordOr(t: Translate, key: string, word: string): string {
  return key in messages ? t(key as MessageKey) : word
}

export const statusTone: Record<ImportStatus, Tone> = {
  preview: 'info',
  running: 'info',
  done: 'good',
  failed: 'bad',
  cancelled: 'plain',
  interrupted: 'warn',
}

export function filesLabel(t: Translate, files: Import['files']): string {
  const first = files[0]
  if (!first) return '—'
  return files.length === 1 ? first.name : t('imports.files.more', { name: first.name, n: files.length - 1 })
}
