import { describe, expect, it } from 'vitest'
import { addressOf, questionAddress } from '@/analysis/address'
import { KINDS, QUESTIONS, labelOf, sentenceFields, sentenceOf } from '@/analysis/kinds'
import { fieldWords } from '@/analysis/words'
import { messages, type MessageKey } from '@/i18n/messages'
import { fill } from '@/i18n/translate'
import type { SavedQuestion } from '@/api/types'

const t = (key: MessageKey, parameters = {}) => fill('en', messages[key].en, parameters)
const asked = (address: string) => new URL(address, 'http://host').searchParams

describe('the address of a question', () => {
  it('is the same for equal questions and leaves out what is empty', () => {
    const question = { steps: ['view', 'pay'], window: null }
    expect(questionAddress('funnel', { ...question, filters: undefined, exclude: [], costs: {} })).toBe(questionAddress('funnel', question))
    expect(JSON.parse(asked(questionAddress('funnel', question)).get('q') ?? '')).toEqual(question)
  })
  it('carries what a saved question is, whatever its title', () => {
    const saved = { id: 7, kind: 'retention', title: '复购 & 留存 #1?', about: '', by: '', created_at: '', changed_at: '', question: { start: 'visit' } } satisfies SavedQuestion
    const parameters = asked(addressOf(saved))
    expect(addressOf(saved).startsWith('/analysis/retention?')).toBe(true)
    expect([parameters.get('saved'), parameters.get('title'), parameters.get('q')]).toEqual(['7', '复购 & 留存 #1?', '{"start":"visit"}'])
  })
})

describe('the sentence of a question', () => {
  it.each(KINDS)('has every part of %s once, in both languages', (kind) => {
    const fields = sentenceFields(kind).map((field) => field.name).sort()
    const { zh, en } = messages[sentenceOf(kind)]
    for (const text of [zh, en]) expect([...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort()).toEqual(fields)
  })
  it.each(KINDS)('names every parameter of %s', (kind) => {
    for (const field of [...sentenceFields(kind), ...QUESTIONS[kind].more]) expect(messages).toHaveProperty([labelOf(field)])
  })
  it('reads as what was asked', () => {
    const question = { steps: ['view', { event: 'pay', label: 'Paid' }], window: '7d', range: { from: '2026-06-01', to: '2026-06-30' }, segment: 'vip' }
    const words = Object.fromEntries(sentenceFields('funnel').map((field) => [field.name, fieldWords(field, question, t, (key) => `<${key}>`)]))
    expect([words.steps, words.segment]).toEqual(['view → Paid', '<vip>'])
    expect(words.range).toContain('2026-06-01')
    expect(words.window).toContain('7')
  })
})
