import type { Import, LayerPerson, Overview, PersonRow, Session } from '../../src/api/types.ts'
import { kinds, layerOf, layering, peopleOf } from './layers.ts'
import { DAYS, buyers, dayText, instantOf, lastDay, shop, spent, type Customer } from './shop.ts'

export interface Answer {
  status: number
  body?: unknown
  headers?: Record<string, string>
}

const ok = (body: unknown): Answer => ({ status: 200, body })
const missing = (detail: string): Answer => ({ status: 404, body: { type: 'urn:tilth:error:not_found', title: 'Not found', status: 404, detail, id: 'mock-404' } })
const money = (amount: number) => ({ amount, currency: 'CNY', text: (amount / 100).toFixed(2) })

let session: Session = {
  user: { id: 1, name: '林晓', email: 'lin@example.com', role: 'admin', has_password: true },
  workspace: { name: '青禾茶铺', timezone: 'Asia/Shanghai', currency: 'CNY', currency_digits: 2, language: 'zh-CN', version: '0.1.0' },
}
const segments = [{ key: 'champions-nov', name: '十一月明星客户', kind: 'static', people: peopleOf('champions').length, version: 1, created_at: instantOf(DAYS - 3), by: '林晓', origin: { layering_id: 1, kind: 'rfm', layer: 'champions', layer_name: { 'zh-CN': '明星客户', en: 'Champions' }, as_of: dayText(DAYS - 4) } }]

function months(): Overview['months'] {
  const found = new Map<string, { revenue: number; orders: number; buyers: Set<number>; new_buyers: number }>()
  for (const person of buyers) {
    person.orders.forEach((order, at) => {
      const month = dayText(order.day).slice(0, 7)
      const row = found.get(month) ?? { revenue: 0, orders: 0, buyers: new Set<number>(), new_buyers: 0 }
      row.revenue += order.amount
      row.orders += 1
      row.buyers.add(person.uid)
      if (at === 0) row.new_buyers += 1
      found.set(month, row)
    })
  }
  return [...found].sort(([a], [b]) => a.localeCompare(b)).map(([month, row]) => ({ month, revenue: row.revenue, refunds: Math.round(row.revenue * 0.02), orders: row.orders, buyers: row.buyers.size, new_buyers: row.new_buyers }))
}

function overview(): Overview {
  const revenue = shop.reduce((sum, person) => sum + spent(person), 0)
  const orders = shop.reduce((sum, person) => sum + person.orders.length, 0)
  const made = layering(1)
  const change = { since: dayText(DAYS - 30), until: dayText(DAYS - 1), numerator: null, denominator: null, before_numerator: null, before_denominator: null }
  return {
    people: shop.length,
    buyers: buyers.length,
    orders,
    refund_orders: 31,
    revenue: money(revenue),
    refunds: money(Math.round(revenue * 0.021)),
    repeat: { repeaters: buyers.filter((person) => person.orders.length > 1).length, buyers: buyers.length },
    average_order: money(Math.round(revenue / orders)),
    first_ts: instantOf(0),
    last_ts: instantOf(DAYS - 1),
    freshness: { last_event: instantOf(DAYS - 1), last_import: instantOf(DAYS - 1, 14), tail_events: 3, as_of: 41_207, quarantined: 12 },
    months: months(),
    layer_mix: { layering_id: 1, kind: 'rfm', as_of: made.as_of, layers: made.layers },
    changes: [
      { key: 'revenue', title: { 'zh-CN': '销售额', en: 'Revenue' }, unit: 'money', now: 9_214_400, before: 8_377_100, ...change },
      { key: 'orders', title: { 'zh-CN': '订单数', en: 'Orders' }, unit: 'orders', now: 412, before: 398, ...change },
      { key: 'returning', title: { 'zh-CN': '老客占购买人数', en: 'Returning share of buyers' }, unit: 'share', now: 0.61, before: 0.66, ...change, numerator: 213, denominator: 349 },
    ],
    attention: [
      { key: 'quarantine', severity: 'warning', title: { 'zh-CN': '12 行在隔离区等待处理', en: '12 rows wait in quarantine' }, detail: { 'zh-CN': '它们没有计入任何数字。', en: 'No number includes them yet.' }, link: '/data/quarantine' },
      { key: 'at_risk', severity: 'warning', title: { 'zh-CN': '“有流失风险”贡献了 18% 的销售额', en: '“At risk” hold 18% of revenue' }, detail: { 'zh-CN': '先联系他们。', en: 'Reach them first.' }, link: '/people/layerings/1?layer=at_risk' },
    ],
  }
}

