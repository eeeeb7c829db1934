import { lazy, type ComponentType } from 'react'
import { Navigate, createBrowserRouter, matchPath, useLocation } from 'react-router'
import { NotFoundPage } from '@/shell/not-found'
import { useSession } from '@/shell/session'
import { Shell } from '@/shell/shell'

/** Every page is its own file for the browser, fetched when first visited. */
const pages: { path: string; load: () => Promise<{ default: ComponentType }> }[] = [
  { path: '/', load: () => import('@/pages/overview/page') },
  { path: '/data/imports', load: () => import('@/pages/imports/list/page') },
  { path: '/data/imports/new', load: () => import('@/pages/imports/new/page') },
  { path: '/data/imports/:id', load: () => import('@/pages/imports/one/page') },
  { path: '/people/layerings', load: () => import('@/pages/layerings/list/page') },
  { path: '/people/layerings/:id', load: () => import('@/pages/layerings/one/page') },
  { path: '/people/layerings/:id/compare/:other', load: () => import('@/pages/layerings/compare/page') },
  { path: '/people/segments', load: () => import('@/pages/segments/list/page') },
  { path: '/people/segments/:key', load: () => import('@/pages/segments/one/page') },
  { path: '/people', load: () => import('@/pages/people/list/page') },
  { path: '/people/portraits', load: () => import('@/pages/people/portraits/page') },
  { path: '/people/things', load: () => import('@/pages/people/things/page') },
  { path: '/people/conflicts', load: () => import('@/pages/people/conflicts/page') },
  { path: '/people/surveys', load: () => import('@/pages/surveys/list/page') },
  { path: '/people/surveys/:key', load: () => import('@/pages/surveys/one/page') },
  { path: '/people/feedback', load: () => import('@/pages/feedback/page') },
  { path: '/people/:id', load: () => import('@/pages/people/one/page') },
  { path: '/analysis', load: () => import('@/pages/analysis/list/page') },
  { path: '/analysis/boards', load: () => import('@/pages/boards/list/page') },
  { path: '/analysis/boards/:id', load: () => import('@/pages/boards/one/page') },
  { path: '/analysis/metrics', load: () => import('@/pages/metrics/list/page') },
  { path: '/analysis/metrics/:key', load: () => import('@/pages/metrics/one/page') },
  { path: '/analysis/aarrr', load: () => import('@/pages/aarrr/page') },
  { path: '/analysis/channels', load: () => import('@/pages/channels/page') },
  { path: '/analysis/cspdd', load: () => import('@/pages/cspdd/page') },
  { path: '/analysis/trees', load: () => import('@/pages/trees/list/page') },
  { path: '/analysis/trees/:key', load: () => import('@/pages/trees/one/page') },
  { path: '/settings/alerts', load: () => import('@/pages/alerts/page') },
  { path: '/settings/destinations', load: () => import('@/pages/destinations/page') },
  { path: '/analysis/clv', load: () => import('@/pages/clv/page') },
  { path: '/analysis/sql', load: () => import('@/pages/sql/page') },
  { path: '/analysis/:kind', load: () => import('@/pages/analysis/ask/page') },
  { path: '/data/sources', load: () => import('@/pages/sources/page') },
  { path: '/data/debugger', load: () => import('@/pages/debugger/page') },
  { path: '/data/plan', load: () => import('@/pages/plan/page') },
  { path: '/data/connectors', load: () => import('@/pages/connectors/page') },
  { path: '/data/health', load: () => import('@/pages/health/page') },
  { path: '/data/quarantine', load: () => import('@/pages/quarantine/page') },
  { path: '/settings', load: () => import('@/pages/settings/page') },
  { path: '/settings/:section', load: () => import('@/pages/settings/page') },
]

/** Starts fetching the page at an address, so that it arrives while we still ask who is reading. */
export function warm(pathname: string): void {
  const page = pages.find(({ path }) => matchPath(path, pathname))
  if (page) void page.load()
}

/** Only people who are signed in get further; the rest come back to where they wanted to go. */
function SignedIn() {
  const { user } = useSession()
  const { pathname, search } = useLocation()
  if (user) return <Shell />
  const next = `${pathname}${search}`
  return <Navigate to={next === '/' ? '/signin' : `/signin?next=${encodeURIComponent(next)}`} replace />
}

const children = pages.map(({ path, load }) => {
  const Lazy = lazy(load)
  return { path, element: <Lazy /> }
})

export const router = createBrowserRouter([
  { path: '/signin', lazy: async () => ({ Component: (await import('@/pages/signin/page')).default }), HydrateFallback: () => null },
  { element: <SignedIn />, children: [...children, { path: '*', element: <NotFoundPage /> }] },
])
