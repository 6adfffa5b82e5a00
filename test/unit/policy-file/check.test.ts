// What `check` finds in a set that loads: each finding has its place, and the nearest set without it has none.
import { describe, expect, it } from 'vitest'
import type { KnownSource } from '../../../src/policy-file/check-source.ts'
import { checkPolicies } from '../../../src/policy-file/check.ts'
import { runCases } from '../../../src/rehearse/cases.ts'
import { loadedTexts } from '../../support/policy-text.ts'

const NOW = Date.UTC(2026, 10, 24)
const HEAD = 'apiVersion: postern/v1\nroute: app\nhosts: [app.example.com]\n'
/** The allow stands in line 7 from column 5. */
const allow = (rule: string, more = ''): string =>
  `${HEAD}sections:\n- path: /\n  allow:\n  - ${rule}\n${more}`
const accounts = (rule: string): string =>
  allow(rule).replace('hosts', 'accepts: [session, service-account]\nhosts')
const sections = (...lines: readonly string[]): string =>
  `${HEAD}sections:\n${lines.map((line) => `- ${line}\n`).join('')}`

const findings = (
  texts: Readonly<Record<string, string>>,
  sources?: readonly KnownSource[],
  nowMs = NOW,
): readonly string[] => {
  const loaded = loadedTexts(texts)
  return checkPolicies(loaded, { nowMs, sources, tests: runCases(loaded, nowMs) }).map(
    ({ code, file, line, col }) => `${code} ${file}:${line}:${col}`,
  )
}

/** Findings of one file, coverage apart. */
const of = (text: string, directory = 'networks: {vpn: [10.8.0.0/16]}\n', nowMs = NOW): readonly string[] =>
  findings({ 'app.yaml': text, 'directory.yaml': directory }, undefined, nowMs)
    .filter((one) => !one.startsWith('W10'))
    .map((one) => one.replace('app.yaml:', ''))

describe('a rule that can never hit is found', () => {
  it.each([
    ['it has ended', allow('{id: a, groups: [b], until: 2026-11-23}'), ['E03 7:33']],
    [
      'a deny swallows it',
      sections('{path: /, deny: [{id: d, groups: [b]}], allow: [{id: a, groups: [b], methods: [GET]}]}'),
      ['E03 5:56'],
    ],
    [
      'an inherited deny swallows it',
      sections(
        '{path: /, deny: [{id: d, groups: [b, c]}], allow: []}',
        '{path: /x, allow: [{id: a, groups: [b]}]}',
      ),
      ['E03 6:27'],
    ],
    [
      'a deny of everybody swallows it',
      sections('{path: /, deny: [{id: d, methods: [POST]}], allow: [{id: a, groups: [b], methods: [POST]}]}'),
      ['E03 5:60'],
    ],
    [
      'another section owns its path',
      sections(
        '{path: /, allow: [{id: a, groups: [b], paths: [/x/y, /z]}]}',
        '{path: /x, allow: [{id: c, groups: [b]}]}',
      ),
      ['E03 5:50'],
    ],
    ['a preflight is no GET', allow('{id: a, preflight: true, methods: [GET]}'), ['E03 7:30']],
    [
      'the addresses lie elsewhere',
      allow('{id: a, emails: [a@x.org], email_domains: [y.org]}'),
      ['E03 7:32'],
    ],
    [
      'its people are not believed',
      allow('{id: a, users: [other|1]}').replace('hosts', 'issuers: [corp]\nhosts'),
      ['E03 8:13'],
    ],
    [
      'a service account is no person',
      accounts('{id: a, service_accounts: [n/a], authenticated: true}'),
      ['E03 8:38'],
    ],
    [
      'a service account has no second factor',
      accounts('{id: a, service_accounts: [n/a], mfa: true}'),
      ['E03 8:38'],
    ],
    [
      'a service account has no session',
      accounts('{id: a, service_accounts: [n/a], cred: [session]}'),
      ['E03 8:38'],
    ],
  ])('%s', (_, text, expected) => {
    expect(of(text)).toEqual(expected)
  })

  it.each([
    ['it ends today', allow('{id: a, groups: [b], until: 2026-11-24}'), ['W26 7:33']],
    [
      'a deny takes a part of it',
      sections('{path: /, deny: [{id: d, groups: [b], methods: [POST]}], allow: [{id: a, groups: [b]}]}'),
      [],
    ],
    [
      'a deny of others',
      sections('{path: /, deny: [{id: d, groups: [c]}], allow: [{id: a, groups: [b]}]}'),
      [],
    ],
    [
      'an exact section beside its path',
      sections(
        '{path: /, allow: [{id: a, groups: [b], paths: [/x/y]}]}',
        '{path: /x, exact: true, allow: [{id: c, groups: [b]}]}',
      ),
      [],
    ],
    [
      'a service account comes with its own token',
      accounts('{id: a, service_accounts: [n/a], cred: [session, service-account], methods: [GET]}'),
      [],
    ],
    [
      'one of its people is believed',
      allow('{id: a, users: [other|1, corp|2]}').replace('hosts', 'issuers: [corp]\nhosts'),
      [],
    ],
  ])('not when %s', (_, text, expected) => {
    expect(of(text)).toEqual(expected)
  })
})

