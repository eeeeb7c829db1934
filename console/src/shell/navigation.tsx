import { AlertOutlined, ApartmentOutlined, ApiOutlined, AppstoreOutlined, BarChartOutlined, BugOutlined, ClockCircleOutlined, CloudUploadOutlined, ClusterOutlined, CodeOutlined, CompassOutlined, DashboardOutlined, DotChartOutlined, ForkOutlined, FormOutlined, FundOutlined, FunnelPlotOutlined, GoldOutlined, HeartOutlined, HeatMapOutlined, IdcardOutlined, LineChartOutlined, MessageOutlined, NodeIndexOutlined, NotificationOutlined, NumberOutlined, PartitionOutlined, PieChartOutlined, ProfileOutlined, RiseOutlined, RocketOutlined, SettingOutlined, ShopOutlined, ShoppingOutlined, SyncOutlined, TagsOutlined, TeamOutlined, WarningOutlined } from '@ant-design/icons'
import type { ReactNode } from 'react'
import type { Role } from '@/api/types'
import type { MessageKey } from '@/i18n/messages'

export interface Place {
  path: string
  label: MessageKey
  icon: ReactNode
  /** Drawn only for people who may do what the page is for. */
  role?: Role
}

export interface Group {
  key: string
  label: MessageKey | null
  places: Place[]
}

/** The left navigation. A page is here when it exists, complete. */
export const navigation: Group[] = [
  { key: 'home', label: null, places: [{ path: '/', label: 'nav.overview', icon: <DashboardOutlined /> }] },
  {
    key: 'people',
    label: 'nav.group.people',
    places: [
      { path: '/people', label: 'nav.people', icon: <TeamOutlined /> },
      { path: '/people/layerings', label: 'nav.layerings', icon: <ApartmentOutlined /> },
      { path: '/people/segments', label: 'nav.segments', icon: <TagsOutlined /> },
      { path: '/people/portraits', label: 'nav.portraits', icon: <IdcardOutlined /> },
      { path: '/people/things', label: 'nav.things', icon: <GoldOutlined /> },
      { path: '/people/surveys', label: 'nav.surveys', icon: <FormOutlined /> },
      { path: '/people/feedback', label: 'nav.feedback', icon: <MessageOutlined /> },
      { path: '/people/conflicts', label: 'nav.conflicts', icon: <ForkOutlined /> },
    ],
  },
  {
    key: 'analysis',
    label: 'nav.group.analysis',
    places: [
      { path: '/analysis/boards', label: 'nav.boards', icon: <AppstoreOutlined />, role: 'analyst' },
      { path: '/analysis/aarrr', label: 'nav.aarrr', icon: <RocketOutlined /> },
      { path: '/analysis/cspdd', label: 'nav.cspdd', icon: <ShoppingOutlined /> },
      { path: '/analysis/channels', label: 'nav.channels', icon: <PieChartOutlined /> },
      { path: '/analysis/metrics', label: 'nav.metrics', icon: <NumberOutlined /> },
      { path: '/analysis/trees', label: 'nav.trees', icon: <ClusterOutlined /> },
      { path: '/analysis', label: 'nav.questions', icon: <CompassOutlined />, role: 'analyst' },
      { path: '/analysis/trends', label: 'analysis.kind.trends', icon: <LineChartOutlined />, role: 'analyst' },
      { path: '/analysis/funnel', label: 'analysis.kind.funnel', icon: <FunnelPlotOutlined />, role: 'analyst' },
      { path: '/analysis/retention', label: 'analysis.kind.retention', icon: <HeatMapOutlined />, role: 'analyst' },
      { path: '/analysis/lifecycle', label: 'analysis.kind.lifecycle', icon: <SyncOutlined />, role: 'analyst' },
      { path: '/analysis/stickiness', label: 'analysis.kind.stickiness', icon: <BarChartOutlined />, role: 'analyst' },
      { path: '/analysis/paths', label: 'analysis.kind.paths', icon: <NodeIndexOutlined />, role: 'analyst' },
      { path: '/analysis/distribution', label: 'analysis.kind.distribution', icon: <DotChartOutlined />, role: 'analyst' },
      { path: '/analysis/attribution', label: 'analysis.kind.attribution', icon: <PartitionOutlined />, role: 'analyst' },
      { path: '/analysis/sessions', label: 'analysis.kind.sessions', icon: <ClockCircleOutlined />, role: 'analyst' },
      { path: '/analysis/ltv', label: 'analysis.kind.ltv', icon: <RiseOutlined />, role: 'analyst' },
      { path: '/analysis/clv', label: 'nav.clv', icon: <FundOutlined />, role: 'analyst' },
      { path: '/analysis/sql', label: 'nav.sql', icon: <CodeOutlined />, role: 'analyst' },
    ],
  },
  {
    key: 'data',
    label: 'nav.group.data',
    places: [
      { path: '/data/sources', label: 'nav.sources', icon: <ApiOutlined />, role: 'admin' },
      { path: '/data/debugger', label: 'nav.debugger', icon: <BugOutlined />, role: 'operator' },
      { path: '/data/plan', label: 'nav.plan', icon: <ProfileOutlined /> },
      { path: '/data/imports', label: 'nav.imports', icon: <CloudUploadOutlined /> },
      { path: '/data/quarantine', label: 'nav.quarantine', icon: <WarningOutlined /> },
      { path: '/data/connectors', label: 'nav.connectors', icon: <ShopOutlined />, role: 'admin' },
      { path: '/data/health', label: 'nav.health', icon: <HeartOutlined /> },
    ],
  },
  { key: 'settings', label: 'nav.group.settings', places: [
      { path: '/settings', label: 'nav.settings', icon: <SettingOutlined /> },
      { path: '/settings/alerts', label: 'nav.alerts', icon: <AlertOutlined /> },
      { path: '/settings/destinations', label: 'nav.destinations', icon: <NotificationOutlined /> },
    ],
  },
]

export const places: Place[] = navigation.flatMap((group) => group.places)

/** The entry of the navigation that an address belongs to: the longest path it starts with. */
export function placeOf(pathname: string): string {
  const candidates = places.map((place) => place.path).filter((path) => path === '/' ? pathname === '/' : pathname === path || pathname.startsWith(`${path}/`))
  return candidates.sort((a, b) => b.length - a.length)[0] ?? ''
}