const listed = (person: Customer): PersonRow => ({
  uid: person.uid,
  distinct_ids: [{ kind: 'id', id: person.id }, { kind: 'phone', id: person.phone }],
  traits: { name: person.name, city: person.city },
  first_seen: instantOf(person.orders[0]?.day ?? 0),
  last_seen: instantOf(lastDay(person) ?? 0),
  orders: person.orders.length,
  revenue: spent(person),
  last_purchase: lastDay(person) === null ? null : instantOf(lastDay(person) ?? 0),
})
const inLayer = (person: Customer): LayerPerson => ({ uid: person.uid, distinct_ids: [{ kind: 'id', id: person.id }], name: person.name, recency_days: lastDay(person) === null ? null : DAYS - (lastDay(person) ?? 0), frequency: person.orders.length, monetary: spent(person), last_purchase: lastDay(person) === null ? null : instantOf(lastDay(person) ?? 0) })

function page<T>(rows: T[], query: URLSearchParams) {
  const from = Number(query.get('cursor') ?? 0)
  const size = Number(query.get('limit') ?? 50)
  return { people: rows.slice(from, from + size), total: rows.length, next: from + size < rows.length ? String(from + size) : null }
}

function people(query: URLSearchParams): Answer {
  const q = query.get('q')?.toLowerCase() ?? ''
  const least = Number(query.get('min_orders') ?? 0)
  const key = query.get('layer')?.split(':')[1]
  const rows = shop.filter((person) => person.orders.length >= least && (!key || layerOf(person) === key) && (q === '' || [person.id, person.phone, person.name].some((text) => text.toLowerCase().startsWith(q))))
  if (query.get('sort') === '-monetary') rows.sort((a, b) => spent(b) - spent(a))
  return ok(page(rows.map(listed), query))
}

function find(id: string): Customer | undefined {
  return shop.find((person) => id === `uid:${person.uid}` || id === person.id || id === person.phone)
}