describe('a rule that adds nothing is found', () => {
  const two = (first: string, second: string): string => sections(`{path: /, allow: [${first}, ${second}]}`)
  const accountsOf = (text: string): string => text.replace('path: /', 'path: /, accepts: [service-account]')
  it.each([
    ['fewer groups', two('{id: a, groups: [x, z]}', '{id: b, groups: [x]}')],
    [
      'fewer methods',
      two('{id: a, groups: [x], methods: [GET, POST]}', '{id: b, groups: [x], methods: [HEAD]}'),
    ],
    ['a path below', two('{id: a, groups: [x], paths: [/p/**]}', '{id: b, groups: [x], paths: [/p/q]}')],
    ['all groups beside any', two('{id: a, groups: [x]}', '{id: b, all_groups: [x, z]}')],
    ['an address in the domain', two('{id: a, email_domains: [x.org]}', '{id: b, emails: [a@x.org]}')],
    ['one more condition', two('{id: a, groups: [x]}', '{id: b, groups: [x], mfa: true, auth_age: 1h}')],
    ['a younger sign-in', two('{id: a, groups: [x], auth_age: 2h}', '{id: b, groups: [x], auth_age: 1h}')],
    [
      'fewer service accounts',
      accountsOf(two('{id: a, service_accounts: [n/a, n/b]}', '{id: b, service_accounts: [n/a]}')),
    ],
    ['the same again', two('{id: a, groups: [x]}', '{id: b, groups: [x]}')],
    [
      'everybody may already',
      two('{id: a, anyone: true, why: "x", review: 2027-01-01}', '{id: b, groups: [x]}'),
    ],
  ])('%s', (_, text) => {
    expect(of(text)).toEqual([expect.stringMatching(/^W04 5:/)])
  })

  it.each([
    ['another group', two('{id: a, groups: [x]}', '{id: b, groups: [z]}')],
    [
      'another method',
      two('{id: a, groups: [x], methods: [GET]}', '{id: b, groups: [x], methods: [WEBSOCKET]}'),
    ],
    ['a path beside', two('{id: a, groups: [x], paths: [/p]}', '{id: b, groups: [x], paths: [/p/q]}')],
    [
      'another service account',
      accountsOf(two('{id: a, service_accounts: [n/a]}', '{id: b, service_accounts: [m/a]}')),
    ],
    ['another value of a claim', two('{id: a, claims: {d: x}}', '{id: b, claims: {d: z}}')],
    ['another type of a claim', two('{id: a, claims: {d: "1"}}', '{id: b, claims: {d: 1}}')],
  ])('not %s', (_, text) => {
    expect(of(text)).toEqual([])
  })

  it('a deny that a parent has already', () => {
    const text = (groups: string): string =>
      sections(
        '{path: /, deny: [{id: d, groups: [x, z]}], allow: []}',
        `{path: /p, deny: [{id: e, groups: ${groups}}], allow: []}`,
      )
    expect(of(text('[x]'))).toEqual(['W04 6:26'])
    expect(of(text('[w]'))).toEqual([])
  })
})

