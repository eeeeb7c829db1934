import { Button } from 'antd'
import { useCallback, useMemo } from 'react'
import { Link, useNavigate } from 'react-router'
import type { Overview } from '@/api/types'
import { Chart } from '@/chart/chart'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import type { Colors } from '@/theme/colors'
import { EmptyState } from '@/ui/empty'
import { Panel } from '@/ui/page'

type Mix = NonNullable<Overview['layer_mix']>

export function LayerMix({ mix }: { mix: Overview['layer_mix'] }) {
  const { t } = useLanguage()
  if (mix && mix.layers.length > 0) return <MixChart mix={mix} />
  return (
    <Panel title={t('overview.mix')}>
      <EmptyState
        picture="layers"
        title={t('overview.mix.empty')}
        action={
          <Link to="/people/layerings">
            <Button type="primary">{t('overview.mix.empty.action')}</Button>
          </Link>
        }
      >
        {t('overview.mix.empty.about')}
      </EmptyState>
    </Panel>
  )
}

function MixChart({ mix }: { mix: Mix }) {
  const { t, pick } = useLanguage()
  const format = useFormat()
  const navigate = useNavigate()
  const rows = useMemo(() => {
    return mix.layers.map((layer) => ({ ...layer, label: pick(layer.name) }))
  }, [mix, pick])
  const top = rows.reduce<(typeof rows)[number] | undefined>((best, row) => (best === undefined || row.revenue_share > best.revenue_share ? row : best), undefined)

  const option = useCallback(
    (c: Colors) => {
      const shares = (name: string, color: string | undefined, values: number[]) => ({
        name,
        type: 'bar',
        barMaxWidth: 11,
        barGap: '15%',
        itemStyle: { color, borderRadius: [0, 3, 3, 0] },
        label: { show: true, position: 'right', color: c.secondary, fontSize: 11, formatter: (item: { value: number }) => format.percent(item.value) },
        data: values,
      })
      return {
        grid: { left: 4, right: 52, top: 4, bottom: 4, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
        tooltip: { trigger: 'axis', axisPointer: { type: 'shadow' }, valueFormatter: (value: number) => format.percent(value) },
        xAxis: { type: 'value', min: 0, show: false },
        yAxis: { type: 'category', inverse: true, data: rows.map((row) => row.label), axisLine: { show: false }, axisLabel: { color: c.text, width: 110, overflow: 'truncate' }, triggerEvent: true },
        series: [shares(t('overview.mix.people'), c.series[10], rows.map((row) => row.people_share)), shares(t('overview.mix.revenue'), c.series[0], rows.map((row) => row.revenue_share))],
      }
    },
    [rows, format, t],
  )
  const table = useMemo(
    () => ({
      columns: [
        { title: t('overview.mix.layer') },
        { title: t('overview.mix.count'), end: true, show: (value: unknown) => format.count(Number(value)) },
        { title: t('overview.mix.people'), end: true, show: (value: unknown) => format.percent(Number(value)) },
        { title: t('overview.mix.revenue'), end: true, show: (value: unknown) => format.percent(Number(value)) },
      ],
      rows: rows.map((row) => [row.label, row.people, row.people_share, row.revenue_share]),
    }),
    [rows, format, t],
  )
  return (
    <Chart
      id="mix"
      title={t('overview.mix')}
      about={
        <>
          {t('overview.mix.about', { day: format.day(mix.as_of) })}{' '}
          <span className="key">
            <Swatch color="10" /> {t('overview.mix.people')}
          </span>{' '}
          <span className="key">
            <Swatch color="0" /> {t('overview.mix.revenue')}
          </span>
        </>
      }
      summary={top ? t('overview.mix.summary', { name: top.label, people: format.percent(top.people_share), revenue: format.percent(top.revenue_share) }) : ''}
      height={Math.max(180, rows.length * 38)}
      table={table}
      option={option}
      extra={
        <Link to={`/people/layerings/${mix.layering_id}`} className="small">
          {t('overview.mix.open')}
        </Link>
      }
      onClick={(event) => {
        const row = rows[event.dataIndex]
        if (row) void navigate(`/people/layerings/${mix.layering_id}?layer=${encodeURIComponent(row.key)}`)
      }}
    />
  )
}

function Swatch({ color }: { color: '0' | '10' }) {
  return <span className="dot" aria-hidden="true" style={{ background: `var(--series-${color})`, width: 9, height: 9, marginInline: '8px 2px' }} />
}
