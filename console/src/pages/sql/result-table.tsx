import { useVirtualizer } from '@tanstack/react-virtual'
import { useMemo, useRef } from 'react'
import type { SqlResult } from '@/api/types'
import { useLanguage } from '@/i18n/language'
import { numeric } from './drawable'

const ROW = 34

/** A value as the engine gave it: exact, without rounding or local signs, so that it can be copied back. */
function text(value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** Thousands of rows, drawn only where they are seen. */
export function ResultTable({ result }: { result: SqlResult }) {
  const { t } = useLanguage()
  const scroller = useRef<HTMLDivElement>(null)
  const virtual = useVirtualizer({ count: result.rows.length, getScrollElement: () => scroller.current, estimateSize: () => ROW, overscan: 16 })
  const template = useMemo(() => {
    const widths = result.columns.map((column, at) => {
      const longest = Math.max(column.name.length, ...result.rows.slice(0, 200).map((row) => text(row[at]).length))
      return Math.round(Math.min(340, Math.max(72, longest * 8.4 + 12)))
    })
    // The last one takes what is left.
    return widths.map((width, at) => (at === widths.length - 1 ? `minmax(${width}px, 1fr)` : `${width}px`)).join(' ')
  }, [result])
  const height = Math.min(560, 38 + result.rows.length * ROW + 14)
  return (
    <div ref={scroller} className="vgrid" style={{ height, marginTop: 8 }} role="grid" aria-label={t('sql.result')} aria-rowcount={result.rows.length + 1} tabIndex={0}>
      <div style={{ width: 'max-content', minWidth: '100%' }}>
        <div className="vrow vhead" role="row" aria-rowindex={1} style={{ gridTemplateColumns: template }}>
          {result.columns.map((column) => (
            <div key={column.name} role="columnheader" className={numeric.test(column.type) ? 'end' : undefined} title={column.type}>
              {column.name}
            </div>
          ))}
        </div>
        <div className="vbody" role="rowgroup" style={{ height: virtual.getTotalSize(), position: 'relative' }}>
          {virtual.getVirtualItems().map((item) => (
            <div key={item.key} role="row" aria-rowindex={item.index + 2} className="vrow" style={{ gridTemplateColumns: template, height: ROW, transform: `translateY(${item.start}px)` }}>
              {result.columns.map((column, at) => {
                const value = result.rows[item.index]?.[at]
                return (
                  <div key={column.name} role="gridcell" className={numeric.test(column.type) ? 'end num' : undefined} title={text(value)}>
                    {value === null || value === undefined ? <span className="muted">NULL</span> : text(value)}
                  </div>
                )
              })}
            </div>
          ))}
        </div>
      </div>
    </div>
  )
}