describe('names are those of the directory', () => {
  it('where it lists them', () => {
    expect(of(allow('{id: a, groups: [sre, sere]}'), 'groups: [sre]\n')).toEqual(['E05 7:27'])
    expect(of(allow('{id: a, all_groups: [sere]}'), 'groups: [sre]\n')).toEqual(['E05 7:26'])
    expect(of(allow('{id: a, groups: [sere]}'), 'machines: {}\n')).toEqual([])
  })
})

describe('trust without a credential is looked at', () => {
  const NETWORK = (until: string): string => allow(`{id: a, from_networks: [vpn], why: "x", until: ${until}}`)
  const PUBLIC = (review: string): string => allow(`{id: a, anyone: true, why: "x", review: ${review}}`)
  it('a network for at most 90 days', () => {
    expect(of(NETWORK('2027-02-21'))).toEqual([])
    expect(of(NETWORK('2027-02-22'))).toEqual(['E07 7:52'])
    expect(of(NETWORK('2027-02-22').replace('why', 'groups: [b], why'))).toEqual([])
  })

  it('a public rule by its date', () => {
    expect(of(PUBLIC('2026-11-24'))).toEqual([])
    expect(of(PUBLIC('2026-11-23'))).toEqual(['E08 7:45'])
  })

  it('an end that comes near', () => {
    expect(of(allow('{id: a, groups: [b], until: 2026-12-06}'))).toEqual(['W26 7:33'])
    expect(of(allow('{id: a, groups: [b], until: 2026-12-08}'))).toEqual([])
  })

  it('a public prefix around a guarded section', () => {
    const guarded = '{path: /p/q, allow: [{id: b, groups: [b]}]}'
    const open = (more: string): string =>
      `{path: /p, ${more}allow: [{id: a, anyone: true, why: "x", review: 2027-01-01}]}`
    expect(of(sections(open(''), guarded)).filter((one) => one.startsWith('E'))).toEqual(['E08 5:30'])
    expect(of(sections(open('exact: true, '), guarded))).toEqual([])
    expect(of(sections(open(''), '{path: /pq, allow: [{id: b, groups: [b]}]}'))).toEqual([])
  })
})

describe('sections that surprise are told', () => {
  it('an exact one that narrows: its neighbours stay open', () => {
    const parent = '{path: /, allow: [{id: a, groups: [b, c]}]}'
    expect(of(sections(parent, '{path: /admin, exact: true, allow: []}'))).toEqual(['W21 6:10'])
    expect(of(sections(parent, '{path: /admin, exact: true, allow: [{id: d, groups: [b]}]}'))).toEqual([
      'W21 6:10',
    ])
    expect(
      of(
        sections(
          parent,
          '{path: /admin, exact: true, deny: [{id: e, groups: [x]}], allow: [{id: d, groups: [b, c]}]}',
        ),
      ),
    ).toEqual(['W21 6:10'])
    expect(
      of(
        sections(
          parent,
          '{path: /open, exact: true, allow: [{id: d, anyone: true, methods: [GET], why: "x", review: 2027-01-01}]}',
        ),
      ),
    ).toEqual([])
  })

  it('a child that drops an allow of its parent', () => {
    const parent =
      '{path: /, allow: [{id: a, groups: [b, c]}, {id: p, clients: [x|y], paths: [/z]}], accepts: [session, bearer]}'
    expect(of(sections(parent, '{path: /q, allow: [{id: d, groups: [b]}]}'))).toEqual(['W22 6:10'])
    expect(
      of(sections(parent, '{path: /q, allow: [{id: d, groups: [b]}, {id: e, groups: [c], mfa: true}]}')),
    ).toEqual([])
    expect(of(sections(parent, '{path: /q, allow: []}'))).toEqual([])
  })

  it('a second file on the host that escapes a deny', () => {
    const first = sections('{path: /, deny: [{id: d, groups: [x]}], allow: [{id: a, groups: [b]}]}')
    const second = (host: string, deny: string): string =>
      `apiVersion: postern/v1\nroute: two\nhosts: [${host}]\nsections:\n- {path: /two, ${deny}allow: [{id: a, groups: [b]}]}\n`
    const both = (host: string, deny = ''): readonly string[] =>
      findings({ 'app.yaml': first, 'two.yaml': second(host, deny) }).filter((one) => !one.startsWith('W10'))
    expect(both('app.example.com')).toEqual(['W23 two.yaml:5:10'])
    expect(both('app.example.com', 'deny: [{id: e, groups: [x, z]}], ')).toEqual([])
    expect(both('other.example.com')).toEqual([])
    expect(both('"*.example.com"')).toEqual(['W23 two.yaml:5:10'])
  })
})

