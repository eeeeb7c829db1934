import { lazy, type ComponentType } from 'react'
import { Navigate, createBrowserRouter, useLocation } from 'react-router'
import { NotFoundPage } from '@/shell/not-found'
import { useSession } from '@/shell/session'
import { Shell } from '@/shell/shell'

/** Every page is its own file for the browser, fetched when first visited. */
function page(load: () => Promise<{ default: ComponentType }>) {
  const Lazy = lazy(load)
  return <Lazy />
}

/** Only people who are signed in get further; the rest come back to where they wanted to go. */
function SignedIn() {
  const { user } = useSession()
  const { pathname, search } = useLocation()
  if (user) return <Shell />
  const next = `${pathname}${search}`
  return <Navigate to={next === '/' ? '/signin' : `/signin?next=${encodeURIComponent(next)}`} replace />
}

export const router = createBrowserRouter([
  { path: '/signin', lazy: async () => ({ Component: (await import('@/pages/signin/page')).default }), HydrateFallback: () => null },
  {
    element: <SignedIn />,
    children: [
      { path: '/', element: page(() => import('@/pages/overview/page')) },
      { path: '/data/imports', element: page(() => import('@/pages/imports/list/page')) },
      { path: '/data/imports/new', element: page(() => import('@/pages/imports/new/page')) },
      { path: '/data/imports/:id', element: page(() => import('@/pages/imports/one/page')) },
      { path: '/people/layerings', element: page(() => import('@/pages/layerings/list/page')) },
      { path: '/people/layerings/:id', element: page(() => import('@/pages/layerings/one/page')) },
      { path: '/people/layerings/:id/compare/:other', element: page(() => import('@/pages/layerings/compare/page')) },
      { path: '/people/segments', element: page(() => import('@/pages/segments/list/page')) },
      { path: '/people/segments/:key', element: page(() => import('@/pages/segments/one/page')) },
      { path: '/people', element: page(() => import('@/pages/people/list/page')) },
      { path: '/people/:id', element: page(() => import('@/pages/people/one/page')) },
      { path: '/analysis/clv', element: page(() => import('@/pages/clv/page')) },
      { path: '/analysis/sql', element: page(() => import('@/pages/sql/page')) },
      { path: '/data/health', element: page(() => import('@/pages/health/page')) },
      { path: '/data/quarantine', element: page(() => import('@/pages/quarantine/page')) },
      { path: '/settings', element: page(() => import('@/pages/settings/page')) },
      { path: '/settings/:section', element: page(() => import('@/pages/settings/page')) },
      { path: '*', element: <NotFoundPage /> },
    ],
  },
])
