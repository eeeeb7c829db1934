import type { Names } from '@/analysis/question'
import type { Tile } from '@/api/types'
import type { Translate } from '@/i18n/language'

const first = (names: Names, wanted: string[]) => wanted.find((name) => names.events.includes(name))

/** Acquisition, activation, retention, referral and revenue, of the events there are; what has no event is left out. */
export function aarrr(names: Names, t: Translate): Tile[] {
  const start = first(names, ['visit', 'page_view', '$pageview', 'view', 'product_viewed']) ?? '*'
  const joined = first(names, ['sign_up', 'signed_up', 'register', 'sign_in'])
  const bought = first(names, ['purchase', 'order_completed', 'pay', 'payment_done'])
  const shared = first(names, ['invite', 'share', 'referral_sent'])
  const heading = (title: string): Tile => ({ kind: 'text', title, text: '', question: null, width: 12, height: 1 })
  const tile = (kind: string, title: string, question: Record<string, unknown>, width = 6): Tile => ({ kind, title, text: '', question, width, height: 3 })
  return [
    heading(t('boards.aarrr.acquisition')),
    tile('lifecycle', t('boards.aarrr.lifecycle'), { interval: 'week' }),
    ...(joined === undefined ? [] : [tile('trends', t('boards.aarrr.joined'), { series: [{ event: joined, metric: 'people' }], interval: 'week' })]),
    heading(t('boards.aarrr.activation')),
    ...(bought === undefined || start === '*' ? [] : [tile('funnel', t('boards.aarrr.funnel'), { steps: [start, bought], window: '14d' })]),
    tile('sessions', t('boards.aarrr.sessions'), { interval: 'week' }),
    heading(t('boards.aarrr.retention')),
    tile('retention', t('boards.aarrr.returning'), { start: '*', interval: 'week', periods: 8 }),
    tile('stickiness', t('boards.aarrr.sticky'), { interval: 'week' }),
    ...(shared === undefined ? [] : [heading(t('boards.aarrr.referral')), tile('trends', t('boards.aarrr.shared'), { series: [{ event: shared, metric: 'people' }], interval: 'week' }, 12)]),
    ...(bought === undefined
      ? []
      : [
          heading(t('boards.aarrr.revenue')),
          tile('trends', t('boards.aarrr.money'), { series: [{ event: bought, metric: 'sum', property: 'amount' }], interval: 'week' }),
          tile('trends', t('boards.aarrr.buyers'), { series: [{ event: bought, metric: 'people' }], interval: 'week' }),
        ]),
  ]
}
