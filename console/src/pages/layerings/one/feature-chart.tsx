import { useCallback, useMemo } from 'react'
import type { Bilingual } from '@/api/types'
import { Chart } from '@/chart/chart'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import type { Colors } from '@/theme/colors'

export function FeatureChart({ features }: { features: { feature: string; name: Bilingual; eta2: number }[] }) {
  const { t, pick } = useLanguage()
  const format = useFormat()
  const rows = useMemo(() => [...features].sort((a, b) => b.eta2 - a.eta2).map((one) => ({ label: pick(one.name) || one.feature, eta2: one.eta2 })), [features, pick])
  const top = rows[0]
  const option = useCallback(
    (c: Colors) => ({
      grid: { left: 4, right: 56, top: 0, bottom: 0, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
      xAxis: { type: 'value', min: 0, max: 1, show: false },
      yAxis: { type: 'category', inverse: true, data: rows.map((row) => row.label), axisLine: { show: false }, axisLabel: { color: c.text } },
      series: [{ type: 'bar', barMaxWidth: 14, itemStyle: { color: c.series[0], borderRadius: [0, 3, 3, 0] }, data: rows.map((row) => row.eta2), label: { show: true, position: 'right', color: c.text, formatter: (item: { value: number }) => format.percent(item.value, 0) } }],
    }),
    [rows, format],
  )
  const table = useMemo(
    () => ({ columns: [{ title: t('quality.feature') }, { title: t('quality.r2'), end: true, show: (value: unknown) => format.percent(Number(value)) }], rows: rows.map((row) => [row.label, row.eta2]) }),
    [rows, format, t],
  )
  return <Chart id="features" title={t('quality.features')} about={t('quality.features.about')} summary={top ? t('quality.features.summary', { name: top.label, value: format.percent(top.eta2) }) : ''} height={rows.length * 32 + 4} table={table} option={option} />
}
