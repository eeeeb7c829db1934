import { useMemo } from 'react'
import { useWorkspace } from '@/shell/session'
import { useLanguage } from '@/i18n/language'
import { createFormatter, type Formatter } from './formatter'

export function useFormat(): Formatter {
  const { language } = useLanguage()
  const { timezone, currency, currency_digits: currencyDigits } = useWorkspace()
  return useMemo(() => createFormatter({ language, timezone, currency, currencyDigits }), [language, timezone, currency, currencyDigits])
}
