import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { unnamedSessionOf, type Revocable } from '../../../src/state/revocation-entries.ts'
import { makeRevocationTable, type RevocationTable } from '../../../src/state/revocations.ts'
import type { StateRecord } from '../../../src/state/state-record.ts'
import { makeClock } from './clock.ts'

const HOUR = 3600
const LIMITS = { entriesMax: 10, keepSeconds: 12 * HOUR, keepBearerSeconds: 24 * HOUR }
const alice = { source: 'corp', subject: 'alice' }

const sessionOf = (table: RevocationTable, id: string, changes: Partial<Revocable> = {}): Revocable => ({
  id,
  ...alice,
  providerSession: undefined,
  number: table.number(),
  issuedAtSeconds: undefined,
  ...changes,
})

const bearerOf = (issuedAtSeconds: number | undefined, changes: Partial<Revocable> = {}): Revocable => ({
  id: undefined,
  ...alice,
  providerSession: undefined,
  number: undefined,
  issuedAtSeconds,
  ...changes,
})

describe('a revocation of one session', () => {
  test('ends it and leaves the other sessions of the same person', () => {
    const table = makeRevocationTable(LIMITS, makeClock().now)
    const [first, second] = [sessionOf(table, 's1'), sessionOf(table, 's2')]
    expect(table.check(first)).toBe('live')
    table.revokeCredential('s1', alice)
    expect(table.check(first)).toBe('revoked')
    expect(table.check(second)).toBe('live')
    expect(table.check(bearerOf(0))).toBe('live')
  })

  test('works by the id alone', () => {
    const table = makeRevocationTable(LIMITS, makeClock().now)
    table.revokeCredential('s1', undefined)
    expect(table.check(sessionOf(table, 's1'))).toBe('revoked')
    expect(table.check(sessionOf(table, 's2'))).toBe('live')
  })
})

describe('a revocation of a subject', () => {
  test('ends every session minted before it, none minted after, and nobody of the same name elsewhere', () => {
    const table = makeRevocationTable(LIMITS, makeClock().now)
    const before = [sessionOf(table, 's1'), sessionOf(table, 's2')]
    const namesake = sessionOf(table, 's3', { source: 'partner' })
    table.revokeSubject(alice)
    const after = sessionOf(table, 's4')
    expect(before.map(table.check)).toEqual(['revoked', 'revoked'])
    expect(table.check(after)).toBe('live')
    expect(table.check(namesake)).toBe('live')
  })

  test('does not confuse where the source ends and the subject begins', () => {
    const table = makeRevocationTable(LIMITS, makeClock().now)
    const neighbour = sessionOf(table, 's1', { source: 'corpa', subject: 'lice' })
    table.revokeSubject(alice)
    expect(table.check(neighbour)).toBe('live')
  })

  test('ends its bearer tokens issued up to a minute later, and one that does not say when', () => {
    const clock = makeClock()
    const table = makeRevocationTable(LIMITS, clock.now)
    table.revokeSubject(alice)
    expect(table.check(bearerOf(clock.now() - 999))).toBe('revoked')
    expect(table.check(bearerOf(clock.now() + 60))).toBe('revoked')
    expect(table.check(bearerOf(clock.now() + 61))).toBe('live')
    expect(table.check(bearerOf(undefined))).toBe('revoked')
    expect(table.check(bearerOf(clock.now(), { subject: 'bob' }))).toBe('live')
  })

  test('ends a session that was minted under a higher number than this state ever gave out', () => {
    const clock = makeClock()
    const table = makeRevocationTable(LIMITS, clock.now)
    const ahead = sessionOf(table, 's1', { number: table.number() + 500 })
    expect(table.check(ahead)).toBe('live')
    table.revokeSubject(alice)
    expect(table.check(ahead)).toBe('revoked')
  })
})

