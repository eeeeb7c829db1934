import type { Bilingual, Layer, Layering, LayeringKind, RfmCell } from '../../src/api/types.ts'
import { DAYS, buyers, dayText, lastDay, shop, spent, type Customer } from './shop.ts'

const say = (zh: string, en: string): Bilingual => ({ 'zh-CN': zh, en })

interface Rule {
  key: string
  name: Bilingual
  rule: Bilingual
  next: Bilingual
  has: (recency: number, orders: number) => boolean
}

const rules: Rule[] = [
  { key: 'champions', name: say('明星客户', 'Champions'), rule: say('近 45 天买过，且买过 5 次以上', 'bought within 45 days, 5 times or more'), next: say('不必打折：给新茶优先品鉴，请他们带朋友来。', 'No discount: first taste of the new tea, and ask them to bring a friend.'), has: (r, n) => r <= 45 && n >= 5 },
  { key: 'loyal', name: say('忠诚客户', 'Loyal'), rule: say('近 120 天买过，且买过 3 次以上', 'bought within 120 days, 3 times or more'), next: say('到了平常的补货时间就提醒一次。', 'Remind them once when their usual time to restock comes.'), has: (r, n) => r <= 120 && n >= 3 },
  { key: 'new', name: say('新客户', 'New'), rule: say('近 60 天第一次购买', 'first bought within 60 days'), next: say('两周内促成第二单，先讲泡法。', 'Win the second order within two weeks; begin with how to brew.'), has: (r, n) => r <= 60 && n <= 2 },
  { key: 'at_risk', name: say('有流失风险', 'At risk'), rule: say('120 天以上没买，但买过 3 次以上', 'nothing for 120 days, though 3 orders or more'), next: say('先问原因，再给有期限的专属优惠，并留一组对照。', 'Ask why, then an offer with an end, with a control group.'), has: (r, n) => r > 120 && n >= 3 },
  { key: 'asleep', name: say('沉睡客户', 'Asleep'), rule: say('60 天以上没买，买得也少', 'nothing for 60 days and little before'), next: say('只在大促时触达，省下预算。', 'Reach them in big sales only; save the budget.'), has: (_, n) => n > 0 },
  { key: 'no_purchase', name: say('未购买', 'No purchase yet'), rule: say('已认识但没有购买', 'known, without a purchase'), next: say('用一件入门商品做首单权益。', 'One starter product as a first-order offer.'), has: () => true },
]

export function layerOf(person: Customer, until = DAYS): string {
  const orders = person.orders.filter((order) => order.day < until)
  const recency = until - (orders.at(-1)?.day ?? -9999)
  return rules.find((rule) => (orders.length === 0 ? rule.key === 'no_purchase' : rule.has(recency, orders.length)))?.key ?? 'no_purchase'
}

export const peopleOf = (key: string): Customer[] => shop.filter((person) => layerOf(person) === key).sort((a, b) => spent(b) - spent(a))

function layers(): Layer[] {
  const all = shop.reduce((sum, person) => sum + spent(person), 0)
  return rules.map((rule, at) => {
    const people = peopleOf(rule.key)
    const orders = people.reduce((sum, person) => sum + person.orders.length, 0)
    const revenue = people.reduce((sum, person) => sum + spent(person), 0)
    const mean = (value: (person: Customer) => number) => (people.length === 0 ? 0 : people.reduce((sum, person) => sum + value(person), 0) / people.length)
    return {
      key: rule.key,
      name: rule.name,
      rule: rule.rule,
      suggestion: rule.next,
      color_index: at,
      people: people.length,
      people_share: people.length / shop.length,
      orders,
      revenue,
      revenue_share: revenue / all,
      refunds: Math.round(revenue * 0.021),
      average: {
        recency_days: orders === 0 ? null : mean((person) => DAYS - (lastDay(person) ?? 0)),
        frequency: mean((person) => person.orders.length),
        monetary: mean(spent),
        order_value: orders === 0 ? null : revenue / orders,
        tenure_days: orders === 0 ? null : mean((person) => DAYS - (person.orders[0]?.day ?? 0)),
        usual_gap_days: orders === 0 ? null : 38,
        expected_value: null,
        active_days: mean((person) => person.orders.length * 2),
      },
    }
  })
}

