import type { InfiniteData, UseInfiniteQueryResult } from '@tanstack/react-query'
import { useVirtualizer } from '@tanstack/react-virtual'
import { Skeleton } from 'antd'
import { useEffect, useMemo, useRef, type ReactNode } from 'react'
import { useLanguage } from '@/i18n/language'
import { ProblemView } from './problem'

export interface GridColumn<Row> {
  key: string
  title: ReactNode
  /** A track of CSS grid, e.g. `minmax(140px, 2fr)`. */
  width: string
  end?: boolean
  render: (row: Row) => ReactNode
}

interface VirtualGridProps<Row, P> {
  label: string
  columns: GridColumn<Row>[]
  query: UseInfiniteQueryResult<InfiniteData<P>>
  rowsOf: (page: P) => Row[]
  totalOf: (page: P) => number
  rowKey: (row: Row) => string | number
  minWidth?: number
  maxHeight?: number
  empty: ReactNode
}

const ROW = 46
const HEAD = 38

/** Rows by cursor from the server, drawn only where they are seen: a list of millions scrolls like one of ten. */
export function VirtualGrid<Row, P>({ label, columns, query, rowsOf, totalOf, rowKey, minWidth = 720, maxHeight = 620, empty }: VirtualGridProps<Row, P>) {
  const { t } = useLanguage()
  const scroller = useRef<HTMLDivElement>(null)
  const pages = query.data?.pages
  const rows = useMemo(() => (pages ?? []).flatMap(rowsOf), [pages, rowsOf])
  const total = pages?.[0] ? totalOf(pages[0]) : 0
  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = query
  const count = hasNextPage ? rows.length + 1 : rows.length

  const virtual = useVirtualizer({ count, getScrollElement: () => scroller.current, estimateSize: () => ROW, overscan: 12 })
  const items = virtual.getVirtualItems()
  const last = items.at(-1)?.index ?? 0

  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage && !isFetchNextPageError && last >= rows.length - 20) void fetchNextPage()
  }, [hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage, last, rows.length])

  if (query.error && !query.data)
    return (
      <div style={{ padding: 16 }}>
        <ProblemView error={query.error} retry={() => void query.refetch()} />
      </div>
    )
  if (!query.data)
    return (
      <div style={{ padding: '8px 18px 18px' }} aria-busy="true">
        <Skeleton active title={false} paragraph={{ rows: 8, width: '100%' }} />
      </div>
    )
  if (rows.length === 0) return <>{empty}</>

  const template = { gridTemplateColumns: columns.map((column) => column.width).join(' '), minWidth }
  const height = Math.min(maxHeight, HEAD + count * ROW + 14)
  return (
    <>
      {/* A region that scrolls must be reachable by keyboard. */}
      <div ref={scroller} className="vgrid" style={{ height }} role="grid" aria-label={label} aria-rowcount={total + 1} tabIndex={0}>
        <div className="vrow vhead" style={template} role="row" aria-rowindex={1}>
          {columns.map((column) => (
            <div key={column.key} role="columnheader" className={column.end ? 'end' : undefined}>
              {column.title}
            </div>
          ))}
        </div>
        <div className="vbody" role="rowgroup" style={{ height: virtual.getTotalSize(), position: 'relative', minWidth }}>
          {items.map((item) => {
            const row = rows[item.index]
            return (
              <div key={row ? rowKey(row) : 'more'} className="vrow" role="row" aria-rowindex={item.index + 2} style={{ ...template, height: ROW, transform: `translateY(${item.start}px)` }}>
                {row ? (
                  columns.map((column) => (
                    <div key={column.key} role="gridcell" className={column.end ? 'end num' : undefined}>
                      {column.render(row)}
                    </div>
                  ))
                ) : (
                  <div role="gridcell" className="muted" style={{ gridColumn: '1 / -1' }}>
                    {isFetchNextPageError ? (
                      <button type="button" className="choice" onClick={() => void fetchNextPage()}>
                        {t('problem.retry')}
                      </button>
                    ) : (
                      t('grid.more')
                    )}
                  </div>
                )}
              </div>
            )
          })}
        </div>
      </div>
      <div className="small muted gridfoot" aria-live="polite">
        {t('grid.count', { shown: rows.length, total })}
      </div>
    </>
  )
}
