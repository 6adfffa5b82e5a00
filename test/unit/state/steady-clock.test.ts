import { describe, expect, test } from 'vitest'
import { makeRevocationTable } from '../../../src/state/revocations.ts'
import { makeSteadySeconds } from '../../../src/state/steady-clock.ts'
import { makeClock } from './clock.ts'

const DAY = 86_400

describe('a clock that leaps', () => {
  test('is followed back, and ahead only as fast as time goes by', () => {
    const [wall, monotonic] = [makeClock(), makeClock(0)]
    const start = wall.now()
    const steady = makeSteadySeconds(wall.now, monotonic.now)
    wall.advance(DAY)
    expect(steady()).toBe(start + 60)
    monotonic.advance(3_600)
    expect(steady()).toBe(start + 3_660)
    wall.advance(-2 * DAY)
    expect(steady()).toBe(start - DAY)
  })

  test('brings no revoked session back, when it is set right again', () => {
    const [wall, monotonic] = [makeClock(), makeClock(0)]
    const steady = makeSteadySeconds(wall.now, monotonic.now)
    const table = makeRevocationTable(
      { entriesMax: 10, keepSeconds: DAY / 2, keepBearerSeconds: DAY },
      wall.now,
      steady,
    )
    table.revokeCredential('s1', { source: 'corp', subject: 'alice' })
    const session = {
      id: 's1',
      source: 'corp',
      subject: 'alice',
      providerSession: undefined,
      number: table.number(),
      issuedAtSeconds: undefined,
    }
    wall.advance(3 * DAY)
    expect(table.snapshot().map(({ kind }) => kind)).toContain('credential')
    wall.advance(-3 * DAY)
    expect(table.check(session)).toBe('revoked')
    // Half a day later by every clock the session is over by itself.
    wall.advance(DAY)
    monotonic.advance(DAY)
    expect(table.snapshot().map(({ kind }) => kind)).not.toContain('credential')
  })
})
