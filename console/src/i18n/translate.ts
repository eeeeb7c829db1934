import type { Language } from '@/api/types'

/** The server's text in both languages; where it says nothing, an empty object. */
export type TwoTexts = Partial<Record<Language, string>>

/** One message in both languages. `{name}` is a parameter; `{n#one|many}` chooses by the number `n`. */
export interface Message {
  zh: string
  en: string
}

export type Parameters = Record<string, string | number>

const rules: Record<Language, Intl.PluralRules> = {
  'zh-CN': new Intl.PluralRules('zh-CN'),
  en: new Intl.PluralRules('en'),
}
const integers: Record<Language, Intl.NumberFormat> = {
  'zh-CN': new Intl.NumberFormat('zh-CN'),
  en: new Intl.NumberFormat('en'),
}

/** Fills a message's parameters; numbers are grouped by the language's rules. */
export function fill(language: Language, text: string, parameters: Parameters = {}): string {
  return text.replace(/\{(\w+)(?:#([^|}]*)\|([^}]*))?\}/g, (whole: string, name: string, one?: string, many?: string) => {
    const value = parameters[name]
    if (value === undefined) return whole
    if (one !== undefined && many !== undefined) return rules[language].select(Number(value)) === 'one' ? one : many
    return typeof value === 'number' ? integers[language].format(value) : value
  })
}

export function messageText(language: Language, message: Message): string {
  return language === 'en' ? message.en : message.zh
}

/** The server's own two-language text, in the reader's language, or in the other when one is empty. */
export function pick(language: Language, text: TwoTexts | null | undefined): string {
  if (!text) return ''
  return text[language] ?? text['zh-CN'] ?? text.en ?? ''
}
