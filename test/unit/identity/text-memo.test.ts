import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { makeTextMemo } from '../../../src/identity/text-memo.ts'

const make = (text: string): string => `<${text}>`

describe('a memory of texts', () => {
  it('answers what the function answers, whatever was asked before and however texts share their keys', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', ';', '='), maxLength: 8 })
    fc.assert(
      fc.property(fc.array(text, { maxLength: 60 }), fc.nat(3), (texts, keyLength) => {
        const memo = makeTextMemo(make, 2_000, (one) => one.slice(0, keyLength))
        for (const one of texts) expect(memo(one)).toBe(make(one))
      }),
    )
  })

  it('remembers a text that comes again, and asks anew after it was forgotten', () => {
    let asked = 0
    const counting = (text: string): string => {
      asked += 1
      return make(text)
    }
    const memo = makeTextMemo(counting, 10_000, (text) => text)
    for (let times = 0; times < 5; times += 1) memo('one')
    expect(asked).toBe(2)
    for (let index = 0; index < 1_000; index += 1) for (const _ of [1, 2]) memo(`other ${index}`)
    asked = 0
    memo('one')
    expect(asked).toBe(1)
  })

  it('is not filled by texts that come once, nor emptied of those that come again', () => {
    let asked = 0
    const memo = makeTextMemo(
      (text) => {
        asked += 1
        return text
      },
      10_000,
      (text) => text,
    )
    for (let times = 0; times < 3; times += 1) memo('of a browser')
    asked = 0
    for (let index = 0; index < 10_000; index += 1) memo(`made up ${index}`)
    memo('of a browser')
    // Some of those that were made up may share a slot with one before; next to none is kept.
    expect(asked).toBe(10_000)
  })

  it('never keeps more than its bytes', () => {
    let made = 0
    const memo = makeTextMemo(
      (text) => {
        made += 1
        return text
      },
      100_000,
      (text) => text,
    )
    const texts = Array.from({ length: 1_000 }, (_, index) => `${index}:${'x'.repeat(1_000)}`)
    for (const text of texts) for (const _ of [1, 2]) memo(text)
    const before = made
    for (const text of texts.toReversed()) memo(text)
    // Of a thousand texts of two kilobytes each, not more than fifty can have been remembered.
    expect(made - before).toBeGreaterThanOrEqual(950)
  })

  it('leaves alone what would take most of the room', () => {
    const memo = makeTextMemo(make, 4_000, (text) => text)
    const long = 'x'.repeat(2_000)
    expect([memo(long), memo('short'), memo(long)]).toEqual([make(long), make('short'), make(long)])
  })
})
