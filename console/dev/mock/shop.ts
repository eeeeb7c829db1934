/** A made-up tea shop: everyone's orders over fourteen months, the same at every start. */

export interface Customer {
  uid: number
  id: string
  name: string
  phone: string
  city: string
  orders: { id: string; day: number; amount: number; product: string; channel: string }[]
}

/** Day 0 is 2025-10-01 in Shanghai. */
export const FIRST = Date.UTC(2025, 8, 30, 16)
export const DAYS = 425
const DAY = 86_400_000

function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

const surnames = Array.from('王李张刘陈杨黄赵周吴徐孙马朱胡郭何高林罗')
const given = ['静怡', '雨桐', '子涵', '浩然', '佳宁', '明轩', '若曦', '思远', '晓梅', '建国', '欣妍', '志强']
const cities = ['上海', '杭州', '苏州', '北京', '广州', '成都', '武汉', '厦门']
const channels = ['天猫', '小程序', '门店', '抖音']
export const products = ['西湖龙井 100g', '武夷岩茶 大红袍', '福鼎白毫银针', '安溪铁观音 250g', '云南古树普洱 饼茶', '茉莉花茶 礼盒', '紫砂壶 朱泥', '随手泡 便携茶具']
const prices = [12800, 25800, 36800, 9900, 19800, 16800, 68000, 8800]

export function instantOf(day: number, hour = 12): string {
  return new Date(FIRST + day * DAY + hour * 3_600_000).toISOString()
}

export function dayText(day: number): string {
  return new Date(FIRST + day * DAY + 8 * 3_600_000).toISOString().slice(0, 10)
}

function makeShop(): Customer[] {
  const random = generator(20_261_122)
  const from = <T,>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
  let order = 0
  return Array.from({ length: 1200 }, (_, at) => {
    const start = Math.floor(random() ** 0.8 * DAYS)
    const gap = 12 + random() ** 2 * 140
    const stays = random()
    const orders: Customer['orders'] = []
    for (let day = start; day < DAYS; day += Math.max(1, Math.round(gap * (0.4 + random() * 1.2)))) {
      if (random() > 0.93) break
      const product = Math.floor(random() ** 1.4 * products.length)
      const quantity = random() < 0.7 ? 1 : 2
      order += 1
      orders.push({ id: `T${String(20_260_000 + order)}`, day, amount: (prices[product] ?? 9900) * quantity, product: products[product] ?? '', channel: from(channels) })
      if (random() > 0.55 + stays * 0.42) break
    }
    return {
      uid: at + 1,
      id: `M${String(100_000 + at * 7)}`,
      name: `${from(surnames)}${from(given)}`,
      phone: `13${String(100_000_000 + Math.floor(random() * 899_999_999))}`,
      city: from(cities),
      orders,
    }
  })
}

export const shop = makeShop()
export const buyers = shop.filter((person) => person.orders.length > 0)
export const spent = (person: Customer): number => person.orders.reduce((sum, order) => sum + order.amount, 0)
export const lastDay = (person: Customer): number | null => person.orders.at(-1)?.day ?? null
