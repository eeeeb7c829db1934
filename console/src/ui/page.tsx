import { useEffect, type ReactNode } from 'react'
import { useWorkspace } from '@/shell/session'

interface PageProps {
  title: string
  /** The question the page answers, in words. */
  about?: ReactNode
  /** As of when and how fresh. */
  asOf?: ReactNode
  actions?: ReactNode
  children: ReactNode
}

export function Page({ title, about, asOf, actions, children }: PageProps) {
  const { name } = useWorkspace()
  useEffect(() => {
    document.title = `${title} · ${name} · Tilth`
  }, [title, name])
  return (
    <>
      <div className="page-head">
        <div className="words">
          <h1>{title}</h1>
          {about && <div className="about">{about}</div>}
          {asOf && <div className="asof">{asOf}</div>}
        </div>
        {actions && <div className="actions">{actions}</div>}
      </div>
      <div className="stack">{children}</div>
    </>
  )
}

interface PanelProps {
  title?: ReactNode
  about?: ReactNode
  extra?: ReactNode
  flush?: boolean
  label?: string
  children: ReactNode
}

export function Panel({ title, about, extra, flush, label, children }: PanelProps) {
  return (
    <section className="panel" aria-label={typeof title === 'string' ? title : label}>
      {(title !== undefined || extra !== undefined) && (
        <header>
          {title !== undefined && <h2>{title}</h2>}
          {extra}
          {about && <div className="about">{about}</div>}
        </header>
      )}
      <div className={flush ? 'flush' : 'inside'}>{children}</div>
    </section>
  )
}
