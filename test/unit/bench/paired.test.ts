// A benchmark claims nothing that its measurements do not carry.
import { describe, expect, it } from 'vitest'
import { COUNT_NEEDED, summarize, verdict } from '../../bench/paired.ts'

const budget = { value: 500, direction: 'at most' } as const
const times = (count: number, value: number) => summarize(Array.from({ length: count }, () => value))

describe('a verdict', () => {
  it('needs as many values as enclose the median with 95 %', () => {
    expect(2 * 0.5 ** COUNT_NEEDED).toBeLessThanOrEqual(0.05)
    expect(2 * 0.5 ** (COUNT_NEEDED - 1)).toBeGreaterThan(0.05)
  })

  it.each([
    [1, 100, 'undecided'],
    [COUNT_NEEDED - 1, 900, 'undecided'],
    [COUNT_NEEDED, 100, 'kept'],
    [COUNT_NEEDED, 900, 'MISSED'],
  ])('of %d values of %d ms is %s', (count, value, expected) => {
    expect(verdict(times(count, value), budget)).toBe(expected)
  })

  it('of what is measured once needs one', () => {
    expect(verdict(times(1, 900), { ...budget, countNeeded: 1 })).toBe('MISSED')
  })
})
