import { CalendarOutlined } from '@ant-design/icons'
import { Button, Popover } from 'antd'
import { useMemo, type ReactNode } from 'react'
import { RangeEditor } from '@/analysis/editors/range-editor'
import { rangeWords } from '@/analysis/words'
import { useLanguage } from '@/i18n/language'
import { useUrlState } from '@/url/use-url-state'

interface Range {
  last?: string
  from?: string
  to?: string
}

/** The days a page is asked of, kept in its address, and the button that changes them. */
export function useRange(usual: string): { range: Range; button: ReactNode } {
  const { t } = useLanguage()
  const url = useUrlState()
  const [last, from, to] = [url.get('last'), url.get('from'), url.get('to')]
  const range = useMemo<Range>(() => (from !== '' && to !== '' ? { from, to } : { last: last === '' ? usual : last }), [last, from, to, usual])
  const set = (value: unknown) => {
    const next = (typeof value === 'object' && value !== null ? value : {}) as Range
    // A day alone is no range yet: both ends are needed here.
    url.set({ last: next.last ?? null, from: next.from ?? null, to: next.to ?? next.from ?? null })
  }
  return {
    range,
    button: (
      <Popover trigger="click" placement="bottomRight" content={<RangeEditor value={range} onChange={set} />}>
        <Button icon={<CalendarOutlined />}>{rangeWords(range, t)}</Button>
      </Popover>
    ),
  }
}
