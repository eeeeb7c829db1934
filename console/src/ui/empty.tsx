import type { ReactNode } from 'react'

type Picture = 'layers' | 'people' | 'files' | 'table' | 'curve' | 'done'

function Drawing({ picture }: { picture: Picture }) {
  const line = { stroke: 'var(--lineStrong)', strokeWidth: 2, fill: 'none', strokeLinecap: 'round' as const }
  const fill = { fill: 'var(--accentSoft)' }
  const accent = { fill: 'var(--accent)', opacity: 0.85 }
  return (
    <svg viewBox="0 0 168 104" aria-hidden="true">
      <rect x="8" y="8" width="152" height="88" rx="12" {...line} />
      {picture === 'layers' && (
        <>
          <rect x="20" y="20" width="52" height="64" rx="5" {...accent} />
          <rect x="77" y="20" width="70" height="36" rx="5" {...fill} stroke="var(--lineStrong)" />
          <rect x="77" y="61" width="42" height="23" rx="5" {...fill} stroke="var(--lineStrong)" />
          <rect x="124" y="61" width="23" height="23" rx="5" {...accent} opacity={0.45} />
        </>
      )}
      {picture === 'people' && (
        <>
          <circle cx="84" cy="42" r="13" {...accent} />
          <path d="M60 82c2-16 12-22 24-22s22 6 24 22" {...fill} stroke="var(--lineStrong)" strokeWidth="2" />
          <circle cx="44" cy="50" r="8" {...fill} stroke="var(--lineStrong)" />
          <circle cx="124" cy="50" r="8" {...fill} stroke="var(--lineStrong)" />
        </>
      )}
      {picture === 'files' && (
        <>
          <path d="M58 20h36l18 18v46H58z" {...fill} stroke="var(--lineStrong)" strokeWidth="2" />
          <path d="M94 20v18h18" {...line} />
          <path d="M68 52h34M68 62h34M68 72h22" {...line} />
          <path d="M128 82V56m0 0-9 9m9-9 9 9" stroke="var(--accent)" strokeWidth="3" fill="none" strokeLinecap="round" />
        </>
      )}
      {picture === 'table' && (
        <>
          <rect x="20" y="20" width="128" height="14" rx="4" {...accent} opacity={0.5} />
          <path d="M20 48h128M20 62h128M20 76h96" {...line} />
        </>
      )}
      {picture === 'curve' && (
        <>
          <path d="M24 82h120M24 82V20" {...line} />
          <path d="M30 76C60 74 72 34 138 28" stroke="var(--accent)" strokeWidth="3" fill="none" strokeLinecap="round" />
          <circle cx="62" cy="66" r="3.5" {...accent} />
          <circle cx="92" cy="46" r="3.5" {...accent} />
          <circle cx="122" cy="31" r="3.5" {...accent} />
        </>
      )}
      {picture === 'done' && <path d="M62 52l16 16 30-34" stroke="var(--accent)" strokeWidth="5" fill="none" strokeLinecap="round" strokeLinejoin="round" />}
    </svg>
  )
}

/** What will be here, a picture of it, and the one step that fills it. */
export function EmptyState({ picture, title, children, action }: { picture: Picture; title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="empty">
      <Drawing picture={picture} />
      <h2>{title}</h2>
      {children && <p>{children}</p>}
      {action}
    </div>
  )
}