function cells(): RfmCell[] {
  const fifth = (values: number[], value: number, highIsGood: boolean) => {
    const share = values.filter((one) => one < value).length / values.length
    const score = 1 + Math.min(4, Math.floor(share * 5))
    return highIsGood ? score : 6 - score
  }
  const recency = buyers.map((person) => DAYS - (lastDay(person) ?? 0))
  const counts = buyers.map((person) => person.orders.length)
  const money = buyers.map(spent)
  const found = new Map<string, RfmCell>()
  for (const person of buyers) {
    const r = fifth(recency, DAYS - (lastDay(person) ?? 0), false)
    const f = fifth(counts, person.orders.length, true)
    const m = fifth(money, spent(person), true)
    const cell = found.get(`${r}${f}${m}`) ?? { r, f, m, people: 0, revenue: 0 }
    found.set(`${r}${f}${m}`, { ...cell, people: cell.people + 1, revenue: cell.revenue + spent(person) })
  }
  return [...found.values()]
}

function flows() {
  const counts = new Map<string, number>()
  for (const person of shop) {
    const from = (person.orders[0]?.day ?? 0) >= DAYS - 30 ? 'not_known_yet' : layerOf(person, DAYS - 30)
    const way = `${from} ${layerOf(person)}`
    counts.set(way, (counts.get(way) ?? 0) + 1)
  }
  return [...counts].map(([way, people]) => ({ from: way.split(' ')[0] ?? '', to: way.split(' ')[1] ?? '', people }))
}

export const kinds: LayeringKind[] = [
  { kind: 'rfm', name: say('RFM 分层', 'RFM'), about: say('按最近一次购买、购买次数、消费金额打分。', 'Recency, frequency and money, scored 1 to 5.'), parameters: [{ name: 'method', type: 'choice', default: 'quantile', choices: ['quantile', 'fixed'], about: say('打分方法', 'How scores are made') }, { name: 'recency_cuts', type: 'numbers', default: [30, 90, 180, 365], choices: [], about: say('固定界线：天数', 'Fixed cuts in days') }] },
  { kind: 'pareto', name: say('帕累托分层', 'Pareto'), about: say('谁贡献了 80% 的收入。', 'Who makes 80% of revenue.'), parameters: [{ name: 'head', type: 'number', default: 0.8, choices: [], about: say('头部贡献的收入占比', 'Share of revenue the head makes') }] },
]

export function layering(id: number): Layering {
  const kind = id === 2 ? kinds[1] : kinds[0]
  const made = layers()
  const after = made.map((layer, at) => {
    const mean = [42_000, 21_500, 9800, 8200, 2100, 900][at] ?? 0
    return { key: layer.key, people: layer.people, mean, low: mean * 0.82, high: mean * 1.19 }
  })
  return {
    id,
    kind: kind?.kind ?? 'rfm',
    name: kind?.name ?? say('RFM', 'RFM'),
    as_of: dayText(DAYS - 1),
    as_of_note: say('', ''),
    computed_at: new Date().toISOString(),
    took_ms: 184,
    currency: 'CNY',
    parameters: {},
    people: shop.length,
    layers: made,
    cells: kind?.kind === 'rfm' ? cells() : null,
    matrix: null,
    quality: {
      score: 78,
      verdict: say('好：最好的一层在随后 90 天人均消费是平均的 4.6 倍。', 'Good: over the next 90 days the best layer spent 4.6 times the average.'),
      parts: { lift: 0.74, homogeneity: 0.81, stability: 0.9, balance: 0.68 },
      homogeneity: { r2: { value: 0.64, low: 0.61, high: 0.67 }, silhouette: { value: 0.21, low: 0.18, high: 0.24 } },
      heterogeneity: { value: 0.71, low: 0.64, high: 0.78, closest: ['asleep', 'at_risk'], features: [{ feature: 'recency', name: say('最近购买', 'recency'), eta2: 0.79 }, { feature: 'orders', name: say('订单数', 'orders'), eta2: 0.66 }] },
      lift: { outcome: 'revenue', calibration_end: dayText(DAYS - 91), until: dayText(DAYS - 1), horizon_days: 90, layers: after, spread: { value: 0.58, low: 0.49, high: 0.66 }, top_over_average: 4.6 },
      stability: { adjusted_rand: { value: 0.91, low: 0.86, high: 0.96 }, previous_as_of: dayText(DAYS - 31), month_to_month: 0.77 },
      balance: { largest_share: 0.34, smallest_people: 61, entropy: 0.83 },
      migration: { from_as_of: dayText(DAYS - 31), to_as_of: dayText(DAYS - 1), flows: flows(), moved_share: 0.22 },
      staleness_days: 0,
      warnings: [{ key: 'idle_layers', severity: 'info', text: say('最近 30 天没有人对“沉睡客户”做任何事。', 'Nobody has acted on “Asleep” in the last 30 days.') }],
    },
  }
}
