import { describe, expect, it } from 'vitest'
import { Problem, attachmentName, queryString } from '@/api/client'
import type { ImportOptions, LayeringParameter } from '@/api/types'
import { readableOn } from '@/chart/heat'
import { toCsv } from '@/format/csv'
import { answered, withRole } from '@/pages/imports/one/mapping'
import { movedOf } from '@/pages/layerings/moved'
import { squareOf } from '@/pages/layerings/one/square'
import { parameterIsWrong, readParameter } from '@/pages/layerings/parameters'
import { monthIsPartial } from '@/pages/overview/partial'
import { colors } from '@/theme/colors'
import { pythonLiteral, shellQuoted } from '@/ui/code-text'
import { numberOf, oneOf } from '@/url/use-url-state'

describe('a CSV that the console saves', () => {
  it('cannot run as a formula, and keeps numbers as numbers', () => {
    expect(toCsv(['name', 'n'], [['=HYPERLINK("x")', -5], ['+1', 2], ['普洱, 饼', null]])).toBe('\uFEFFname,n\r\n"\'=HYPERLINK(""x"")",-5\r\n\'+1,2\r\n"普洱, 饼",\r\n')
  })
})

describe('a question as code', () => {
  it('is the same question in Python', () => {
    expect(pythonLiteral({ kind: 'rfm', cuts: [30, 90], net: false, as_of: null })).toBe('{\n    "kind": "rfm",\n    "cuts": [30, 90],\n    "net": False,\n    "as_of": None,\n}')
  })
  it('cannot break out of its quotes in a shell', () => {
    expect(shellQuoted("SELECT 'a'")).toBe(`'SELECT '\\''a'\\'''`)
  })
})

describe('addresses', () => {
  it('carry only what is set', () => {
    expect(queryString({ q: '', layer: '1:at risk', limit: 100, cursor: null, on: false })).toBe('?layer=1%3Aat+risk&limit=100&on=false')
    expect(queryString(undefined)).toBe('')
  })
  it('never give a page a value it does not know', () => {
    expect(oneOf('quality', ['layers', 'quality'])).toBe('quality')
    expect(oneOf('<script>', ['layers', 'quality'])).toBe('layers')
    expect([numberOf('12'), numberOf(' '), numberOf('twelve')]).toEqual([12, undefined, undefined])
  })
})

describe('the name of a download', () => {
  it('is the server’s, Chinese too', () => {
    expect(attachmentName("attachment; filename*=UTF-8''rfm-%E6%98%8E%E6%98%9F.csv", 'x.csv')).toBe('rfm-明星.csv')
    expect(attachmentName('attachment; filename="rfm.csv"', 'x.csv')).toBe('rfm.csv')
    expect(attachmentName(null, 'x.csv')).toBe('x.csv')
  })
})

describe('a problem', () => {
  it('keeps what the server said', () => {
    const problem = new Problem(400, { type: 'urn:tilth:error:invalid_input', detail: 'no such zone', field: 'timezone', id: 'a1' })
    expect([problem.status, problem.detail, problem.field, problem.id, problem.choices]).toEqual([400, 'no such zone', 'timezone', 'a1', []])
  })
  it('without a body is still one', () => {
    expect(new Problem(0, {}).type).toBe('urn:tilth:error:unreachable')
  })
})

describe('mapping columns to roles', () => {
  it('moves a role from one column to another', () => {
    expect(withRole({ time: 'a', amount: 'b' }, 'c', 'time')).toEqual({ amount: 'b', time: 'c' })
  })
  it('gives a column one role only, or none', () => {
    expect(withRole({ time: 'a', amount: 'b' }, 'a', 'amount')).toEqual({ amount: 'a' })
    expect(withRole({ time: 'a', amount: 'b' }, 'a', null)).toEqual({ amount: 'b' })
  })
  it('puts the answer to a question where its field says', () => {
    const choices = { map: {}, options: { timezone: 'UTC', date_order: null } as ImportOptions }
    expect(answered(choices, { field: 'options.date_order' }, 'dmy').options.date_order).toBe('dmy')
    expect(answered(choices, { field: 'map.time' }, '下单时间').map).toEqual({ time: '下单时间' })
  })
})

describe('the RFM square', () => {
  it('adds up the score that is not shown', () => {
    const cells = [
      { r: 5, f: 1, m: 1, people: 3, revenue: 30 },
      { r: 5, f: 1, m: 4, people: 4, revenue: 400 },
      { r: 1, f: 5, m: 5, people: 2, revenue: 900 },
    ]
    const square = squareOf(cells, 'r', 'f', 'people')
    expect(square[0]?.[4]).toBe(7)
    expect(square.flat().reduce((sum, n) => sum + n, 0)).toBe(9)
    expect(squareOf(cells, 'r', 'm', 'revenue')[3]?.[4]).toBe(400)
  })
})

describe('migration', () => {
  it('counts movers among those known on both days only', () => {
    const flows = [
      { from: 'a', to: 'a', people: 70 },
      { from: 'a', to: 'b', people: 30 },
      { from: 'not_known_yet', to: 'a', people: 500 },
    ]
    expect(movedOf(flows)).toEqual({ known: 100, moved: 30 })
  })
})

describe('the parameters of a layering', () => {
  const parameter = (type: string): LayeringParameter => ({ name: 'x', type, default: null, choices: [], about: { 'zh-CN': '', en: '' } })
  it('become what the server wants, and nothing means the default', () => {
    expect(readParameter(parameter('numbers'), '30, 90，180')).toEqual([30, 90, 180])
    expect(readParameter(parameter('boolean'), 'true')).toBe(true)
    expect(readParameter(parameter('number'), ' ')).toBeUndefined()
  })
  it('are refused before they are sent', () => {
    expect(parameterIsWrong(parameter('integer'), 'many')).toBe(true)
    expect(parameterIsWrong(parameter('numbers'), '1,x')).toBe(true)
    expect(parameterIsWrong(parameter('numbers'), '')).toBe(false)
  })
})

describe('a month', () => {
  it('is partial when the data stop before it ends', () => {
    expect(monthIsPartial('2026-11', '2026-11-22T10:00:00Z')).toBe(true)
    expect(monthIsPartial('2026-11', '2026-11-30T10:00:00Z')).toBe(false)
    expect(monthIsPartial('2028-02', '2028-02-28T10:00:00Z')).toBe(true)
    expect(monthIsPartial('2026-11', null)).toBe(false)
  })
})

describe('colours', () => {
  function luminance(hex: string): number {
    const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
      const part = parseInt(hex.slice(at, at + 2), 16) / 255
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  function contrast(a: string, b: string): number {
    const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x)
    return ((high ?? 0) + 0.05) / ((low ?? 0) + 0.05)
  }
  it.each(['light', 'dark'] as const)('of text are readable on every ground in %s', (mode) => {
    const c = colors[mode]
    const pairs: [string, string][] = [
      ...[c.text, c.secondary, c.accentText].flatMap((ink): [string, string][] => [c.ground, c.surface, c.raised, c.accentSoft].map((ground) => [ink, ground])),
      [c.good, c.goodSoft],
      [c.bad, c.badSoft],
      [c.warning, c.warningSoft],
      [c.info, c.infoSoft],
      ['#ffffff', c.accent],
    ]
    expect(pairs.filter(([ink, ground]) => contrast(ink, ground) < 4.5)).toEqual([])
  })
  it('under a label get the ink that reads better', () => {
    for (const color of [...colors.light.series, ...colors.dark.series, ...colors.light.heat, ...colors.dark.heat]) expect(contrast(color, readableOn(color))).toBeGreaterThanOrEqual(4)
  })
})
