import type { ReactNode } from 'react'

export interface StatItem {
  key: string
  label: ReactNode
  value: ReactNode
  detail?: ReactNode
}

export function Stats({ items, label }: { items: StatItem[]; label: string }) {
  return (
    <dl className="stats" aria-label={label}>
      {items.map((item) => (
        <div className="stat" key={item.key}>
          <dt>{item.label}</dt>
          <dd>
            <div className="value">{item.value}</div>
            {item.detail && <div className="detail">{item.detail}</div>}
          </dd>
        </div>
      ))}
    </dl>
  )
}

export function Facts({ items, right }: { items: { key: string; label: ReactNode; value: ReactNode }[]; right?: boolean }) {
  return (
    <dl className={right ? 'facts right' : 'facts'}>
      {items.map((item) => (
        <div key={item.key} style={{ display: 'contents' }}>
          <dt>{item.label}</dt>
          <dd>{item.value}</dd>
        </div>
      ))}
    </dl>
  )
}
