import { createContext, use, useCallback, useMemo, useState, type ReactNode } from 'react'
import type { Language } from '@/api/types'
import { messages, type MessageKey } from './messages'
import { fill, messageText, pick, type Parameters, type TwoTexts } from './translate'

const REMEMBERED = 'tilth.language'

export type Translate = (key: MessageKey, parameters?: Parameters) => string

interface LanguageState {
  language: Language
  t: Translate
  /** The reader's half of a two-language text from the server. */
  pick: (text: TwoTexts | null | undefined) => string
  setLanguage: (language: Language) => void
  /** Takes the workspace's language unless the reader has chosen one. */
  suggestLanguage: (language: Language) => void
}

const LanguageContext = createContext<LanguageState | null>(null)

function remembered(): Language | null {
  const stored = localStorage.getItem(REMEMBERED)
  return stored === 'zh-CN' || stored === 'en' ? stored : null
}

export function LanguageProvider({ children }: { children: ReactNode }) {
  const [language, set] = useState<Language>(() => remembered() ?? 'zh-CN')

  const setLanguage = useCallback((next: Language) => {
    localStorage.setItem(REMEMBERED, next)
    set(next)
  }, [])
  const suggestLanguage = useCallback((next: Language) => {
    if (remembered() === null) set(next)
  }, [])

  const value = useMemo<LanguageState>(() => {
    document.documentElement.lang = language
    return {
      language,
      t: (key, parameters) => fill(language, messageText(language, messages[key]), parameters),
      pick: (text) => pick(language, text),
      setLanguage,
      suggestLanguage,
    }
  }, [language, setLanguage, suggestLanguage])

  return <LanguageContext value={value}>{children}</LanguageContext>
}

export function useLanguage(): LanguageState {
  const state = use(LanguageContext)
  if (!state) throw new Error('useLanguage outside LanguageProvider')
  return state
}
