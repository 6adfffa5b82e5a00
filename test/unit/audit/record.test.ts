import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readLine } from '../../../src/audit/read.ts'
import { decisionFields, printable, type DecisionRecord } from '../../../src/audit/record.ts'
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
  query: 'token=PLANTED-SECRET',
  userAgent: 'curl/8',
  authentication: { kind: 'verified', principal: person('ada', ['sre', 'eng']) },
  readClaims: ['groups', 'dept'],
  policyRevision: 'p:1',
  network: 'vpn',
  cache: 'hit',
  elapsedUs: 41,
  note: undefined,
}

const line = (record: DecisionRecord): string => JSON.stringify({ ...decisionFields(record), seq: 1, w: 'w' })

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
    expect(decisionFields(RECORD)['qh']).toMatch(/^h:[0-9a-f]{4}$/)
  })

  it('says that a value is not whole, so that nobody decides on it again', () => {
    const many = person(
      'ada',
      Array.from({ length: 100 }, (_, i) => `g${i}`),
    )
    const attrs = decisionFields({ ...RECORD, authentication: { kind: 'verified', principal: many } })[
      'attrs'
    ]
    expect(attrs).toMatchObject({ groups: { state: 'cut' } })
    const trimmed = person('ada', ['sre'], { groupsComplete: false })
    expect(
      decisionFields({ ...RECORD, authentication: { kind: 'verified', principal: trimmed } })['attrs'],
    ).toMatchObject({ groups: { state: 'cut', values: ['sre'] } })
  })

  it('is exactly one line of printable JSON, whatever the request holds', () => {
    const bytes = fc.string({
      unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
      maxLength: 900,
    })
    fc.assert(
      fc.property(bytes, bytes, fc.string({ unit: 'binary' }), (path, agent, subject) => {
        const facts =
          RECORD.facts === undefined
            ? undefined
            : { ...RECORD.facts, path: { raw: path, views: ['/'] as const, opaque: false } }
        const text = line({
          ...RECORD,
          facts,
          userAgent: agent,
          authentication: { kind: 'verified', principal: person(subject, [subject]) },
        })
        // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
        expect(text).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/)
        expect(readLine(text, 1).kind).toBe('decision')
        expect(text.length).toBeLessThan(16_000)
      }),
    )
  })
})

describe('printable', () => {
  it.each([
    ['a\r\nb', 'a\\u000d\\u000ab'],
    ['\u001b[31m', '\\u001b[31m'],
    ['plain é', 'plain é'],
  ])('%j', (text, expected) => {
    expect(printable(text, 100)).toBe(expected)
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
})
