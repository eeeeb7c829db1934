import { App, ConfigProvider, theme as antdTheme, type ThemeConfig } from 'antd'
import enGB from 'antd/locale/en_GB'
import zhCN from 'antd/locale/zh_CN'
import dayjs from 'dayjs'
import 'dayjs/locale/en-gb'
import 'dayjs/locale/zh-cn'
import { createContext, use, useCallback, useEffect, useMemo, useState, type ReactNode } from 'react'
import type { Language } from '@/api/types'
import { useLanguage } from '@/i18n/language'
import { colors, type Colors, type Mode } from './colors'
import { MONO, fonts } from './fonts'

const REMEMBERED = 'tilth.appearance'

export type Appearance = 'auto' | Mode

interface AppearanceState {
  appearance: Appearance
  mode: Mode
  colors: Colors
  setAppearance: (appearance: Appearance) => void
}

const AppearanceContext = createContext<AppearanceState | null>(null)

export function useAppearance(): AppearanceState {
  const state = use(AppearanceContext)
  if (!state) throw new Error('useAppearance outside ThemeProvider')
  return state
}

function remembered(): Appearance {
  const stored = localStorage.getItem(REMEMBERED)
  return stored === 'light' || stored === 'dark' ? stored : 'auto'
}

function useSystemMode(): Mode {
  const [dark, setDark] = useState(() => matchMedia('(prefers-color-scheme: dark)').matches)
  useEffect(() => {
    const query = matchMedia('(prefers-color-scheme: dark)')
    const listen = (event: MediaQueryListEvent) => setDark(event.matches)
    query.addEventListener('change', listen)
    return () => query.removeEventListener('change', listen)
  }, [])
  return dark ? 'dark' : 'light'
}

function tokens(mode: Mode, language: Language): ThemeConfig {
  const c = colors[mode]
  return {
    algorithm: mode === 'dark' ? antdTheme.darkAlgorithm : antdTheme.defaultAlgorithm,
    token: {
      colorPrimary: c.accent,
      colorLink: c.accentText,
      colorLinkHover: c.accentText,
      colorBgLayout: c.ground,
      colorBgContainer: c.surface,
      colorBgElevated: c.raised,
      colorBorder: c.lineStrong,
      colorBorderSecondary: c.line,
      colorText: c.text,
      colorTextSecondary: c.secondary,
      colorTextTertiary: c.secondary,
      colorTextDescription: c.secondary,
      colorTextPlaceholder: c.secondary,
      colorTextHeading: c.text,
      colorError: mode === 'dark' ? '#f58b73' : '#b3361f',
      colorWarning: mode === 'dark' ? '#d59a35' : '#b06d00',
      colorInfo: mode === 'dark' ? '#5b95cf' : '#2f6ca8',
      colorPrimaryBg: c.accentSoft,
      colorPrimaryBgHover: c.accentSoft,
      colorSuccess: c.accent,
      colorSuccessBg: c.goodSoft,
      colorSuccessBorder: c.line,
      colorErrorBg: c.badSoft,
      colorErrorBorder: c.line,
      colorWarningBg: c.warningSoft,
      colorWarningBorder: c.line,
      colorInfoBg: c.infoSoft,
      colorInfoBorder: c.line,
      borderRadius: 8,
      fontFamily: fonts[language],
      fontFamilyCode: MONO,
      wireframe: false,
    },
    components: {
      Layout: { siderBg: c.surface, headerBg: c.surface, bodyBg: c.ground, headerHeight: 56, headerPadding: '0 16px' },
      Menu: {
        itemSelectedBg: c.accentSoft,
        itemSelectedColor: c.accentText,
        itemHeight: 34,
        itemMarginBlock: 2,
        itemBorderRadius: 6,
        groupTitleColor: c.secondary,
        groupTitleFontSize: 12,
        activeBarBorderWidth: 0,
        itemBg: 'transparent',
      },
      Table: { headerBg: 'transparent', headerColor: c.secondary, headerSplitColor: 'transparent', cellPaddingBlock: 10, cellPaddingInline: 12 },
      Progress: { defaultColor: c.accent },
      Tabs: { itemSelectedColor: c.accentText, itemHoverColor: c.accentText, itemActiveColor: c.accentText, inkBarColor: c.accentText },
      Pagination: { itemActiveColor: c.accentText, itemActiveColorHover: c.accentText },
      Button: { primaryShadow: 'none', defaultShadow: 'none', dangerShadow: 'none', dangerColor: mode === 'dark' ? '#200f0a' : '#ffffff' },
    },
  }
}

export function ThemeProvider({ children }: { children: ReactNode }) {
  const { language } = useLanguage()
  const [appearance, set] = useState<Appearance>(remembered)
  const system = useSystemMode()
  const mode = appearance === 'auto' ? system : appearance

  const setAppearance = useCallback((next: Appearance) => {
    localStorage.setItem(REMEMBERED, next)
    set(next)
  }, [])

  useEffect(() => {
    const root = document.documentElement
    root.dataset.mode = mode
    root.style.colorScheme = mode
    const c = colors[mode]
    for (const name of ['ground', 'surface', 'raised', 'line', 'lineStrong', 'text', 'secondary', 'accent', 'accentText', 'accentSoft', 'good', 'bad', 'warning', 'goodSoft', 'badSoft', 'warningSoft', 'info', 'infoSoft'] as const) {
      root.style.setProperty(`--${name}`, c[name])
    }
    c.series.forEach((color, index) => root.style.setProperty(`--series-${index}`, color))
  }, [mode])

  dayjs.locale(language === 'en' ? 'en-gb' : 'zh-cn')
  const config = useMemo(() => tokens(mode, language), [mode, language])
  const state = useMemo<AppearanceState>(() => ({ appearance, mode, colors: colors[mode], setAppearance }), [appearance, mode, setAppearance])

  return (
    <AppearanceContext value={state}>
      <ConfigProvider theme={config} locale={language === 'en' ? enGB : zhCN} button={{ autoInsertSpace: false }}>
        <App message={{ maxCount: 3 }}>{children}</App>
      </ConfigProvider>
    </AppearanceContext>
  )
}