function person(id: string, part: string | undefined): Answer {
  const one = find(id)
  if (!one) return missing(`nobody is known by ${id}`)
  const orders = [...one.orders].reverse()
  if (part === 'orders') return ok({ orders: orders.map((order) => ({ order_id: order.id, ts: instantOf(order.day), amount: money(order.amount), kind: 'purchase', channel: order.channel, store: null, items: [{ product: order.product, name: order.product, quantity: 1, price: (order.amount / 100).toFixed(2), amount: order.amount }] })), total: orders.length, next: null })
  if (part === 'timeline') return ok({ events: orders.map((order) => ({ ts: instantOf(order.day), event: 'purchase', source: 'orders.xlsx', properties: { order_id: order.id, amount: order.amount / 100, channel: order.channel } })), total: orders.length, next: null })
  const made = layering(1)
  const layer = made.layers.find((candidate) => candidate.key === layerOf(one))
  return ok({
    uid: one.uid,
    distinct_ids: [{ kind: 'id', id: one.id, source: 'orders.xlsx', since: instantOf(0) }, { kind: 'phone', id: one.phone, source: 'members.csv', since: instantOf(2) }],
    traits: [{ name: 'name', value: one.name, source: 'members.csv', at: instantOf(2), confidence: 1 }, { name: 'city', value: one.city, source: 'members.csv', at: instantOf(2), confidence: 0.9 }],
    portrait: {
      orders: orders.length,
      revenue: money(spent(one)),
      refunds: money(0),
      average_order: orders.length === 0 ? null : money(Math.round(spent(one) / orders.length)),
      first_purchase: orders.length === 0 ? null : instantOf(one.orders[0]?.day ?? 0),
      last_purchase: orders.length === 0 ? null : instantOf(lastDay(one) ?? 0),
      usual_gap_days: orders.length > 1 ? 34 : null,
      favourite_products: orders.slice(0, 3).map((order) => ({ product: order.product, name: order.product, quantity: 2, amount: order.amount })),
      channels: [{ channel: '天猫', orders: Math.ceil(orders.length / 2) }, { channel: '小程序', orders: Math.floor(orders.length / 2) }],
      active_days: orders.length * 3,
      completeness: { known: 5, of: 7 },
      summary: { 'zh-CN': `买过 ${orders.length} 次，喜欢在晚上下单。`, en: `Bought ${orders.length} times, mostly in the evening.` },
    },
    clv: { p_alive: 0.82, expected_90d: 2.1, value_90d: money(42_800) },
    layers: layer ? [{ layering_id: 1, kind: 'rfm', name: made.name, layer: layer.key, layer_name: layer.name, since: dayText(DAYS - 40), as_of: made.as_of }] : [],
  })
}

const rule = (key: string, then: string, zh: string, en: string, rows: number) => ({ key, on: true, then, description: { 'zh-CN': zh, en }, rows_in_sample: rows })
const column = (name: string, role: string | null, confidence: number, ...samples: string[]) => ({ column: name, samples, role, confidence, why: { 'zh-CN': role ? `列名“${name}”` : '', en: role ? `named ${name}` : '' } })
let started = 0
let upload: Import = {
  id: 'a1', kind: 'orders', status: 'preview', files: [{ name: '订单-2026年11月.xlsx', bytes: 4_812_330 }], created_at: new Date().toISOString(), started_at: null, finished_at: null, by: '林晓', progress: null, summary: null, error: null, dry_run: false,
  proposal: {
    kind: 'orders',
    format: { kind: 'xlsx', compression: '', encoding: '', delimiter: '', sheet: '订单', header: true },
    level: 'line',
    columns: [column('会员手机', 'phone', 0.97, '13812345678', '13900001111'), column('订单编号', 'order', 0.98, 'T20260001', 'T20260002'), column('下单时间', 'time', 0.99, '03/11/2026 20:11', '04/11/2026 09:02'), column('商品', 'product', 0.93, '西湖龙井 100g'), column('数量', 'quantity', 0.95, '1', '2'), column('实付金额', 'amount', 0.96, '128.00', '¥256.00'), column('渠道', 'channel', 0.9, '天猫'), column('备注', null, 0, '请尽快发货', '')],
    map: { phone: '会员手机', order: '订单编号', time: '下单时间', product: '商品', quantity: '数量', amount: '实付金额', channel: '渠道' },
    options: { timezone: 'Asia/Shanghai', currency: 'CNY', date_order: null, decimal: '.', encoding: null, delimiter: null, sheet: null, header: null, level: 'line', amount_per: 'row', cancel_prefix: '', id_kind: 'phone', statuses: {}, numeric: [], rules: [rule('no_customer', 'skip', '没有客户的行不计入', 'rows without a customer are left out', 18), rule('returns', 'refund', '数量或金额为负的行记为退款', 'negative quantities or amounts become refunds', 42)] },
    questions: [{ field: 'options.date_order', reason: { 'zh-CN': '“下单时间”里的日期（如 03/11/2026）可以有不同读法；请指明顺序', en: 'the dates of 下单时间 (such as 03/11/2026) can be read in more than one way; say which order is meant' }, choices: [{ value: 'dmy', label: { 'zh-CN': '日/月/年', en: 'day/month/year' } }, { value: 'mdy', label: { 'zh-CN': '月/日/年', en: 'month/day/year' } }] }],
    warnings: [],
    preview_rows: shop.slice(0, 12).map((one, at) => ({ line: at + 2, kind: at === 4 ? 'refund' : 'purchase', why: '', customer: one.phone, order: `T2026000${at}`, time: instantOf(DAYS - 20 + at), quantity: '1', price: '', amount: '128.00', product: '西湖龙井 100g', event: '' })),
    rows_sampled: 5000,
  },
}

