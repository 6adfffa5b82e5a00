import { describe, expect, test } from 'vitest'
import type { StateRecord } from '../../../src/state/state-record.ts'
import { makeUsedMarkTable } from '../../../src/state/used-marks.ts'
import { makeClock } from './clock.ts'

describe('a thing that works once', () => {
  test('works for the first and for nobody after, a restart included', () => {
    const clock = makeClock()
    const written: StateRecord[] = []
    const table = makeUsedMarkTable(10, clock.now, clock.now, (record) => written.push(record))
    expect(table.burn('logout:1', 30)).toBe('first')
    expect(table.burn('logout:1', 30)).toBe('again')
    expect(table.burn('logout:2', 30)).toBe('first')
    const again = makeUsedMarkTable(10, clock.now, clock.now, () => undefined)
    for (const record of written) again.apply(record)
    expect(again.burn('logout:1', 30)).toBe('again')
    expect(again.burn('logout:3', 30)).toBe('first')
  })

  test('is not used up by a look', () => {
    const clock = makeClock()
    const table = makeUsedMarkTable(1, clock.now, clock.now, () => undefined)
    expect([table.look('a'), table.look('a'), table.snapshot()]).toEqual(['first', 'first', []])
    expect(table.burn('a', 30)).toBe('first')
    expect([table.look('a'), table.look('b')]).toEqual(['again', 'full'])
    clock.advance(31)
    expect(table.look('b')).toBe('first')
  })

  test('is refused by a full table, which keeps every mark until its end', () => {
    const clock = makeClock()
    const table = makeUsedMarkTable(2, clock.now, clock.now, () => undefined)
    table.burn('a', 30)
    table.burn('b', 60)
    expect(table.burn('c', 30)).toBe('full')
    expect(table.burn('a', 30)).toBe('again')
    clock.advance(31)
    expect(table.burn('c', 30)).toBe('first')
    expect(table.burn('b', 60)).toBe('again')
  })
})
