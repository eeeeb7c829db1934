import type { Language } from '@/api/types'

export interface Choice {
  value: string
  label: string
}

/** Every IANA zone the browser knows, and the one in use even if it does not. */
export function timezones(inUse: string): Choice[] {
  const names = new Set([inUse, 'UTC', ...Intl.supportedValuesOf('timeZone')])
  return [...names].map((name) => ({ value: name, label: name }))
}

const usual = ['CNY', 'USD', 'EUR', 'GBP', 'JPY', 'HKD', 'TWD', 'KRW', 'SGD', 'MYR', 'THB', 'VND', 'IDR', 'PHP', 'INR', 'AUD', 'NZD', 'CAD', 'CHF', 'SEK', 'NOK', 'DKK', 'PLN', 'CZK', 'TRY', 'BRL', 'MXN', 'ZAR', 'AED', 'SAR', 'RUB', 'KWD']

/** Currencies by their code with their name in the reader's language. */
export function currencies(language: Language): Choice[] {
  const names = new Intl.DisplayNames(language, { type: 'currency' })
  return usual.map((code) => ({ value: code, label: `${code} ${names.of(code) ?? ''}` }))
}
