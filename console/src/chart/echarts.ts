/** Only the parts of ECharts that the console draws with; loaded when the first chart appears. */
import { BarChart, CustomChart, GraphChart, HeatmapChart, LineChart, SankeyChart, ScatterChart, TreemapChart } from 'echarts/charts'
import { AriaComponent, GridComponent, LegendComponent, MarkLineComponent, TooltipComponent, VisualMapComponent } from 'echarts/components'
import { init, registerTheme, use as register, type EChartsType } from 'echarts/core'
import { LabelLayout } from 'echarts/features'
import { CanvasRenderer } from 'echarts/renderers'
import { colors, type Mode } from '@/theme/colors'
import type { Language } from '@/api/types'
import { fonts } from '@/theme/fonts'
import { chartTheme } from './theme'

register([BarChart, CustomChart, GraphChart, HeatmapChart, LineChart, SankeyChart, ScatterChart, TreemapChart, AriaComponent, GridComponent, LegendComponent, MarkLineComponent, TooltipComponent, VisualMapComponent, LabelLayout, CanvasRenderer])
for (const mode of ['light', 'dark'] as const) {
  for (const language of ['zh-CN', 'en'] as const) registerTheme(`tilth-${mode}-${language}`, chartTheme(colors[mode], fonts[language]))
}

export function draw(element: HTMLElement, mode: Mode, language: Language): EChartsType {
  return init(element, `tilth-${mode}-${language}`, { renderer: 'canvas' })
}
