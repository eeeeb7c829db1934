import type { CustomSeriesRenderItemAPI, CustomSeriesRenderItemParams } from 'echarts'

interface Whisker {
  low: number | null
  high: number | null
  color: string
}

/** Horizontal bars from low to high, one a category, with a text to the right of each. */
export function intervalSeries(whiskers: Whisker[], texts: string[], ink: { color: string; font: string }) {
  return {
    type: 'custom' as const,
    silent: true,
    z: 3,
    data: whiskers.map((whisker, index) => [whisker.low ?? 0, index, whisker.high ?? 0]),
    encode: { x: [0, 2], y: 1 },
    renderItem: (_: CustomSeriesRenderItemParams, api: CustomSeriesRenderItemAPI) => {
      const index = Number(api.value(1))
      const whisker = whiskers[index]
      const low = whisker?.low ?? null
      const high = whisker?.high ?? null
      if (!whisker || low === null || high === null) return { type: 'group' as const, children: [] }
      const [x1 = 0, y = 0] = api.coord([low, index])
      const [x2 = 0] = api.coord([high, index])
      return {
        type: 'group' as const,
        children: [
          { type: 'line' as const, shape: { x1, y1: y, x2, y2: y }, style: { stroke: whisker.color, lineWidth: 3, opacity: 0.55 } },
          { type: 'line' as const, shape: { x1, y1: y - 5, x2: x1, y2: y + 5 }, style: { stroke: whisker.color, lineWidth: 2, opacity: 0.8 } },
          { type: 'line' as const, shape: { x1: x2, y1: y - 5, x2, y2: y + 5 }, style: { stroke: whisker.color, lineWidth: 2, opacity: 0.8 } },
          { type: 'text' as const, style: { text: texts[index] ?? '', x: x2 + 10, y, textVerticalAlign: 'middle' as const, fill: ink.color, font: `12px ${ink.font}` } },
        ],
      }
    },
  }
}