describe('tests', () => {
  const TESTS = 'tests:\n- {as: {groups: [b]}, get: /, expect: allow a}\n'
  it('that fail are errors, rules that none reaches are warnings', () => {
    expect(findings({ 'app.yaml': allow('{id: a, groups: [b]}', TESTS) })).toEqual([])
    expect(findings({ 'app.yaml': allow('{id: a, groups: [b]}') })).toEqual(['W10 app.yaml:7:10'])
    expect(findings({ 'app.yaml': allow('{id: a, groups: [c]}', TESTS) })).toEqual([
      'W10 app.yaml:7:10',
      'E11 app.yaml:9:39',
    ])
  })

  it('reach the rule that decides, not one that would have hit too', () => {
    const text = allow('{id: a, groups: [b]}\n  - {id: c, groups: [b, d]}', TESTS)
    expect(findings({ 'app.yaml': text }).filter((one) => one.startsWith('W10'))).toEqual([
      'W10 app.yaml:8:10',
    ])
  })

  it('of an ended rule fail from its end on, and not before', () => {
    const text = allow('{id: a, groups: [b], until: 2026-11-24}', TESTS)
    expect(findings({ 'app.yaml': text }, undefined, Date.UTC(2026, 10, 25) - 1)).toEqual([
      'W26 app.yaml:7:33',
    ])
    expect(findings({ 'app.yaml': text }, undefined, Date.UTC(2026, 10, 25))).toEqual([
      'W10 app.yaml:7:10',
      'E03 app.yaml:7:33',
      'E11 app.yaml:9:39',
    ])
  })
})

