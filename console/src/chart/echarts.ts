/** Only the parts of ECharts that the console draws with; loaded when the first chart appears. */
import { BarChart, CustomChart, HeatmapChart, LineChart, SankeyChart, ScatterChart, TreemapChart } from 'echarts/charts'
import { AriaComponent, GridComponent, MarkLineComponent, TooltipComponent, VisualMapComponent } from 'echarts/components'
import { init, registerTheme, use as register, type EChartsType } from 'echarts/core'
import { LabelLayout } from 'echarts/features'
import { CanvasRenderer } from 'echarts/renderers'
import { colors, type Mode } from '@/theme/colors'
import { chartTheme } from './theme'

register([BarChart, CustomChart, HeatmapChart, LineChart, SankeyChart, ScatterChart, TreemapChart, AriaComponent, GridComponent, MarkLineComponent, TooltipComponent, VisualMapComponent, LabelLayout, CanvasRenderer])
registerTheme('tilth-light', chartTheme(colors.light))
registerTheme('tilth-dark', chartTheme(colors.dark))

export function draw(element: HTMLElement, mode: Mode): EChartsType {
  return init(element, `tilth-${mode}`, { renderer: 'canvas' })
}
