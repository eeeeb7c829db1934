import { MenuOutlined, SearchOutlined } from '@ant-design/icons'
import { Button, Drawer, Grid, Layout, Menu } from 'antd'
import { Suspense, lazy, useEffect, useMemo, useState } from 'react'
import { Link, Outlet, useLocation } from 'react-router'
import { useLanguage } from '@/i18n/language'
import { Splash } from '@/ui/splash'
import { AccountMenu, AppearanceMenu, LanguageMenu } from './menus'
import { navigation, placeOf } from './navigation'
import { PageBoundary } from './page-boundary'
import { useCan, useWorkspace } from './session'

const Palette = lazy(() => import('./palette').then((module) => ({ default: module.Palette })))

function Brand() {
  const { name } = useWorkspace()
  return (
    <Link to="/" className="brand">
      <img src="/favicon.svg" alt="" />
      <span>
        Tilth
        {name !== 'Tilth' && <small>{name}</small>}
      </span>
    </Link>
  )
}

function Navigation({ done }: { done?: () => void }) {
  const { t } = useLanguage()
  const can = useCan()
  const { pathname } = useLocation()
  const items = useMemo(
    () =>
      navigation
        .map((group) => ({
          type: 'group' as const,
          key: group.key,
          label: group.label ? t(group.label) : null,
          children: group.places.filter((place) => place.role === undefined || can(place.role)).map((place) => ({ key: place.path, icon: place.icon, label: <Link to={place.path}>{t(place.label)}</Link> })),
        }))
        .filter((group) => group.children.length > 0),
    [t, can],
  )
  return (
    <nav aria-label={t('nav.label')}>
      <Menu mode="inline" items={items} selectedKeys={[placeOf(pathname)]} style={{ borderInlineEnd: 0, padding: '0 8px 16px' }} onClick={() => done?.()} />
    </nav>
  )
}

/** Ctrl or ⌘ with K, from anywhere. */
function usePaletteKey(open: () => void) {
  useEffect(() => {
    function listen(event: KeyboardEvent) {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault()
        open()
      }
    }
    addEventListener('keydown', listen)
    return () => removeEventListener('keydown', listen)
  }, [open])
}

export function Shell() {
  const { t } = useLanguage()
  const { pathname } = useLocation()
  const wide = Grid.useBreakpoint().lg ?? true
  const [drawer, setDrawer] = useState(false)
  const [palette, setPalette] = useState(false)
  const openPalette = useMemo(() => () => setPalette(true), [])
  usePaletteKey(openPalette)

  return (
    <Layout className="shell" hasSider={wide}>
      <a className="skip" href="#content">
        {t('nav.skip')}
      </a>
      {wide && (
        <Layout.Sider width={220} className="sider">
          <Brand />
          <Navigation />
        </Layout.Sider>
      )}
      <Layout>
        <Layout.Header className="top">
          {!wide && <Button type="text" icon={<MenuOutlined />} aria-label={t('nav.open')} onClick={() => setDrawer(true)} />}
          <button type="button" className="finder" onClick={openPalette} aria-keyshortcuts="Control+K Meta+K">
            <SearchOutlined aria-hidden="true" />
            <span>{t('palette.open')}</span>
            <kbd>{navigator.userAgent.includes('Mac') ? '⌘ K' : 'Ctrl K'}</kbd>
          </button>
          <span className="grow" />
          <LanguageMenu />
          <AppearanceMenu />
          <AccountMenu />
        </Layout.Header>
        <main id="content" className="body" tabIndex={-1} style={{ outline: 'none' }}>
          <PageBoundary key={pathname}>
            <Suspense fallback={<Splash />}>
              <Outlet />
            </Suspense>
          </PageBoundary>
        </main>
      </Layout>
      <Drawer open={drawer && !wide} placement="left" size={264} onClose={() => setDrawer(false)} title={<Brand />} styles={{ body: { padding: '8px 0' } }}>
        <Navigation done={() => setDrawer(false)} />
      </Drawer>
      {palette && (
        <Suspense fallback={null}>
          <Palette close={() => setPalette(false)} />
        </Suspense>
      )}
    </Layout>
  )
}