function imports(method: string, id: string | undefined, action: string | undefined, body: Record<string, unknown>): Answer {
  if (id === undefined) return method === 'POST' ? { status: 201, body: (upload = { ...upload, status: 'preview', summary: null }) } : ok({ imports: [upload], next: null })
  if (action === 'preview' && upload.proposal) upload = { ...upload, proposal: { ...upload.proposal, map: body.map as Record<string, string>, options: body.options as NonNullable<Import['proposal']>['options'], questions: [] } }
  if (action === 'start') {
    started = Date.now()
    upload = { ...upload, status: 'running', dry_run: body.dry_run === true }
  }
  if (action === 'cancel') upload = { ...upload, status: 'cancelled', progress: null }
  if (upload.status === 'running') {
    const share = Math.min(1, (Date.now() - started) / 8000)
    upload = { ...upload, progress: { phase: share < 0.9 ? 'reading' : 'writing', rows_read: Math.round(share * 84_210), bytes_done: Math.round(share * 4_812_330), bytes_total: 4_812_330, rate: 10_526, seconds_left: (1 - share) * 8 } }
    const sum = (amount: string, minor: number) => ({ amount, currency: 'CNY', minor })
    if (share === 1) upload = { ...upload, status: 'done', progress: null, summary: { kind: 'orders', rows_read: 84_210, rows_accepted: 83_712, rows_duplicate: 310, rows_quarantined: 12, rows_skipped: 176, skipped: { no_customer: 176 }, quarantined: { bad_time: 9, bad_amount: 3 }, people: 6120, new_people: 831, buyers: 6011, orders: 31_877, refund_orders: 402, revenue: sum('4821077.40', 482_107_740), refunds: sum('61022.00', 6_102_200), events: 0, first: instantOf(DAYS - 30), last: instantOf(DAYS - 1), seconds: 8.1, dry_run: upload.dry_run } }
  }
  return ok(upload)
}

function health() {
  return {
    lake: { version: 88, files: 212, rows: 41_204, bytes: 18_400_000, partitions: 140, small_files: 31, first_ts: instantOf(0), last_ts: instantOf(DAYS - 1), sequence_cache_bytes: 9_100_000 },
    tail: { events: 3, oldest: instantOf(DAYS - 1) },
    intake: { rows: 3, last_seq: 41_207, flushed_seq: 41_204 },
    imports: { running: 0, done: 6, failed: 0, interrupted: 0 },
    quarantine: { open: 12, replayed: 4, dismissed: 1 },
    flush: { last_at: new Date().toISOString(), last_error: null },
    compaction: { last_at: instantOf(DAYS - 2), needed: false, running: false, last_error: null },
    events: [{ event: 'view', rows: 22_120, people: 1180, last_ts: instantOf(DAYS - 1) }, { event: 'purchase', rows: 3402, people: buyers.length, last_ts: instantOf(DAYS - 1) }],
    database: { kind: 'sqlite', bytes: 12_300_000 },
    disk: { free: 82_000_000_000, total: 250_000_000_000 },
  }
}

