import { App } from 'antd'
import { useCallback } from 'react'
import { useLanguage } from '@/i18n/language'
import { problemLine } from './problem'

/** Runs an action of the reader and says how it went; gives back whether it went well. */
export function useAct() {
  const { message } = App.useApp()
  const { t } = useLanguage()
  return useCallback(
    async (action: () => Promise<unknown>, done?: string): Promise<boolean> => {
      try {
        await action()
        if (done) void message.success(done)
        return true
      } catch (error) {
        if (error instanceof DOMException && error.name === 'AbortError') return false
        void message.error(problemLine(error, t), 8)
        return false
      }
    },
    [message, t],
  )
}
