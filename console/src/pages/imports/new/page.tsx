import { CloseOutlined, InboxOutlined } from '@ant-design/icons'
import { Button, Progress } from 'antd'
import { useEffect, useRef, useState, type DragEvent } from 'react'
import { useNavigate } from 'react-router'
import { upload } from '@/api/client'
import type { Import } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { Page } from '@/ui/page'
import { ProblemView } from '@/ui/problem'
import { oneOf, useUrlState } from '@/url/use-url-state'
import { useKeepImport } from '../queries'
import { ImportSteps } from '../steps'

const kinds = ['orders', 'events', 'profiles'] as const

export default function NewImportPage() {
  const { t } = useLanguage()
  const format = useFormat()
  const navigate = useNavigate()
  const url = useUrlState()
  const keep = useKeepImport()
  const kind = oneOf(url.get('kind'), kinds)
  const [files, setFiles] = useState<File[]>([])
  const [over, setOver] = useState(false)
  const [sent, setSent] = useState<number | null>(null)
  const [error, setError] = useState<unknown>(null)
  const chooser = useRef<HTMLInputElement>(null)
  const sending = useRef<AbortController | null>(null)

  useEffect(() => () => sending.current?.abort(), [])
  useEffect(() => {
    if (sent === null) return
    const warn = (event: BeforeUnloadEvent) => event.preventDefault()
    addEventListener('beforeunload', warn)
    return () => removeEventListener('beforeunload', warn)
  }, [sent])

  function add(more: FileList | null) {
    const list = [...(more ?? [])]
    setFiles((current) => [...current, ...list.filter((file) => !current.some((one) => one.name === file.name && one.size === file.size))])
    setError(null)
  }
  function drop(event: DragEvent) {
    event.preventDefault()
    setOver(false)
    add(event.dataTransfer.files)
  }
  async function send() {
    const abort = new AbortController()
    sending.current = abort
    setSent(0)
    setError(null)
    try {
      const answer = await upload<Import>(`/imports?kind=${kind}`, files, setSent, abort.signal)
      keep(answer)
      await navigate(`/data/imports/${answer.id}`, { replace: true })
    } catch (problem) {
      setSent(null)
      if (!(problem instanceof DOMException && problem.name === 'AbortError')) setError(problem)
    }
  }

  return (
    <Page title={t('imports.new.title')} about={t('imports.new.about')}>
      <ImportSteps at={0} />
      <fieldset style={{ border: 0, margin: 0, padding: 0 }} disabled={sent !== null}>
        <legend className="small muted" style={{ marginBottom: 8 }}>
          {t('imports.new.what')}
        </legend>
        <div className="cards">
          {kinds.map((name) => (
            <button key={name} type="button" className="choice" aria-pressed={name === kind} onClick={() => url.set({ kind: name === 'orders' ? null : name })}>
              <strong>{t(`imports.kind.${name}`)}</strong>
              <span>{t(`imports.kind.${name}.about`)}</span>
            </button>
          ))}
        </div>
      </fieldset>
      {error !== null && <ProblemView error={error} />}
      {sent === null ? (
        <>
          <button
            type="button"
            className={over ? 'drop over' : 'drop'}
            onClick={() => chooser.current?.click()}
            onDragOver={(event) => {
              event.preventDefault()
              setOver(true)
            }}
            onDragLeave={() => setOver(false)}
            onDrop={drop}
          >
            <InboxOutlined style={{ fontSize: 36, color: 'var(--accentText)' }} aria-hidden="true" />
            <div style={{ fontSize: 16, fontWeight: 600, margin: '8px 0 4px' }}>{t('imports.drop')}</div>
            <div className="muted small">{t('imports.drop.formats')}</div>
          </button>
          <input ref={chooser} type="file" multiple hidden aria-label={t('imports.drop')} onChange={(event) => add(event.target.files)} />
          {files.length > 0 && (
            <section className="panel inside">
              <ul className="lines">
                {files.map((file) => (
                  <li key={`${file.name} ${file.size}`} style={{ alignItems: 'center' }}>
                    <span className="fill">{file.name}</span>
                    <span className="num muted small">{format.bytes(file.size)}</span>
                    <Button type="text" size="small" icon={<CloseOutlined />} aria-label={t('imports.remove', { name: file.name })} onClick={() => setFiles((current) => current.filter((one) => one !== file))} />
                  </li>
                ))}
              </ul>
              <div className="row between" style={{ marginTop: 14 }}>
                <span className="muted small">{t('imports.chosen', { n: files.length, size: format.bytes(files.reduce((sum, file) => sum + file.size, 0)) })}</span>
                <Button type="primary" onClick={() => void send()}>
                  {t('imports.read')}
                </Button>
              </div>
            </section>
          )}
        </>
      ) : (
        <section className="panel inside" aria-live="polite">
          <p>{sent < 1 ? t('imports.uploading', { share: format.percent(sent, 0) }) : t('imports.recognising')}</p>
          <Progress percent={Math.round(sent * 100)} status="active" showInfo={false} aria-label={t('imports.uploading', { share: format.percent(sent, 0) })} />
          <Button onClick={() => sending.current?.abort()}>{t('action.cancel')}</Button>
        </section>
      )}
    </Page>
  )
}
