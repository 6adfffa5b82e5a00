import { describe, expect, test } from 'vitest'
import { makeTicketTable } from '../../../src/state/tickets.ts'
import { makeClock } from './clock.ts'

describe('a ticket', () => {
  test('is had by the first who takes it, and by nobody after', () => {
    const table = makeTicketTable(1000, makeClock().now)
    expect(table.keep('a', 'text of a', 30)).toBe(true)
    expect(table.take('b')).toEqual({ kind: 'unknown' })
    expect(table.take('a')).toEqual({ kind: 'first', text: 'text of a' })
    expect(table.take('a')).toEqual({ kind: 'again', text: 'text of a' })
    expect(table.take('a')).toEqual({ kind: 'again', text: 'text of a' })
  })

  test('is over after its time by the clock of the state, taken or not', () => {
    const clock = makeClock()
    const table = makeTicketTable(1000, clock.now)
    table.keep('a', 'a', 30)
    table.keep('b', 'b', 30)
    expect(table.take('a').kind).toBe('first')
    clock.advance(29)
    expect(table.take('a').kind).toBe('again')
    clock.advance(1)
    expect([table.take('a').kind, table.take('b').kind]).toEqual(['unknown', 'unknown'])
  })

  test('does not live longer by a clock that was set back', () => {
    const clock = makeClock()
    const table = makeTicketTable(1000, clock.now)
    table.keep('a', 'a', 30)
    clock.advance(-3600)
    expect(table.take('a')).toEqual({ kind: 'unknown' })
  })

  test('is dropped for a younger one where the room is full: the table is bounded', () => {
    const table = makeTicketTable(10, makeClock().now)
    for (const id of ['a', 'b', 'c']) expect(table.keep(id, 'xxxx', 30)).toBe(true)
    expect(['a', 'b', 'c'].map((id) => table.take(id).kind)).toEqual(['unknown', 'first', 'first'])
    expect(table.keep('too large', 'x'.repeat(11), 30)).toBe(false)
    expect(table.take('too large')).toEqual({ kind: 'unknown' })
  })

  test('gives its room back when it is over', () => {
    const clock = makeClock()
    const table = makeTicketTable(8, clock.now)
    table.keep('a', 'xxxx', 30)
    table.keep('b', 'xxxx', 60)
    clock.advance(31)
    table.keep('c', 'xxxx', 30)
    expect(['a', 'b', 'c'].map((id) => table.take(id).kind)).toEqual(['unknown', 'first', 'first'])
  })
})