const quarantine = Array.from({ length: 12 }, (_, at) => ({ id: at + 1, import_id: 'a1', file: '订单-2026年11月.xlsx', line: 120 + at * 37, column: at % 4 === 0 ? '实付金额' : '下单时间', reason: at % 4 === 0 ? 'bad_amount' : 'bad_time', detail: at % 4 === 0 ? '一百二' : '11月底', raw: '13812345678,T20260077,11月底,西湖龙井 100g,1,一百二,天猫', state: 'open', at: instantOf(DAYS - 1) }))

function clv() {
  return {
    model: 'bgnbd', time_unit: 'week', parameters: { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 }, standard_errors: { r: 0.013, alpha: 0.38, a: 0.19, b: 0.71 }, log_likelihood: -9582.4, converged: true, people: buyers.length, repeat_people: 640, forecast_people: buyers.length, currency: 'CNY', calibration: { from: dayText(0), to: dayText(300) },
    gamma_gamma: { p: 6.25, q: 3.74, v: 15.44, people: 640, correlation: 0.06, mean: 35.2, log_likelihood: -4055.9, converged: true, standard_errors: { p: 1.2, q: 0.29, v: 4.3 } },
    horizon: 13, level: 0.95, expected_purchases: 812.4, expected_value: money(18_220_000),
    holdout: { from: dayText(301), to: dayText(DAYS - 1), periods: 18, mae: 0.71, naive_mae: 0.93, actual_total: 990, expected_total: 948.2, naive_total: 1320, covered: 0.97, level: 0.95, newcomers: 88, calibration: [0, 1, 2, 3, 4, 5, 6, '7+'].map((frequency, at) => ({ frequency, people: 400 - at * 45, actual: 0.2 + at * 0.42, expected: 0.24 + at * 0.4 })) },
    top: [...buyers].sort((a, b) => spent(b) - spent(a)).slice(0, 40).map((one) => ({ uid: one.uid, distinct_ids: [{ kind: 'id', id: one.id }], p_alive: 0.88, expected_purchases: 4.2, low: 1, high: 9, expected_value: money(Math.round(spent(one) / 4)), value_low: money(2000), value_high: money(Math.round(spent(one) / 2)) })),
    warnings: [], as_of: dayText(DAYS - 1), took_ms: 61,
  }
}

function settings(method: string, path: string): Answer | null {
  if (path === '/settings') return ok({ ...session.workspace, currency_fixed: true })
  if (path === '/users') return method === 'POST' ? { status: 201, body: { user: { id: 3, name: '新成员', email: 'new@example.com', role: 'viewer', has_password: false, created_at: new Date().toISOString() }, link: '/signin?token=mock' } } : ok({ users: [{ id: 1, name: '林晓', email: 'lin@example.com', role: 'admin', has_password: true, created_at: instantOf(0) }, { id: 2, name: '周一鸣', email: 'zhou@example.com', role: 'operator', has_password: true, created_at: instantOf(40) }] })
  const token = { id: 1, name: '数据大屏', role: 'viewer', hint: '9fK2', created_by: '林晓', created_at: instantOf(90), last_used_at: instantOf(DAYS - 1) }
  if (path === '/tokens') return method === 'POST' ? { status: 201, body: { ...token, token: 'tilth_pat_mock' } } : ok({ tokens: [token] })
  if (path === '/sources') return ok({ sources: [{ id: 1, name: '小程序', write_key: 'tilth_wk_mockmockmockmock', created_at: instantOf(10), revoked_at: null }] })
  if (path === '/audit') return ok({ entries: [{ at: instantOf(DAYS - 1), who: '林晓', action: 'import.start', what: 'a1', detail: { files: 1 } }], next: null })
  return null
}

