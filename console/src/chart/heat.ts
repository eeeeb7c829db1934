import type { EChartsCoreOption } from 'echarts/core'
import type { Colors } from '@/theme/colors'

interface HeatParts {
  /** From bottom to top. */
  rows: string[]
  columns: string[]
  rowName: string
  columnName: string
  values: number[][]
  label: (value: number) => string
  tooltip: (row: number, column: number, value: number) => string
}

/** Black or white, whichever reads better on a ground of that colour. */
export function readableOn(hex: string): string {
  const channel = (at: number) => {
    const part = parseInt(hex.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  }
  const light = 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
  return light > 0.22 ? '#111713' : '#ffffff'
}

/** A grid of cells in steps of one hue; the text in each is the value itself. */
export function heatOption(c: Colors, parts: HeatParts): EChartsCoreOption {
  const most = Math.max(1, ...parts.values.flat())
  const steps = c.heat.length
  // Counts of people are skewed: equal steps of the square root keep the small cells apart.
  const colorOf = (value: number) => c.heat[value <= 0 ? 0 : Math.min(steps - 1, Math.max(0, Math.ceil(Math.sqrt(value / most) * (steps - 1))))] ?? c.line
  return {
    grid: { left: 8, right: 8, top: 8, bottom: 8, outerBoundsMode: 'same', outerBoundsContain: 'all' },
    tooltip: { formatter: (item: { value: [number, number, number] }) => parts.tooltip(item.value[1], item.value[0], item.value[2]) },
    xAxis: { type: 'category', data: parts.columns, name: parts.columnName, nameLocation: 'middle', nameGap: 28, axisLine: { show: false }, splitArea: { show: false } },
    yAxis: { type: 'category', data: parts.rows, name: parts.rowName, nameLocation: 'middle', nameGap: 30, axisLine: { show: false } },
    series: [
      {
        type: 'heatmap',
        data: parts.values.flatMap((row, j) =>
          row.map((value, i) => {
            const color = colorOf(value)
            return { value: [i, j, value], itemStyle: { color, borderColor: c.surface, borderWidth: 3, borderRadius: 6 }, label: { show: true, color: readableOn(color), formatter: () => parts.label(value) } }
          }),
        ),
        emphasis: { itemStyle: { borderColor: c.accentText } },
      },
    ],
  }
}
