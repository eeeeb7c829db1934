import { describe, expect, it } from 'vitest'
import { createFormatter, minorToDecimal } from '@/format/formatter'

const zh = createFormatter({ language: 'zh-CN', timezone: 'Asia/Shanghai', currency: 'CNY', currencyDigits: 2 })
const en = createFormatter({ language: 'en', timezone: 'Europe/London', currency: 'GBP', currencyDigits: 2 })
const yen = createFormatter({ language: 'en', timezone: 'Asia/Tokyo', currency: 'JPY', currencyDigits: 0 })

describe('money', () => {
  it('is exact to the minor unit and shows its currency', () => {
    expect(en.money(891_140_790)).toBe('£8,911,407.90')
    expect(zh.money(5)).toBe('¥0.05')
    expect(zh.money({ amount: -1234, currency: 'GBP' })).toBe('-£12.34')
    expect(yen.money(1200)).toBe('JP¥1,200')
  })
  it('stays exact where a binary fraction would not', () => {
    expect(minorToDecimal(900_719_925_474_099, 2)).toBe('9007199254740.99')
    expect(minorToDecimal(7, 3)).toBe('0.007')
    expect(minorToDecimal(-5, 2)).toBe('-0.05')
    expect(minorToDecimal(42, 0)).toBe('42')
  })
  it('is compact in 万 and 亿 in Chinese', () => {
    expect(zh.moneyCompact(1_234_567_800)).toBe('¥1234.6万')
    expect(zh.moneyCompact(123_456_780_000)).toBe('¥12.3亿')
    expect(en.moneyCompact(891_140_790)).toMatch(/^£8\.9m$/i)
  })
  it('says nothing where there is nothing', () => {
    expect(zh.money(null)).toBe('—')
    expect(zh.money(Number.NaN)).toBe('—')
  })
})

describe('numbers', () => {
  it('carry a rate with its numerator and denominator', () => {
    expect(en.percent(2845 / 4338)).toBe('65.6%')
    expect(en.ratio(2845, 4338)).toBe('2,845 / 4,338')
  })
  it('are dashes when missing', () => {
    expect([zh.count(null), zh.percent(Number.NaN), zh.decimal(undefined), zh.fixed(Infinity, 2)]).toEqual(['—', '—', '—', '—'])
  })
  it('read bytes and durations as people do', () => {
    expect(en.bytes(0)).toBe('0 B')
    expect(en.bytes(7_548_702)).toBe('7.5 MB')
    expect(en.duration(3725)).toBe('1 h 2 min')
    expect(zh.duration(59.6)).toBe('1 分 0 秒')
    expect(en.duration(0.25)).toBe('0.25 s')
  })
})

describe('time', () => {
  it('is told in the workspace’s zone, whatever the browser’s', () => {
    expect(zh.instant('2026-11-21T18:30:00Z')).toBe('2026/11/22 02:30')
    expect(zh.dayOf('2026-11-21T18:30:00Z')).toBe('2026年11月22日')
    expect(en.dayOf('2026-11-21T18:30:00Z')).toBe('21 Nov 2026')
    expect(en.instantFull('2026-07-01T12:00:05Z')).toBe('01 Jul 2026, 13:00:05 Europe/London')
  })
  it('never shifts a calendar day', () => {
    const honolulu = createFormatter({ language: 'en', timezone: 'Pacific/Honolulu', currency: 'USD', currencyDigits: 2 })
    expect(honolulu.day('2026-11-22')).toBe('22 Nov 2026')
    expect(honolulu.month('2026-11')).toBe('Nov 2026')
  })
  it('says how long ago in words', () => {
    const now = Date.parse('2026-11-22T12:00:00Z')
    expect(en.ago('2026-11-22T10:00:00Z', now)).toBe('2 hours ago')
    expect(zh.ago('2026-11-19T12:00:00Z', now)).toBe('3天前')
    expect(en.ago(null, now)).toBe('—')
  })
})
