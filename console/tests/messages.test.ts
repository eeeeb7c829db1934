import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { messages } from '@/i18n/messages'
import { fill, pick } from '@/i18n/translate'

const all = Object.entries(messages)
const parameters = (text: string) => [...new Set([...text.matchAll(/\{(\w+)(?:#[^}]*)?\}/g)].map((match) => match[1]))].sort()

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return entry.name === 'areas' ? [] : sources(path)
    return /\.tsx?$/.test(entry.name) && !entry.name.endsWith('.d.ts') ? [readFileSync(path, 'utf8')] : []
  })
}

describe('messages', () => {
  it('are there in both languages', () => {
    expect(all.filter(([, message]) => message.zh.trim() === '' || message.en.trim() === '').map(([key]) => key)).toEqual([])
  })

  it('speak Chinese in Chinese and not in English', () => {
    const sameInBoth = new Set(['settings.version', 'layerings.score', 'comma', 'colon', 'stop', 'imports.running.bytes', 'clv.units', 'connectors.kind.shopify', 'connectors.kind.woocommerce'])
    const names = /^[\w\s/{}().+→:·×%-]*$/
    expect(all.filter(([key, message]) => !sameInBoth.has(key) && names.test(message.zh)).map(([key]) => key)).toEqual([])
    expect(all.filter(([, message]) => /[\u4e00-\u9fff]/.test(message.en)).map(([key]) => key)).toEqual([])
  })

  it('take the same parameters in both languages', () => {
    expect(all.filter(([, message]) => parameters(message.zh).join() !== parameters(message.en).join()).map(([key, message]) => [key, message])).toEqual([])
  })

  it('cover every key that the source asks for, and no more', () => {
    const text = sources(join(import.meta.dirname, '../src')).join('\n')
    const asked = new Set([...text.matchAll(/'((?:[a-z_]+\.)+[a-z0-9_.-]+)'/g)].map((match) => match[1] ?? ''))
    const built = [...text.matchAll(/`((?:[a-z_]+\.)+[a-z_.]*)\$\{[^}]+\}([a-z_.]*)`/g)].map((match) => new RegExp(`^${(match[1] ?? '').replaceAll('.', '\\.')}.+${(match[2] ?? '').replaceAll('.', '\\.')}$`))
    const unused = all.map(([key]) => key).filter((key) => !asked.has(key) && !built.some((pattern) => pattern.test(key)) && key.includes('.'))
    expect(unused).toEqual([])
    const called = [...text.matchAll(/\bt\('([^']+)'/g)].map((match) => match[1] ?? '')
    expect(called.filter((key) => !(key in messages))).toEqual([])
  })
})

describe('fill', () => {
  it('groups numbers by the language and leaves texts alone', () => {
    expect(fill('en', '{n} rows of {name}', { n: 1234567, name: '1234567' })).toBe('1,234,567 rows of 1234567')
  })
  it('chooses the singular only in a language that has one', () => {
    expect(fill('en', '{n} {n#row|rows}', { n: 1 })).toBe('1 row')
    expect(fill('en', '{n} {n#row|rows}', { n: 2 })).toBe('2 rows')
    expect(fill('en', '{n} {unit}{n#|s}', { n: 13, unit: 'week' })).toBe('13 weeks')
  })
  it('keeps a parameter that was not given, so that it is seen', () => {
    expect(fill('en', 'as of {day}')).toBe('as of {day}')
  })
})

describe('pick', () => {
  it('falls back to the other language rather than to nothing', () => {
    expect(pick('en', { 'zh-CN': '只有中文' })).toBe('只有中文')
    expect(pick('zh-CN', {})).toBe('')
    expect(pick('zh-CN', null)).toBe('')
  })
})