export function answer(method: string, path: string, query: URLSearchParams, body: Record<string, unknown>): Answer {
  const [, noun = '', id, part, key, last] = path.split('/').map(decodeURIComponent)
  if (path.startsWith('/session') || path === '/account') {
    if (method === 'DELETE') session = { ...session, user: null }
    if (method === 'POST') session = { ...session, user: { id: 1, name: '林晓', email: 'lin@example.com', role: 'admin', has_password: true } }
    return method === 'DELETE' ? { status: 204 } : ok(session)
  }
  if (part === 'export' || key === 'export' || last === 'export' || id === 'export') return { status: 200, body: '\uFEFFuid,name\r\n1,林晓\r\n', headers: { 'Content-Type': 'text/csv', 'Content-Disposition': 'attachment; filename="mock.csv"' } }
  if (path === '/overview') return ok(overview())
  if (noun === 'imports') return imports(method, id, part, body)
  if (path === '/quarantine') return ok({ rows: quarantine, reasons: [{ reason: 'bad_time', rows: 9 }, { reason: 'bad_amount', rows: 3 }], total: 12, next: null })
  if (path === '/quarantine/replay') return ok({ replayed: 9, accepted: 9, duplicate: 0, skipped: 0, still_quarantined: 3 })
  if (path === '/quarantine/dismiss') return ok({ dismissed: 12 })
  if (noun === 'layerings') {
    const saved = [1, 2].map((number) => ({ id: number, kind: kinds[number - 1]?.kind, as_of: dayText(DAYS - 1), computed_at: new Date().toISOString(), people: shop.length, parameters: {}, quality_score: 82 - number * 4 }))
    if (id === undefined) return method === 'POST' ? { status: 201, body: layering(1) } : ok({ kinds, saved })
    if (part === 'compare') return ok({ flows: layering(1).quality.migration?.flows ?? [], adjusted_rand: 0.41, mutual_information: 0.52, people_in_both: shop.length, a: saved[0], b: saved[1] })
    if (last === 'segment') return { status: 201, body: segments[0] }
    if (last === 'people') return ok(page(peopleOf(key ?? '').map(inLayer), query))
    return method === 'DELETE' ? { status: 204 } : ok(layering(Number(id)))
  }
  if (noun === 'segments') {
    if (id === undefined) return ok({ segments })
    if (part === 'people') return ok(page(peopleOf('champions').map(inLayer), query))
    return method === 'DELETE' ? { status: 204 } : ok(segments[0])
  }
  if (noun === 'people') {
    if (id === undefined) return people(query)
    return part === 'erase' ? ok({ uid: 1, events_removed: 12 }) : person(id, part)
  }
  if (path === '/query/clv') return ok(clv())
  if (path === '/sql') return ok({ columns: [{ name: 'month', type: 'VARCHAR' }, { name: 'revenue', type: 'DECIMAL(18,2)' }], rows: months().map((row) => [row.month, (row.revenue / 100).toFixed(2)]), truncated: false, took_ms: 12, as_of: 41_207 })
  if (path === '/sql/schema') return ok({ views: [{ name: 'orders', about: { 'zh-CN': '每个订单一行', en: 'One row an order' }, columns: [{ name: 'uid', type: 'BIGINT', about: { 'zh-CN': '用户编号', en: 'person number' } }, { name: 'amount', type: 'DECIMAL', about: { 'zh-CN': '金额', en: 'amount' } }] }], examples: [{ title: { 'zh-CN': '每月销售额', en: 'Revenue by month' }, sql: "SELECT strftime(day, '%Y-%m') AS month, sum(amount) AS revenue FROM orders GROUP BY month" }] })
  if (path === '/data/health') return ok(health())
  if (noun === 'data') return { status: 202, body: { accepted: true } }
  if (path === '/search') {
    const q = query.get('q') ?? ''
    return ok({ people: shop.filter((one) => one.name.startsWith(q) || one.id.startsWith(q) || one.phone.startsWith(q)).slice(0, 5).map((one) => ({ uid: one.uid, id: one.id, name: one.name })), segments: segments.filter((one) => one.name.includes(q)), layerings: [] })
  }
  return settings(method, path) ?? (method === 'GET' ? missing(path) : { status: 204 })
}
