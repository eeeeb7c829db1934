import { useQuery } from '@tanstack/react-query'
import { Tabs } from 'antd'
import { http } from '@/api/client'
import type { DriftNotice, Observed, PlanIssue, TrackingPlan } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { Loaded } from '@/ui/loaded'
import { Page, Panel } from '@/ui/page'
import { Pill } from '@/ui/pill'
import { useNarrow } from '@/ui/use-narrow'
import { oneOf, useUrlState } from '@/url/use-url-state'
import { DriftTab } from './drift-tab'
import { EventsTab } from './events-tab'
import { IssuesTab } from './issues-tab'
import { PlanEditor } from './plan-editor'

const tabs = ['events', 'drift', 'issues', 'plan'] as const

/** What should arrive, what does, and where the two differ. */
export default function PlanPage() {
  const { t } = useLanguage()
  const format = useFormat()
  const url = useUrlState()
  const narrow = useNarrow()
  const plan = useQuery({ queryKey: ['plan'], queryFn: ({ signal }) => http.get<TrackingPlan>('/plan', undefined, signal) })
  const observed = useQuery({ queryKey: ['plan', 'observed'], queryFn: ({ signal }) => http.get<Observed>('/plan/observed', undefined, signal) })
  const issues = useQuery({ queryKey: ['plan', 'issues'], queryFn: ({ signal }) => http.get<{ issues: PlanIssue[] }>('/plan/issues', undefined, signal), refetchInterval: 15_000 })
  const drift = useQuery({ queryKey: ['plan', 'drift'], queryFn: ({ signal }) => http.get<{ notices: DriftNotice[] }>('/plan/drift', undefined, signal) })
  const news = drift.data?.notices.filter((one) => !one.acknowledged_at && !one.ended_at).length ?? 0
  return (
    <Page
      title={t('plan.title')}
      about={t('plan.about')}
      asOf={
        plan.data && (
          <span className="row" style={{ gap: 8 }}>
            <Pill tone={plan.data.plan.mode === 'enforce' ? 'warn' : 'info'}>{t(plan.data.plan.mode === 'enforce' ? 'plan.mode.enforce' : 'plan.mode.observe')}</Pill>
            {plan.data.saved_at ? t('plan.version', { n: plan.data.version, who: plan.data.saved_by, when: format.ago(plan.data.saved_at) }) : t('plan.none')}
          </span>
        )
      }
    >
      <Panel label={t('plan.title')}>
        <Tabs
          // Four tabs side by side on a phone: what does not fit goes behind a button that breaks the list of tabs.
          tabBarGutter={narrow ? 12 : undefined}
          activeKey={oneOf(url.get('tab'), tabs)}
          onChange={(tab) => url.set({ tab: tab === 'events' ? null : tab })}
          items={[
            { key: 'events', label: t('plan.tab.events'), children: <Loaded query={observed} rows={10}>{(data) => <EventsTab observed={data} />}</Loaded> },
            { key: 'drift', label: t('plan.tab.drift', { n: news }), children: <Loaded query={drift}>{(data) => <DriftTab notices={data.notices} />}</Loaded> },
            { key: 'issues', label: t('plan.tab.issues', { n: issues.data?.issues.length ?? 0 }), children: <Loaded query={issues}>{(data) => <IssuesTab issues={data.issues} />}</Loaded> },
            { key: 'plan', label: t('plan.tab.plan'), children: <Loaded query={plan}>{(data) => <PlanEditor key={data.version} plan={data} />}</Loaded> },
          ]}
        />
      </Panel>
    </Page>
  )
}