describe('a revocation by the provider', () => {
  test('ends the sessions of that provider session, and no later one', () => {
    const table = makeRevocationTable(LIMITS, makeClock().now)
    const one = sessionOf(table, 's1', { providerSession: 'sid-1' })
    const other = sessionOf(table, 's2', { providerSession: 'sid-2' })
    const elsewhere = sessionOf(table, 's3', { providerSession: 'sid-1', source: 'partner' })
    table.revokeProviderSession('corp', 'sid-1')
    expect([one, other, elsewhere].map(table.check)).toEqual(['revoked', 'live', 'live'])
    expect(table.check(sessionOf(table, 's4', { providerSession: 'sid-1' }))).toBe('live')
  })

  test('ends the sessions of a subject that know no provider session, and none that knows one', () => {
    const clock = makeClock()
    const table = makeRevocationTable(LIMITS, clock.now)
    const one = sessionOf(table, 's1')
    const named = sessionOf(table, 's2', { providerSession: 'sid-2' })
    const elses = sessionOf(table, 's3', { subject: 'bob' })
    const elsewhere = sessionOf(table, 's4', { source: 'partner' })
    table.revokeProviderSession('corp', unnamedSessionOf('alice'))
    expect([one, named, elses, elsewhere].map(table.check)).toEqual(['revoked', 'live', 'live', 'live'])
    expect(table.check(sessionOf(table, 's5'))).toBe('live')
    expect(table.check(bearerOf(clock.now()))).toBe('live')
  })
})

describe('a revocation of all', () => {
  test('ends everything before it and nothing after it', () => {
    const clock = makeClock()
    const table = makeRevocationTable(LIMITS, clock.now)
    const sessions = [sessionOf(table, 's1'), sessionOf(table, 's2', { subject: 'bob' })]
    table.revokeAll()
    expect(sessions.map(table.check)).toEqual(['revoked', 'revoked'])
    expect(table.check(bearerOf(clock.now()))).toBe('revoked')
    expect(table.check(bearerOf(clock.now() + 61))).toBe('live')
    expect(table.check(sessionOf(table, 's3'))).toBe('live')
  })
})

describe('the number', () => {
  test('rises with each wide revocation and never falls behind one of an earlier start', () => {
    const clock = makeClock()
    const first = makeRevocationTable(LIMITS, clock.now)
    const numbers = [first.number()]
    first.revokeSubject(alice)
    numbers.push(first.number())
    first.revokeAll()
    numbers.push(first.number())
    clock.advance(5)
    // Started again with nothing kept: a session from before must still be below the next revocation.
    const second = makeRevocationTable(LIMITS, clock.now)
    const old = sessionOf(first, 's1')
    second.revokeSubject(alice)
    expect(second.check(old)).toBe('revoked')
    numbers.push(second.number())
    expect(numbers).toEqual([...new Set(numbers)].sort((one, other) => one - other))
  })
})

