// A date is a whole day in UTC, an instant is exact, and nothing else is either.
import { describe, expect, it } from 'vitest'
import { daysLeft, endMs, parseMoment, withinMs } from '../../../src/policy-file/calendar.ts'
import { parseDurationSeconds } from '../../../src/policy-file/duration.ts'

describe('a date', () => {
  it('is valid to its last millisecond', () => {
    const day = parseMoment('2027-01-31')!
    expect(endMs(day)).toBe(Date.UTC(2027, 1, 1))
    expect(withinMs(day)).toBe(Date.UTC(2027, 0, 31, 12))
  })

  it('knows leap days', () => {
    expect(endMs(parseMoment('2028-02-29')!)).toBe(Date.UTC(2028, 2, 1))
    expect(parseMoment('2027-02-29')).toBeUndefined()
    expect(parseMoment('2100-02-29')).toBeUndefined()
  })

  it.each([
    '2027-1-31',
    '2027-13-01',
    '2027-00-10',
    '2027-04-31',
    '27-01-31',
    '2027-01-31 ',
    '1969-12-31',
    'tomorrow',
    '',
  ])('is not %j', (text) => {
    expect(parseMoment(text)).toBeUndefined()
  })
})

describe('an instant', () => {
  it.each([
    ['2027-01-31T12:00:00Z', Date.UTC(2027, 0, 31, 12)],
    ['2027-01-31t12:00:00z', Date.UTC(2027, 0, 31, 12)],
    ['2027-01-31T12:00:00.25Z', Date.UTC(2027, 0, 31, 12, 0, 0, 250)],
    ['2027-01-31T12:00:00+05:30', Date.UTC(2027, 0, 31, 6, 30)],
    ['2027-01-31T23:00:00-02:00', Date.UTC(2027, 1, 1, 1)],
  ])('%s is exact', (text, atMs) => {
    expect(endMs(parseMoment(text)!)).toBe(atMs)
    expect(withinMs(parseMoment(text)!)).toBe(atMs)
  })

  it.each([
    '2027-01-31T12:00:00',
    '2027-01-31T12:00Z',
    '2027-01-31T24:00:00Z',
    '2027-01-31T12:60:00Z',
    '2027-01-31T12:00:60Z',
    '2027-01-31T12:00:00+24:00',
    '2027-02-30T12:00:00Z',
  ])('is not %j', (text) => {
    expect(parseMoment(text)).toBeUndefined()
  })
})

describe('days left', () => {
  it('are whole days, negative when it is over', () => {
    const end = Date.UTC(2027, 1, 1)
    expect(daysLeft(end, end - 86_400_000)).toBe(1)
    expect(daysLeft(end, end - 86_399_999)).toBe(0)
    expect(daysLeft(end, end + 1)).toBe(-1)
  })
})

describe('a duration', () => {
  it.each([
    ['90s', 90],
    ['5m', 300],
    ['8h', 28_800],
    ['1h30m', 5400],
    ['7d', 604_800],
    ['1d2h3m4s', 93_784],
  ])('%s', (text, seconds) => {
    expect(parseDurationSeconds(text)).toBe(seconds)
  })

  it.each(['', '0m', '30', 'm', '1.5h', '-5m', '5 m', '5m1h', '1w', '9999999s'])('is not %j', (text) => {
    expect(parseDurationSeconds(text)).toBeUndefined()
  })
})
