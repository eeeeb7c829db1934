import type { Language } from '@/api/types'

const latin = '-apple-system, "Segoe UI", Inter, Roboto, "Noto Sans", "Helvetica Neue", Arial'
const chinese = '"PingFang SC", "Hiragino Sans GB", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans SC"'

/** The system's own fonts. A Chinese face sets “ ” and ’ as wide as a character, so in English the Latin one comes first. */
export const fonts: Record<Language, string> = {
  'zh-CN': `-apple-system, "Segoe UI", ${chinese}, system-ui, sans-serif`,
  en: `${latin}, ${chinese}, system-ui, sans-serif`,
}

export const MONO = 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", "Noto Sans Mono CJK SC", monospace'