describe('a full table', () => {
  test('folds its oldest entries into their subjects: more ends than was asked, never less', () => {
    const table = makeRevocationTable(LIMITS, makeClock().now)
    const sessions = Array.from({ length: 25 }, (_, index) =>
      sessionOf(table, `s${index}`, { subject: `user${index % 5}` }),
    )
    const bystander = sessionOf(table, 'x', { subject: 'user0' })
    const stranger = sessionOf(table, 'y', { subject: 'stranger' })
    for (const one of sessions) table.revokeCredential(one.id ?? '', one)
    expect(sessions.every((one) => table.check(one) === 'revoked')).toBe(true)
    expect(table.check(bystander)).toBe('revoked')
    expect(table.check(stranger)).toBe('live')
    expect(table.snapshot().filter((one) => one.kind === 'credential').length).toBeLessThanOrEqual(10)
  })

  test('leaves the bearer tokens of a folded session alone, and ends those of a folded token', () => {
    const clock = makeClock()
    const table = makeRevocationTable(LIMITS, clock.now)
    table.revokeCredential('s1', { source: 'corp', subject: 'person' })
    table.revokeCredential('ci|jti-1', { source: 'ci', subject: 'robot' })
    for (let index = 0; index < 10; index += 1) table.revokeCredential(`t${index}`, alice)
    expect(table.check(bearerOf(clock.now(), { subject: 'person' }))).toBe('live')
    expect(table.check(bearerOf(clock.now(), { source: 'ci', subject: 'robot' }))).toBe('revoked')
  })

  test('keeps the tokens ended that a revocation of the subject had ended, when a session is folded later', () => {
    const clock = makeClock()
    const table = makeRevocationTable(LIMITS, clock.now)
    table.revokeSubject(alice)
    for (let index = 0; index < 11; index += 1) table.revokeCredential(`s${index}`, alice)
    expect(table.snapshot().filter((one) => one.kind === 'credential')).toHaveLength(10)
    expect(table.check(bearerOf(clock.now()))).toBe('revoked')
    expect(table.check(bearerOf(clock.now() + 61))).toBe('live')
  })

  test('folds an entry once: what was minted after it lives through a restart and the next fold', () => {
    const clock = makeClock()
    const table = makeRevocationTable(LIMITS, clock.now)
    const userOf = (index: number): { source: string; subject: string } => ({
      source: 'corp',
      subject: `u${index}`,
    })
    const written = Array.from({ length: 11 }, (_, index) =>
      table.revokeCredential(`s${index}`, userOf(index)),
    ).flat()
    const minted = sessionOf(table, 'new', { subject: 'u0' })
    const again = makeRevocationTable(LIMITS, clock.now)
    for (const record of written) again.apply(record)
    again.revokeCredential('s11', userOf(11))
    expect(again.check(minted)).toBe('live')
    expect(again.check(sessionOf(again, 's0', { subject: 'u0', number: 0 }))).toBe('revoked')
  })

  test('of ids without owner, or of subjects, ends everybody rather than forget one', () => {
    for (const revoke of [
      (table: RevocationTable, index: number) => table.revokeCredential(`s${index}`, undefined),
      (table: RevocationTable, index: number) =>
        table.revokeSubject({ source: 'corp', subject: `s${index}` }),
    ]) {
      const table = makeRevocationTable(LIMITS, makeClock().now)
      const named = Array.from({ length: 11 }, (_, index) =>
        sessionOf(table, `s${index}`, { subject: `s${index}` }),
      )
      const stranger = sessionOf(table, 'y')
      for (let index = 0; index < 11; index += 1) revoke(table, index)
      expect(named.map(table.check)).toEqual(named.map(() => 'revoked'))
      expect(table.check(stranger)).toBe('revoked')
      expect(table.check(sessionOf(table, 'z'))).toBe('live')
    }
  })

  test('makes room first with entries whose sessions are over by themselves', () => {
    const clock = makeClock()
    const table = makeRevocationTable(LIMITS, clock.now)
    for (let index = 0; index < 10; index += 1) table.revokeCredential(`s${index}`, alice)
    const bystander = sessionOf(table, 'x')
    clock.advance(12 * HOUR)
    table.revokeCredential('s10', alice)
    expect(table.check(bystander)).toBe('live')
    expect(table.check(sessionOf(table, 's10'))).toBe('revoked')
  })
})

describe('whatever was revoked', () => {
  type Act = { kind: 'credential' | 'subject' | 'sid' | 'all' | 'wait'; n: number }
  const act: fc.Arbitrary<Act> = fc.record({
    kind: fc.constantFrom('credential', 'subject', 'sid', 'wait', 'all'),
    n: fc.nat(14),
  })

  test('stays revoked through any number of revocations, a rewrite and a restart', () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 60 }), fc.nat(60), (acts, restartAt) => {
        const clock = makeClock()
        let table = makeRevocationTable({ ...LIMITS, entriesMax: 4 }, clock.now)
        let written: StateRecord[] = []
        const dead: Revocable[] = []
        const restart = (): void => {
          const again = makeRevocationTable({ ...LIMITS, entriesMax: 4 }, clock.now)
          for (const record of written) again.apply(record)
          table = again
          written = [...again.snapshot()]
        }
        for (const [index, { kind, n }] of acts.entries()) {
          const one = sessionOf(table, `s${index}`, { subject: `u${n}`, providerSession: `p${n}` })
          if (kind === 'credential') written.push(...table.revokeCredential(`s${index}`, one))
          if (kind === 'subject') written.push(...table.revokeSubject(one))
          if (kind === 'sid') written.push(...table.revokeProviderSession('corp', `p${n}`))
          if (kind === 'all') written.push(...table.revokeAll())
          if (kind === 'wait') clock.advance(n)
          else dead.push(one)
          if (index === restartAt) restart()
          expect(dead.map(table.check)).toEqual(dead.map(() => 'revoked'))
          // The deny has its allow beside it: what is minted now lives.
          expect(table.check(sessionOf(table, `new${index}`, { subject: `u${n}` }))).toBe('live')
        }
        restart()
        expect(dead.map(table.check)).toEqual(dead.map(() => 'revoked'))
      }),
    )
  })
})
