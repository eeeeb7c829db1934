import { useCallback, useMemo, type ReactNode } from 'react'
import type { Flow, Layer } from '@/api/types'
import { Chart } from '@/chart/chart'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import type { Colors } from '@/theme/colors'
import { useNarrow } from '@/ui/use-narrow'
import { layerColor } from './layer-color'

const UNKNOWN = 'not_known_yet'

interface FlowChartProps {
  id: string
  title: string
  about?: ReactNode
  summary: string
  flows: Flow[]
  left: Layer[]
  right: Layer[]
}

/** A Sankey of people from the layers on the left to those on the right; a table under the same button as elsewhere. */
export function FlowChart({ id, title, about, summary, flows, left, right }: FlowChartProps) {
  const { t, pick } = useLanguage()
  const format = useFormat()
  const narrow = useNarrow()
  const sides = useMemo(() => ({ left: new Map(left.map((layer) => [layer.key, layer])), right: new Map(right.map((layer) => [layer.key, layer])) }), [left, right])
  const nameOf = useCallback((side: 'left' | 'right', key: string) => (key === UNKNOWN ? t('migration.new') : pick(sides[side].get(key)?.name) || key), [sides, pick, t])
  const used = useMemo(() => flows.filter((flow) => flow.people > 0), [flows])
  const leaving = useMemo(() => {
    const totals = new Map<string, number>()
    for (const flow of used) totals.set(flow.from, (totals.get(flow.from) ?? 0) + flow.people)
    return totals
  }, [used])

  const option = useCallback(
    (c: Colors) => {
      const order = (side: Map<string, Layer>, key: string) => (key === UNKNOWN ? 999 : [...side.keys()].indexOf(key))
      const nodes = (side: 'left' | 'right', keys: string[]) =>
        [...new Set(keys)]
          .sort((a, b) => order(sides[side], a) - order(sides[side], b))
          .map((key) => ({ name: `${side} ${key}`, itemStyle: { color: layerColor(c, sides[side].get(key)) }, label: { position: side, formatter: nameOf(side, key) }, depth: side === 'left' ? 0 : 1 }))
      return {
        tooltip: {
          formatter: (item: { dataType: string; name: string; value: number; data: { from?: string; to?: string } }) => {
            if (item.dataType === 'edge') {
              const { from = '', to = '' } = item.data
              return `${nameOf('left', from)} → ${nameOf('right', to)}<br/><b>${t('unit.people', { n: item.value })}</b> · ${format.percent(item.value / (leaving.get(from) ?? item.value))}`
            }
            const [side = 'left', ...rest] = item.name.split(' ')
            return `${nameOf(side === 'left' ? 'left' : 'right', rest.join(' '))}<br/><b>${t('unit.people', { n: item.value })}</b>`
          },
        },
        series: [
          {
            type: 'sankey',
            left: narrow ? 96 : 120,
            right: narrow ? 96 : 120,
            top: 8,
            bottom: 8,
            nodeGap: 12,
            nodeWidth: 12,
            draggable: false,
            layoutIterations: 0,
            emphasis: { focus: 'adjacency' },
            label: { color: c.text, fontSize: 12, width: narrow ? 88 : 108, overflow: 'truncate' },
            lineStyle: { color: 'source', opacity: 0.32, curveness: 0.5 },
            data: [
              ...nodes('left', used.map((flow) => flow.from)),
              ...nodes('right', used.map((flow) => flow.to)),
            ],
            links: used.map((flow) => ({ source: `left ${flow.from}`, target: `right ${flow.to}`, value: flow.people, from: flow.from, to: flow.to })),
          },
        ],
      }
    },
    [used, sides, nameOf, leaving, format, t, narrow],
  )
  const table = useMemo(
    () => ({
      columns: [
        { title: t('migration.from') },
        { title: t('migration.to') },
        { title: t('layering.people'), end: true, show: (value: unknown) => format.count(Number(value)) },
        { title: t('migration.share'), end: true, show: (value: unknown) => format.percent(Number(value)) },
      ],
      rows: used.map((flow) => [nameOf('left', flow.from), nameOf('right', flow.to), flow.people, flow.people / (leaving.get(flow.from) ?? flow.people)]),
    }),
    [used, nameOf, leaving, format, t],
  )
  return <Chart id={id} title={title} about={about} summary={summary} height={Math.max(360, Math.max(left.length, right.length) * 46)} table={table} option={option} />
}
