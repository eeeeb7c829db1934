import { BarChartOutlined, FileImageOutlined, TableOutlined } from '@ant-design/icons'
import { Button, Skeleton, Tooltip } from 'antd'
import type { ECElementEvent, EChartsCoreOption, EChartsType } from 'echarts/core'
import { createContext, use, useEffect, useRef, useState, type ReactNode } from 'react'
import { saveBlob } from '@/api/client'
import type { Cell } from '@/format/csv'
import { useLanguage } from '@/i18n/language'
import type { Colors } from '@/theme/colors'
import { useAppearance } from '@/theme/theme'
import { CsvButton } from '@/ui/csv-button'
import { useUrlState } from '@/url/use-url-state'

export interface ChartColumn {
  title: string
  /** How a value of this column reads; the CSV gets the value itself. */
  show?: (value: Cell) => string
  end?: boolean
}

export interface ChartTable {
  columns: ChartColumn[]
  rows: Cell[][]
}

interface ChartProps {
  /** Names the chart in the address (`?table=id`) and in saved files. */
  id: string
  title: string
  /** The finding in a sentence, for those who do not see the picture. */
  summary: string
  about?: ReactNode
  extra?: ReactNode
  height?: number
  table: ChartTable
  option: (colors: Colors) => EChartsCoreOption
  onClick?: (event: ECElementEvent) => void
}

/** Where several charts of one kind stand on a page: what tells their names apart, their title and height. */
export const ChartScope = createContext<{ prefix: string; title?: string | undefined; height?: number | undefined } | null>(null)

function dataUrlToBlob(address: string): Blob {
  const bytes = Uint8Array.from(atob(address.split(',')[1] ?? ''), (letter) => letter.charCodeAt(0))
  return new Blob([bytes], { type: 'image/png' })
}

/** A picture that can be read as a table and saved as PNG or CSV. */
export function Chart({ id: own, title: usual, summary, about, extra, height: wanted = 280, table, option, onClick }: ChartProps) {
  const scope = use(ChartScope)
  const id = scope ? `${scope.prefix}-${own}` : own
  const title = scope?.title ?? usual
  const height = scope?.height ?? wanted
  const { t, language } = useLanguage()
  const { mode, colors } = useAppearance()
  const url = useUrlState()
  const asTables = url.get('table').split('.').filter(Boolean)
  const asTable = asTables.includes(id)
  const area = useRef<HTMLDivElement>(null)
  const chart = useRef<EChartsType | null>(null)
  const latest = useRef({ option, onClick })
  const [ready, setReady] = useState(false)
  latest.current = { option, onClick }

  useEffect(() => {
    const element = area.current
    if (asTable || !element) return
    let gone = false
    let watch: ResizeObserver | null = null
    void import('./echarts').then(({ draw }) => {
      if (gone) return
      const instance = draw(element, mode, language)
      chart.current = instance
      instance.setOption(latest.current.option(colors))
      instance.on('click', (event) => latest.current.onClick?.(event))
      watch = new ResizeObserver(() => instance.resize())
      watch.observe(element)
      setReady(true)
    })
    return () => {
      gone = true
      watch?.disconnect()
      chart.current?.dispose()
      chart.current = null
      setReady(false)
    }
  }, [asTable, mode, colors, language])

  useEffect(() => {
    chart.current?.setOption(option(colors), { notMerge: true })
  }, [option, colors])

  function toggle() {
    const next = asTable ? asTables.filter((name) => name !== id) : [...asTables, id]
    url.set({ table: next.join('.') })
  }
  function savePicture() {
    const address = chart.current?.getDataURL({ type: 'png', pixelRatio: 2, backgroundColor: colors.surface })
    if (address) saveBlob(dataUrlToBlob(address), `${id}.png`)
  }

  return (
    <section className="panel chart" aria-label={title}>
      <header>
        <h2>{title}</h2>
        {extra}
        <div className="chart-tools">
          <Tooltip title={asTable ? t('chart.as_chart') : t('chart.as_table')}>
            <Button type="text" size="small" aria-label={asTable ? t('chart.as_chart') : t('chart.as_table')} aria-pressed={asTable} icon={asTable ? <BarChartOutlined /> : <TableOutlined />} onClick={toggle} />
          </Tooltip>
          {!asTable && (
            <Tooltip title={t('chart.png')}>
              <Button type="text" size="small" aria-label={t('chart.png')} icon={<FileImageOutlined />} onClick={savePicture} />
            </Tooltip>
          )}
          <CsvButton name={id} header={table.columns.map((column) => column.title)} rows={() => table.rows} />
        </div>
        {about && <div className="about">{about}</div>}
      </header>
      <div className="inside">
        {asTable ? (
          <PlainTable table={table} label={title} maxHeight={Math.max(height, 320)} />
        ) : (
          <div style={{ position: 'relative', height }}>
            {!ready && <Skeleton.Node active style={{ width: '100%', height, position: 'absolute', inset: 0 }} />}
            <div ref={area} className="chart-area" style={{ height, position: 'absolute', inset: 0 }} role="img" aria-label={`${title}${t('colon')}${summary}`} />
          </div>
        )}
      </div>
    </section>
  )
}

export function PlainTable({ table, label, maxHeight }: { table: ChartTable; label: string; maxHeight?: number }) {
  return (
    // A region that scrolls must be reachable by keyboard.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="scroll-x scroll-y" style={maxHeight ? { maxHeight } : undefined} role="group" aria-label={label} tabIndex={0}>
      <table className="plain">
        <thead>
          <tr>
            {table.columns.map((column) => (
              <th key={column.title} scope="col" className={column.end ? 'end' : undefined}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.map((row, at) => (
            <tr key={at}>
              {row.map((cell, column) => {
                const of = table.columns[column]
                return (
                  <td key={of?.title ?? column} className={of?.end ? 'end' : undefined}>
                    {of?.show ? of.show(cell) : (cell ?? '—')}
                  </td>
                )
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
