import { describe, expect, test } from 'vitest'
import { makeLastUseTable } from '../../../src/state/last-use.ts'
import { makeClock } from './clock.ts'

const LIMITS = { entriesMax: 3, keepSeconds: 3600 }

describe('the last use of a session', () => {
  test('is the latest touch, and unknown for a session that was never touched', () => {
    const clock = makeClock()
    const table = makeLastUseTable(LIMITS, clock.now)
    table.touch('s1')
    clock.advance(90)
    table.touch('s1')
    expect(table.lastUse('s1')).toBe(clock.now())
    expect(table.lastUse('s2')).toBeUndefined()
  })

  test('does not move back for clocks that differ a little', () => {
    const clock = makeClock()
    const table = makeLastUseTable(LIMITS, clock.now)
    table.touch('s1')
    const before = clock.now()
    clock.advance(-60)
    table.touch('s1')
    expect(table.lastUse('s1')).toBe(before)
  })

  test('follows a clock that is set right: a use that lies ahead would never be idle', () => {
    const clock = makeClock()
    const table = makeLastUseTable(LIMITS, clock.now)
    clock.advance(86_400)
    table.touch('s1')
    clock.advance(-86_400)
    table.touch('s1')
    expect(table.lastUse('s1')).toBe(clock.now())
  })

  test('is not forgotten by a clock that leaps ahead: it would be alive again when that is set right', () => {
    const [wall, steady] = [makeClock(), makeClock()]
    const table = makeLastUseTable(LIMITS, wall.now, steady.now)
    table.touch('s1')
    wall.advance(86_400)
    expect(table.snapshot()).toHaveLength(1)
    steady.advance(86_400)
    expect(table.snapshot()).toEqual([])
  })

  test('is counted for every session since a time, that second included', () => {
    const clock = makeClock()
    const table = makeLastUseTable({ ...LIMITS, entriesMax: 10 }, clock.now)
    for (const id of ['s1', 's2', 's3']) table.touch(id)
    clock.advance(600)
    table.touch('s2')
    expect(table.usedSince(clock.now() - 600)).toBe(3)
    expect(table.usedSince(clock.now() - 599)).toBe(1)
    expect(table.usedSince(clock.now() + 1)).toBe(0)
  })

  test('is written down once a minute at most', () => {
    const clock = makeClock(1_795_000_020)
    const table = makeLastUseTable(LIMITS, clock.now)
    table.touch('s1')
    expect(table.takeChanged()).toHaveLength(1)
    clock.advance(30)
    table.touch('s1')
    expect(table.takeChanged()).toEqual([])
    clock.advance(30)
    table.touch('s1')
    expect(table.takeChanged()).toEqual([{ kind: 'last-use', id: 's1', atSeconds: clock.now() }])
    expect(table.takeChanged()).toEqual([])
  })

  test('is forgotten first for who is the nearest to idle', () => {
    const clock = makeClock()
    const table = makeLastUseTable(LIMITS, clock.now)
    for (const id of ['s1', 's2', 's3']) {
      table.touch(id)
      clock.advance(60)
    }
    table.touch('s1')
    table.touch('s4')
    expect(['s1', 's2', 's3', 's4'].map((id) => table.lastUse(id) !== undefined)).toEqual([
      true,
      false,
      true,
      true,
    ])
  })

  test('is kept for as long as a session can live, and not beyond', () => {
    const clock = makeClock()
    const table = makeLastUseTable(LIMITS, clock.now)
    table.touch('s1')
    clock.advance(3600)
    table.touch('s2')
    expect(table.snapshot()).toHaveLength(2)
    clock.advance(61)
    expect(table.snapshot()).toHaveLength(1)
  })
})
