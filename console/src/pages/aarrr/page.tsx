import { SettingOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { Button } from 'antd'
import { Link } from 'react-router'
import { questionAddress } from '@/analysis/address'
import { http } from '@/api/client'
import type { AarrrAnswer } from '@/api/types'
import { Chart } from '@/chart/chart'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { ShareText, useUnit } from '@/measure/numbers'
import { StagesDrawer } from '@/measure/stages-drawer'
import { useRange } from '@/measure/use-range'
import { Moved } from '@/pages/metrics/one/page'
import { useCan } from '@/shell/session'
import { AsCode } from '@/ui/as-code'
import { Loaded } from '@/ui/loaded'
import { Page, Panel } from '@/ui/page'
import { Stats, type StatItem } from '@/ui/stats'
import { useUrlState } from '@/url/use-url-state'

type Stage = 'acquisition' | 'activation' | 'retention' | 'revenue' | 'referral'

export default function AarrrPage() {
  const { t } = useLanguage()
  const can = useCan()
  const url = useUrlState()
  const { range, button } = useRange('30d')
  const asked = { range, compare: true }
  const query = useQuery({ queryKey: ['aarrr', asked], queryFn: ({ signal }) => http.post<AarrrAnswer>('/aarrr', asked, undefined, signal), retry: false })
  return (
    <Page
      title={t('aarrr.title')}
      about={t('aarrr.about')}
      actions={
        <>
          {button}
          {can('analyst') && (
            <Button icon={<SettingOutlined />} onClick={() => url.set({ stages: 1 })}>
              {t('stages.button')}
            </Button>
          )}
          <AsCode path="/aarrr" body={asked} />
        </>
      }
    >
      <Loaded query={query} rows={12}>
        {(answer) => <Shown answer={answer} />}
      </Loaded>
      {url.get('stages') === '1' && <StagesDrawer close={() => url.set({ stages: null })} />}
    </Page>
  )
}

function Shown({ answer }: { answer: AarrrAnswer }) {
  const { t } = useLanguage()
  const format = useFormat()
  const unit = useUnit()
  const now = answer.current
  const before = answer.previous
  const drill = (stage: Stage) => {
    const one = answer.drills.find((each) => each.stage === stage)
    return one && <Link to={questionAddress(one.kind, one.question)}>{t('aarrr.question')}</Link>
  }
  const moved = (value: number | null | undefined, old: number | null | undefined, good = true) => <Moved now={value} before={old} good={good} />
  const days = Object.entries(now.retention)
  const panel = (stage: Stage, items: StatItem[] | null) => (
    <Panel title={t(`aarrr.${stage}`)} extra={drill(stage)}>
      {items === null ? <p className="muted">{t('aarrr.unset')}</p> : <Stats label={t(`aarrr.${stage}`)} items={items} />}
    </Panel>
  )
  return (
    <>
      <p className="small muted">{t('aarrr.days', { first: now.first, last: now.last })}</p>
      {panel('acquisition', [
        { key: 'people', label: t('aarrr.new'), value: format.count(now.acquisition.people), detail: moved(now.acquisition.people, before?.acquisition.people) },
        { key: 'cost', label: t('aarrr.cost'), value: unit(now.acquisition.cost, 'money'), detail: now.acquisition.cost === null ? <Link to="/analysis/channels?costs=1">{t('aarrr.cost.none')}</Link> : moved(now.acquisition.cost, before?.acquisition.cost, false) },
        { key: 'cac', label: t('aarrr.cac'), value: unit(now.acquisition.cac, 'money'), detail: moved(now.acquisition.cac, before?.acquisition.cac, false) },
        { key: 'channels', label: t('channels.title'), value: <Link to="/analysis/channels">{t('aarrr.by_channel')}</Link> },
      ])}
      {panel('activation', now.activation && [{ key: 'activated', label: t('aarrr.activated', { within: answer.settings.activation_within ?? '7d' }), value: <ShareText part={now.activation} />, detail: moved(now.activation.share, before?.activation?.share) }])}
      {panel('retention', days.filter(([day]) => ['D1', 'D7', 'D30'].includes(day)).map(([day, share]) => ({ key: day, label: t('aarrr.day', { day }), value: <ShareText part={share} />, detail: moved(share.share, before?.retention[day]?.share) })))}
      <Chart
        id="retention"
        title={t('aarrr.curve')}
        summary={days.map(([day, share]) => `${day} ${format.percent(share.share)}`).join(' ')}
        height={220}
        option={(c) => ({
          grid: { left: 8, right: 24, top: 16, bottom: 8, outerBoundsMode: 'same', outerBoundsContain: 'all' },
          tooltip: { trigger: 'axis', valueFormatter: (value: unknown) => (typeof value === 'number' ? format.percent(value) : '—') },
          xAxis: { type: 'category', data: days.map(([day]) => day) },
          yAxis: { type: 'value', min: 0, axisLabel: { formatter: (value: number) => format.percent(value, 0) } },
          series: [
            { type: 'line', name: t('aarrr.curve'), data: days.map(([, share]) => share.share), color: c.series[0] },
            { type: 'line', name: '', data: days.map(([, share]) => share.low), stack: 'band', showSymbol: false, lineStyle: { opacity: 0 }, tooltip: { show: false } },
            { type: 'line', name: '', data: days.map(([, share]) => (share.high === null || share.low === null ? null : share.high - share.low)), stack: 'band', showSymbol: false, lineStyle: { opacity: 0 }, areaStyle: { opacity: 0.14 }, color: c.series[0], tooltip: { show: false } },
          ],
        })}
        table={{ columns: [{ title: t('aarrr.after') }, { title: t('aarrr.people'), end: true }, { title: t('aarrr.of'), end: true }, { title: t('aarrr.share'), end: true, show: (value) => format.percent(value as number | null) }], rows: days.map(([day, share]) => [day, share.people, share.of, share.share]) }}
      />
      {panel(
        'revenue',
        now.revenue && [
          { key: 'revenue', label: t('aarrr.money'), value: unit(now.revenue.revenue, 'money'), detail: moved(now.revenue.revenue, before?.revenue?.revenue) },
          { key: 'paying', label: t('aarrr.paying'), value: <ShareText part={now.revenue.paying} />, detail: moved(now.revenue.paying.share, before?.revenue?.paying.share) },
          { key: 'arpu', label: t('aarrr.arpu'), value: unit(now.revenue.arpu, 'money'), detail: moved(now.revenue.arpu, before?.revenue?.arpu) },
          { key: 'arppu', label: t('aarrr.arppu'), value: unit(now.revenue.arppu, 'money'), detail: moved(now.revenue.arppu, before?.revenue?.arppu) },
          { key: 'repeat', label: t('aarrr.repeat'), value: <ShareText part={now.revenue.repeat} />, detail: moved(now.revenue.repeat.share, before?.revenue?.repeat.share) },
          { key: 'ltv', label: t('aarrr.ltv'), value: unit(now.revenue.ltv, 'money'), detail: t('aarrr.ltv.about') },
        ],
      )}
      {panel(
        'referral',
        now.referral && [
          { key: 'k', label: t('aarrr.k'), value: format.decimal(now.referral.k, 3), detail: `${format.count(now.referral.joined)} / ${format.count(now.referral.inviting.of)}` },
          { key: 'inviting', label: t('aarrr.inviting'), value: <ShareText part={now.referral.inviting} />, detail: t('aarrr.invites', { n: now.referral.invites }) },
          { key: 'new', label: t('aarrr.referred'), value: <ShareText part={now.referral.new} />, detail: moved(now.referral.new.share, before?.referral?.new.share) },
          { key: 'cycle', label: t('aarrr.cycle'), value: now.referral.cycle_median === null ? '—' : t('aarrr.hours', { n: format.decimal(now.referral.cycle_median / 3600, 1) }), detail: t('aarrr.matched', { n: now.referral.matched }) },
        ],
      )}
    </>
  )
}
