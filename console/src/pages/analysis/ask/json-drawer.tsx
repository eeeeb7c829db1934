import { Button, Drawer, Input } from 'antd'
import { useState } from 'react'
import type { Question } from '@/analysis/kinds'
import { readQuestion } from '@/analysis/question'
import { useLanguage } from '@/i18n/language'

/** The exact question: to read, to copy, to paste one in, and for what the sentence has no words for. */
export function JsonDrawer({ question, close, write }: { question: Question; close: () => void; write: (question: Question) => void }) {
  const { t } = useLanguage()
  const [text, setText] = useState(() => JSON.stringify(question, null, 2))
  const read = readQuestion(text)
  return (
    <Drawer
      open
      onClose={close}
      size={560}
      title={t('analysis.json')}
      footer={
        <Button
          type="primary"
          disabled={read === null}
          onClick={() => {
            if (read !== null) write(read)
            close()
          }}
        >
          {t('analysis.json.ask')}
        </Button>
      }
    >
      <p className="muted small">{t('analysis.json.about')}</p>
      <Input.TextArea aria-label={t('analysis.json')} className="mono" value={text} status={read === null ? 'error' : ''} autoSize={{ minRows: 14, maxRows: 34 }} spellCheck={false} onChange={(event) => setText(event.target.value)} />
      {read === null && (
        <p role="alert" className="small" style={{ color: 'var(--bad)' }}>
          {t('analysis.json.wrong')}
        </p>
      )}
    </Drawer>
  )
}
