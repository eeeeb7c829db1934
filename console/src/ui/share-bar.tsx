/** A share as a number with a quiet bar under it. */
export function ShareBar({ share, text, color = 'var(--accent)' }: { share: number; text: string; color?: string }) {
  return (
    <div className="bar">
      <span className="num">{text}</span>
      <span className="track" aria-hidden="true">
        <span style={{ width: `${Math.max(0, Math.min(1, share)) * 100}%`, background: color }} />
      </span>
    </div>
  )
}

export function Dot({ color }: { color: string | undefined }) {
  return <span className="dot" style={{ background: color }} aria-hidden="true" />
}
