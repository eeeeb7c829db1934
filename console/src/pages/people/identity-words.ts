import type { MessageKey } from '@/i18n/messages'

const verbs: Record<string, MessageKey> = { identify: 'identity.verb.identify', alias: 'identity.verb.alias', bind: 'identity.verb.bind', unbind: 'identity.verb.unbind', seen: 'identity.verb.seen' }
const reasons: Record<string, MessageKey> = { cap: 'identity.refused.cap', both_identified: 'identity.refused.both_identified', kept_apart: 'identity.refused.kept_apart' }

export function verbOf(verb: string): MessageKey {
  return verbs[verb] ?? 'identity.verb.seen'
}

/** The sentence for a reason such as `both_identified:id`; nothing for one that is not known here. */
export function reasonOf(refused: string): MessageKey | null {
  return reasons[refused.split(':')[0] ?? ''] ?? null
}
