import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readLine } from '../../../src/audit/read.ts'
import { bodyOf, decisionFields, type DecisionRecord } from '../../../src/audit/record.ts'
import { normalizeHost } from '../../../src/policy/host-pattern.ts'
import { person } from '../../support/policy-builder.ts'

const host = normalizeHost('app.example.com')
if (host === undefined) throw new Error('no host')

const RECORD: DecisionRecord = {
  nowMs: 1_764_000_000_000,
  id: 'ID1',
  status: 200,
  decision: {
    outcome: 'allow',
    reason: 'ALLOW_RULE',
    route: 'app',
    section: '/',
    rule: 'app#view',
    identity: 'caller',
  },
  dialect: 'nginx',
  requestId: 'r-1',
  facts: {
    host,
    method: 'GET',
    path: { raw: '/a', views: ['/a'], opaque: false },
    preflight: false,
    origin: undefined,
    clientIp: '10.8.0.1',
  },
  servedHost: undefined,
  assertedRoute: undefined,
  query: 'token=PLANTED-SECRET',
  userAgent: 'curl/8',
  authentication: { kind: 'verified', principal: person('ada', ['sre', 'eng']) },
  readClaims: ['groups', 'dept'],
  peer: undefined,
  policyRevision: 'p:1',
  network: 'vpn',
  cache: 'hit',
  elapsedUs: 41,
  note: undefined,
}

const line = (record: DecisionRecord): string => `${bodyOf(decisionFields(record))},"seq":1,"w":"w"}`
const parsed = (record: DecisionRecord): Record<string, unknown> => JSON.parse(line(record))

