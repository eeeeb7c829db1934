import type { Translate } from '@/i18n/language'
import { messages, type MessageKey } from '@/i18n/messages'

/** The reason in words where we have them, else as the server names it. */
export function reasonText(t: Translate, reason: string): string {
  const key = `reason.${reason}`
  return key in messages ? t(key as MessageKey) : reason
}
