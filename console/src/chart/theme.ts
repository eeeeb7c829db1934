import type { Colors } from '@/theme/colors'

/** One chart language: quiet axes, direct labels, tabular numerals. */
export function chartTheme(c: Colors, fontFamily: string): Record<string, unknown> {
  const axis = {
    axisLine: { show: true, lineStyle: { color: c.lineStrong } },
    axisTick: { show: false },
    axisLabel: { color: c.secondary, fontSize: 12 },
    splitLine: { lineStyle: { color: c.line } },
    nameTextStyle: { color: c.secondary, fontSize: 12 },
  }
  return {
    color: c.series,
    backgroundColor: 'transparent',
    textStyle: { fontFamily, color: c.text },
    categoryAxis: { ...axis, splitLine: { show: false } },
    valueAxis: { ...axis, axisLine: { show: false } },
    tooltip: {
      backgroundColor: c.raised,
      borderColor: c.lineStrong,
      borderWidth: 1,
      padding: [8, 12],
      textStyle: { color: c.text, fontSize: 13 },
      axisPointer: { lineStyle: { color: c.lineStrong }, shadowStyle: { color: c.accentSoft, opacity: 0.5 } },
      extraCssText: 'box-shadow: 0 6px 20px rgba(0,0,0,.12); border-radius: 8px; max-width: 340px; white-space: normal;',
    },
  }
}