describe('a decision line', () => {
  it('says who, where, what and why, and reads back', () => {
    const read = readLine(line(RECORD), 1)
    expect(read).toMatchObject({
      kind: 'decision',
      line: {
        decision: 'allow',
        status: 200,
        reason: 'ALLOW_RULE',
        rule: 'app#view',
        sub: { kind: 'user', id: 'corp|ada', name: 'ada@example.com', cred: 'session' },
        attrs: { groups: ['sre', 'eng'], dept: { state: 'absent' } },
        src: { ip: '10.8.0.1', net: 'vpn', ua: 'curl/8' },
      },
    })
  })

  it('never holds the query, only 16 bits of its hash', () => {
    expect(line(RECORD)).not.toContain('PLANTED-SECRET')
    expect(parsed(RECORD)['qh']).toMatch(/^h:[0-9a-f]{4}$/)
    expect(parsed({ ...RECORD, query: 'token=OTHER' })['qh']).not.toBe(parsed(RECORD)['qh'])
    expect(parsed({ ...RECORD, query: '' })).not.toHaveProperty('qh')
  })

  it('says that a value is not whole, so that nobody decides on it again', () => {
    const attrsOf = (groups: readonly string[], more: Parameters<typeof person>[2] = {}): unknown =>
      parsed({ ...RECORD, authentication: { kind: 'verified', principal: person('ada', groups, more) } })[
        'attrs'
      ]
    const many = Array.from({ length: 65 }, (_, i) => `g${i}`)
    expect(attrsOf(many)).toMatchObject({ groups: { state: 'cut', values: many.slice(0, 64) } })
    expect(attrsOf(many.slice(1))).toMatchObject({ groups: many.slice(1) })
    expect(attrsOf(['x'.repeat(513)])).toMatchObject({ groups: { state: 'cut' } })
    expect(attrsOf(['x'.repeat(512)])).toMatchObject({ groups: ['x'.repeat(512)] })
    expect(attrsOf(['sre'], { groupsComplete: false })).toMatchObject({
      groups: { state: 'cut', values: ['sre'] },
    })
  })

  it('keeps 512 bytes of the path and 200 of the user agent, and says that the path is not whole', () => {
    const facts = RECORD.facts
    if (facts === undefined) throw new Error('no facts')
    const withPath = (raw: string) => parsed({ ...RECORD, facts: { ...facts, path: { ...facts.path, raw } } })
    expect(withPath('/'.repeat(512))).not.toHaveProperty('cut')
    expect(withPath('/'.repeat(513))).toMatchObject({ path: '/'.repeat(512), cut: ['path'] })
    expect(parsed({ ...RECORD, userAgent: 'x'.repeat(300) })['src']).toMatchObject({ ua: 'x'.repeat(200) })
  })

  it('gives back the very characters that a request held, though only ASCII stands in it', () => {
    const agent = 'caf\u00e9 \u0000\u001b[31m\u202e"\\\u2028\ud83d'
    const text = line({ ...RECORD, userAgent: agent })
    expect(text).toMatch(/^[ -~]*$/)
    expect(JSON.parse(text)).toMatchObject({ src: { ua: agent } })
  })

  it('does not take one caller for another, nor one rule set for another', () => {
    const ada = person('ada', ['sre'])
    const as = (principal: ReturnType<typeof person>, readClaims: readonly string[]) =>
      parsed({ ...RECORD, readClaims, authentication: { kind: 'verified', principal } })
    expect(as(ada, ['groups'])['attrs']).toEqual({ groups: ['sre'] })
    expect(as(ada, [])).not.toHaveProperty('attrs')
    expect(as(ada, ['dept'])['attrs']).toEqual({ dept: { state: 'absent' } })
    expect(as(person('ben', ['eng']), ['groups'])).toMatchObject({
      sub: { id: 'corp|ben' },
      attrs: { groups: ['eng'] },
    })
    const later = parsed({ ...RECORD, nowMs: RECORD.nowMs + 86_400_000 })
    expect(later['ts']).not.toBe(parsed(RECORD)['ts'])
  })

  it.each([
    [{ kind: 'anonymous', note: undefined }, { kind: 'anonymous' }],
    [
      { kind: 'anonymous', note: 'two-sessions' },
      { kind: 'anonymous', note: 'two-sessions' },
    ],
    [
      { kind: 'rejected', reason: 'DENY_CRED_INVALID', credential: 'bearer', why: 'PLANTED-SECRET' },
      { kind: 'anonymous', note: 'rejected', cred: 'bearer' },
    ],
    [
      { kind: 'unavailable', reason: 'ERROR_IDP', why: 'PLANTED-SECRET' },
      { kind: 'anonymous', note: 'unavailable' },
    ],
    [
      { kind: 'ambiguous', why: 'PLANTED-SECRET' },
      { kind: 'anonymous', note: 'ambiguous' },
    ],
    [undefined, { kind: 'anonymous' }],
  ] as const)('names nobody who is not verified: %j', (authentication, sub) => {
    const text = line({ ...RECORD, authentication })
    expect(JSON.parse(text)).toMatchObject({ sub })
    expect(text).not.toContain('attrs')
    expect(text).not.toContain('PLANTED-SECRET')
  })

  it('holds what else a rule can read of a request: a preflight, and the origin of a handshake', () => {
    const facts = RECORD.facts && { ...RECORD.facts, preflight: true, origin: 'https://evil.example' }
    expect(parsed({ ...RECORD, facts })).toMatchObject({ preflight: true, origin: 'https://evil.example' })
    expect(Object.keys(parsed(RECORD))).not.toContain('preflight')
    expect(Object.keys(parsed(RECORD))).not.toContain('origin')
  })

  it('says which texts are longer than what is written', () => {
    const facts = RECORD.facts && {
      ...RECORD.facts,
      path: { raw: `/${'a'.repeat(600)}`, views: ['/a'] as const, opaque: false },
      origin: `https://${'a'.repeat(300)}`,
    }
    expect(parsed({ ...RECORD, facts })).toMatchObject({ cut: ['path', 'origin'] })
  })

  it('names the address that asked, where the request could not be read', () => {
    const refused = { ...RECORD, facts: undefined, network: undefined, peer: '192.0.2.7' }
    expect(parsed(refused)).toMatchObject({ src: { peer: '192.0.2.7', ua: 'curl/8' } })
  })

  it('is exactly one line of ASCII JSON, whatever the request holds', () => {
    const anything = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 700 }),
      fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) }),
    )
    fc.assert(
      fc.property(anything, anything, anything, anything, (path, agent, subject, id) => {
        const facts = RECORD.facts && {
          ...RECORD.facts,
          path: { raw: path, views: ['/'] as const, opaque: false },
        }
        const text = line({
          ...RECORD,
          facts,
          requestId: id,
          userAgent: agent,
          network: subject,
          note: id,
          authentication: { kind: 'verified', principal: person(subject, [subject]) },
        })
        expect(text).toMatch(/^[ -~]*$/)
        expect(readLine(text, 1).kind).toBe('decision')
        expect(JSON.parse(text)).toMatchObject({ path: path.slice(0, 512), req: id.slice(0, 200) })
      }),
    )
  })
})

describe('an event', () => {
  it('is one line of ASCII JSON, too, and reads back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.jsonValue(), (text, value) => {
        const body = bodyOf({ v: 1, type: 'login', ts: '1970-01-01T00:00:00.000Z', text, value })
        const written = `${body},"seq":1,"w":"w"}`
        expect(written).toMatch(/^[ -~]*$/)
        expect(readLine(written, 1)).toMatchObject({ kind: 'event', line: { type: 'login', text } })
      }),
    )
  })
})

describe('reading back', () => {
  it.each([
    ['', 'foreign'],
    ['{"v":1', 'foreign'],
    ['{"v":2,"type":"login"}', 'foreign'],
    ['{"v":1,"type":"login","ts":"2026-11-24T10:00:00.000Z","seq":1,"w":"w"}', 'event'],
    ['{"v":1,"type":"decision","ts":"2026-11-24T10:00:00.000Z","seq":1,"w":"w"}', 'foreign'],
  ])('%s', (text, kind) => {
    expect(readLine(text, 7)).toMatchObject({ kind, number: 7 })
  })

  it('tells what a decision lacks', () => {
    const { reason: _, ...rest } = parsed(RECORD)
    expect(readLine(JSON.stringify(rest), 3)).toEqual({
      kind: 'foreign',
      number: 3,
      why: 'the decision lacks reason',
    })
  })
})