describe('claims are asserted by somebody who is believed', () => {
  const CORP: KnownSource = {
    id: 'corp',
    credential: 'session',
    isDefault: true,
    claims: new Set(['groups', 'email']),
  }
  const CI: KnownSource = { id: 'ci', credential: 'bearer', isDefault: true, claims: new Set(['sub']) }
  const sourced = (text: string, sources: readonly KnownSource[]): readonly string[] =>
    findings({ 'app.yaml': text }, sources).filter((one) => one.startsWith('E25'))

  it('or named', () => {
    expect(sourced(allow('{id: a, groups: [b]}'), [CORP, CI])).toEqual([])
    expect(sourced(allow('{id: a, claims: {dept: b}}'), [CORP, CI])).toEqual(['E25 app.yaml:7:22'])
    expect(
      sourced(allow('{id: a, email_domains: [x.org]}'), [{ ...CORP, claims: new Set(['groups']) }]),
    ).toEqual(['E25 app.yaml:7:13'])
  })

  it('of a kind that the section accepts', () => {
    const bearer = allow('{id: a, groups: [b]}').replace('hosts', 'accepts: [bearer]\nhosts')
    expect(sourced(bearer, [CORP, CI])).toEqual(['E25 app.yaml:8:13'])
    expect(sourced(bearer, [CORP])).toEqual(['E25 app.yaml:6:9'])
  })

  it('by a provider, and the first thing to do without any is to add one', () => {
    const mends = (sources: readonly KnownSource[]): readonly string[] =>
      checkPolicies(loadedTexts({ 'app.yaml': allow('{id: a, groups: [b]}') }), {
        nowMs: NOW,
        sources,
        tests: [],
      })
        .filter(({ code }) => code === 'E25')
        .map(({ mend }) => mend)
    expect(mends([])).toEqual([expect.stringMatching(/^add an entry to `providers`/)])
    expect(mends([CI])).toEqual([expect.stringMatching(/^add an entry to `providers`/)])
    expect(mends([{ ...CORP, isDefault: false }])).toEqual([expect.stringMatching(/^name one in `issuers`/)])
  })

  it('of kind kubernetes, where they are of service accounts', () => {
    const named = accounts('{id: a, service_accounts: [n/a]}')
    const cluster: KnownSource = { ...CI, id: 'cluster', credential: 'service-account' }
    expect(sourced(named, [CORP, cluster])).toEqual([])
    expect(sourced(named, [CORP, CI])).toEqual(['E25 app.yaml:8:13'])
    expect(sourced(named, [])).toEqual(['E25 app.yaml:8:13'])
    expect(sourced(named, [CORP, { ...cluster, isDefault: false }])).toEqual(['E25 app.yaml:8:13'])
    expect(sourced(accounts('{id: a, groups: [b]}'), [CORP])).toEqual([])
  })

  it('and configured', () => {
    const named = (id: string): string =>
      allow('{id: a, groups: [b]}').replace('hosts', `issuers: [${id}]\nhosts`)
    expect(sourced(named('corp'), [CORP])).toEqual([])
    expect(sourced(named('crop'), [CORP])).toEqual(['E25 app.yaml:3:11', 'E25 app.yaml:6:9'])
    expect(sourced(allow('{id: a, groups: [b]}'), [{ ...CORP, isDefault: false }])).toEqual([
      'E25 app.yaml:5:9',
    ])
  })
})

describe('a host is one that the session cookie reaches', () => {
  const outside = (text: string, sessionDomain: string | undefined): readonly string[] => {
    const loaded = loadedTexts({ 'app.yaml': text })
    return checkPolicies(loaded, { nowMs: NOW, sources: undefined, tests: [], sessionDomain })
      .filter(({ code }) => code === 'W28')
      .map(({ severity, line, col }) => `${severity} ${line}:${col}`)
  }
  const hosts = (list: string, rule = '{id: a, groups: [b]}'): string =>
    allow(rule).replace('[app.example.com]', list)

  it('the domain itself, or below it', () => {
    const two = hosts('[app.example.com, "*.apps.example.com"]')
    expect(outside(two, 'example.com')).toEqual([])
    expect(outside(two, 'app.example.com')).toEqual(['warning 3:26'])
    expect(outside(two, 'apps.example.com')).toEqual(['warning 3:9'])
    expect(outside(hosts('[app.notexample.com]'), 'example.com')).toEqual(['warning 3:9'])
    expect(outside(hosts('["*.com"]'), 'example.com')).toEqual(['warning 3:9'])
  })

  it('or its route has no use for a session', () => {
    const elsewhere = hosts('[app.example.net]')
    expect(outside(elsewhere, 'example.com')).toEqual(['warning 3:9'])
    expect(outside(elsewhere.replace('hosts', 'accepts: [bearer]\nhosts'), 'example.com')).toEqual([])
    const open = hosts('[app.example.net]', '{id: a, anyone: true, why: w, review: 2027-01-01}')
    expect(outside(open, 'example.com')).toEqual([])
  })

  it('and nothing is said where no configuration is known', () => {
    expect(outside(hosts('[app.example.net]'), undefined)).toEqual([])
  })
})
