// What stands in a file is what the engine gets: predicates, inheritance, headers, order.
import { describe, expect, it } from 'vitest'
import type { Route, Section } from '../../../src/policy/route.ts'
import type { Rule } from '../../../src/policy/rule.ts'
import { explain } from '../../../src/rehearse/explain.ts'
import { parseCaller } from '../../../src/rehearse/caller-text.ts'
import { parseRequestLine } from '../../../src/rehearse/imagined-request.ts'
import { loadedTexts, loadTexts, issueSpots } from '../../support/policy-text.ts'

const HEAD = 'apiVersion: postern/v1\nroute: app\nhosts: [app.example.com]\n'
const routeOf = (text: string, directory = 'networks: {vpn: [10.8.0.0/16, "2001:db8::/32"]}\n'): Route => {
  const route = loadedTexts({ 'app.yaml': text, 'directory.yaml': directory }).set.routes.get('app')
  if (route === undefined) throw new Error('no route')
  return route
}
const rule = (text: string, head = HEAD): Rule =>
  routeOf(`${head}sections: [{path: /, allow: [${text}]}]\n`).sections[0]!.allow[0]!
const BEARER = HEAD.replace('hosts', 'accepts: [session, bearer]\nhosts')

describe('a rule', () => {
  it.each([
    ['users: [corp|1]', { kind: 'users', anyOf: ['corp|1'] }],
    ['emails: [Anna@Example.com]', { kind: 'emails', anyOf: ['anna@example.com'] }],
    ['email_domains: [Example.com]', { kind: 'email_domains', anyOf: ['example.com'] }],
    ['groups: [a, "1.10"]', { kind: 'groups', anyOf: ['a', '1.10'] }],
    ['all_groups: [a, b]', { kind: 'all_groups', allOf: ['a', 'b'] }],
    ['claims: {dept: payroll}', { kind: 'claim', name: 'dept', anyOf: ['payroll'] }],
    ['claims: {level: [1, true, "x"]}', { kind: 'claim', name: 'level', anyOf: [1, true, 'x'] }],
    ['authenticated: true', { kind: 'authenticated' }],
    ['preflight: true', { kind: 'preflight' }],
    ['clients: [ci|x|y]', { kind: 'clients', anyOf: ['ci|x|y'] }],
  ])('reads the subject %s', (text, predicate) => {
    expect(rule(`{id: a, ${text}}`, BEARER).predicates).toEqual([predicate])
  })

  it.each([
    ['methods: [GET, WEBSOCKET]', { kind: 'methods', anyOf: ['GET', 'WEBSOCKET'] }],
    ['cred: [bearer]', { kind: 'cred', anyOf: ['bearer'] }],
    ['mfa: true', { kind: 'mfa' }],
    ['amr: [hwk]', { kind: 'amr', anyOf: ['hwk'] }],
    ['acr: [gold]', { kind: 'acr', anyOf: ['gold'] }],
    ['auth_age: 1h30m', { kind: 'auth_age', maxSeconds: 5400 }],
    ['until: 2027-01-31', { kind: 'until', atMs: Date.UTC(2027, 1, 1), text: '2027-01-31' }],
    [
      'until: 2027-01-31T12:00:00+02:00',
      { kind: 'until', atMs: Date.UTC(2027, 0, 31, 10), text: '2027-01-31T12:00:00+02:00' },
    ],
  ])('reads the qualifier %s', (text, predicate) => {
    expect(rule(`{id: a, groups: [g], ${text}}`, BEARER).predicates).toContainEqual(predicate)
  })

  it('asks what costs nothing first, whatever the order of its keys', () => {
    const text =
      '{mfa: true, claims: {dept: x}, groups: [g], paths: [/x], from_networks: [vpn], id: a, why: "y", until: 2027-01-31, methods: [GET]}'
    expect(rule(text).predicates.map((one) => one.kind)).toEqual([
      'methods',
      'paths',
      'until',
      'from_networks',
      'groups',
      'claim',
      'mfa',
    ])
  })

  it('takes networks by label and by block', () => {
    const [predicate] = rule(
      '{id: a, from_networks: [vpn, 192.0.2.7], why: "x", until: 2027-01-31}',
    ).predicates.slice(1)
    expect(predicate).toMatchObject({
      labels: ['vpn', '192.0.2.7'],
      anyOf: [{ bits: 16 }, { bits: 32 }, { bits: 32 }],
    })
  })

  it('reads a path as itself, and as everything below it with a final double star', () => {
    const [predicate] = rule('{id: a, groups: [g], paths: [/x/, /y/**, /a/*/b, /**]}').predicates
    expect(predicate).toMatchObject({
      anyOf: [
        { segments: ['x'], below: false },
        { segments: ['y'], below: true },
        { segments: ['a', '*', 'b'], below: false },
        { segments: [], below: true },
      ],
    })
  })
})

describe('a route', () => {
  it('that says little gets the strict defaults', () => {
    expect(routeOf(`${HEAD}sections: [{path: /, allow: []}]\n`)).toMatchObject({
      owner: undefined,
      issuers: undefined,
      signin: 'location',
      log: 'all',
      audit: 'best-effort',
      origins: undefined,
      identity: {
        user: 'X-Auth-Request-User',
        groups: 'X-Auth-Request-Groups',
        assertion: 'X-Postern-Assertion',
      },
      sections: [{ accepts: ['session'], echo: ['authorization'], passthroughBasic: false }],
    })
  })

  it('hands what it accepts and echoes to sections that do not say otherwise', () => {
    const text = `${BEARER}echo: [cookie]\npassthrough: [basic]\nsections:\n- {path: /, allow: []}\n- {path: /x, accepts: [session], echo: [], passthrough: [], allow: []}\n`
    expect(routeOf(text).sections).toMatchObject([
      { accepts: ['session', 'bearer'], echo: ['cookie'], passthroughBasic: true },
      { accepts: ['session'], echo: [], passthroughBasic: false },
    ])
  })

  it.each([
    ['grafana', 'X-WEBAUTH-USER', ','],
    ['jenkins', 'X-Forwarded-User', '|'],
    ['remote-user', 'Remote-User', ','],
    ['{preset: jenkins, user: X-User, groupSeparator: ";"}', 'X-User', ';'],
  ])('names its identity headers: %s', (identity, user, groupSeparator) => {
    const route = routeOf(`${HEAD}identity: ${identity}\nsections: [{path: /, allow: []}]\n`)
    expect(route.identity).toMatchObject({ user, groupSeparator })
  })

  it('leaves out a header that is false, and claims nobody needs for it', () => {
    const off =
      'identity: {user: false, email: false, groups: false, preferredUsername: false, assertion: false, claims: {X-Dept: dept}}\n'
    const route = routeOf(`${HEAD}${off}sections: [{path: /, allow: [{id: a, claims: {level: 3}}]}]\n`)
    expect(route.identity).toMatchObject({
      user: '',
      email: '',
      groups: '',
      preferredUsername: '',
      assertion: '',
    })
    expect(route.claims).toEqual(['dept', 'level'])
  })

  it('captures what its rules, headers and assertion read', () => {
    const route = routeOf(
      `${HEAD}sections: [{path: /, allow: [{id: a, claims: {dept: x}, email_domains: [x.org]}]}]\n`,
    )
    expect(route.claims).toEqual(['dept', 'email', 'groups', 'preferred_username', 'user'])
  })
})

describe('denies of a parent', () => {
  const denies = (text: string, path: string): readonly string[] => {
    const section = routeOf(text).sections.find((one) => one.path.text === path)
    return (section?.deny ?? []).map(
      (one) => `${one.id} from ${one.from}${one.predicates[0]?.kind === 'paths' ? ' within' : ''}`,
    )
  }
  const section = (path: string, id: string, more = ''): string =>
    `- {path: "${path}"${more}, deny: [{id: ${id}, groups: [${id}]}], allow: []}\n`
  const text = (...lines: readonly string[]): string => `${HEAD}sections:\n${lines.join('')}`

  it('hold in every child, nearest last, and say who wrote them', () => {
    const nested = text(section('/a/b', 'inner'), section('/', 'outer'), section('/a', 'middle'))
    expect(denies(nested, '/a/b')).toEqual(['inner from /a/b', 'outer from /', 'middle from /a'])
    expect(denies(nested, '/')).toEqual(['outer from /'])
  })

  it('hold in an exact child; an exact section has no children', () => {
    const exact = text(section('/a', 'one', ', exact: true'), section('/a/b', 'two'), section('/', 'root'))
    expect(denies(exact, '/a')).toEqual(['one from /a', 'root from /'])
    expect(denies(exact, '/a/b')).toEqual(['two from /a/b', 'root from /'])
  })

  it('hold through stars, and only where paths are shared', () => {
    const stars = text(section('/*/x', 'star'), section('/a', 'plain'), section('/a/*/deep', 'deep'))
    expect(denies(stars, '/*/x')).toEqual(['star from /*/x', 'plain from /a within'])
    expect(denies(stars, '/a/*/deep')).toEqual([
      'deep from /a/*/deep',
      'plain from /a',
      'star from /*/x within',
    ])
    expect(denies(stars, '/a')).toEqual(['plain from /a'])
  })

  it('deny on a path that lies in both, and not beside it', () => {
    const { set } = loadedTexts({
      'app.yaml': `${HEAD}sections:\n- {path: /a, deny: [{id: out, groups: [out]}], allow: []}\n- {path: "/*/x", allow: [{id: in, groups: [eng]}]}\n`,
    })
    const ask = (path: string): string => {
      const request = parseRequestLine(`GET https://app.example.com${path}`)
      const caller = parseCaller('groups=eng,out')
      if (request.kind === 'refused' || caller.kind === 'refused') throw new Error('no request')
      return explain(
        set,
        { ...request, preflight: false, origin: undefined, clientIp: undefined },
        caller.caller,
        0,
      ).outcome
    }
    expect(ask('/a/x')).toBe('deny')
    expect(ask('/b/x')).toBe('allow')
  })
})

describe('order', () => {
  it('means nothing: deny beats allow, before it and after it', () => {
    const keys = ['deny: [{id: out, groups: [out]}]', 'allow: [{id: in, groups: [eng]}]']
    for (const order of [keys, keys.toReversed()]) {
      const { set } = loadedTexts({ 'app.yaml': `${HEAD}sections: [{path: /, ${order.join(', ')}}]\n` })
      const section: Section | undefined = set.routes.get('app')?.sections[0]
      expect([section?.deny.length, section?.allow.length]).toEqual([1, 1])
    }
  })
})

describe('loading depends on bytes only', () => {
  it('a rule that ended long ago loads, and an unknown group too', () => {
    const text = `${HEAD}sections: [{path: /, allow: [{id: a, groups: [nobody], until: 2001-01-01}]}]\n`
    expect(issueSpots(loadTexts({ 'app.yaml': text, 'directory.yaml': 'groups: [eng]\n' }))).toEqual([
      'loaded',
    ])
  })

  it('a failing test does not stop it, a test that is no test does', () => {
    const text = `${HEAD}sections: [{path: /, allow: [{id: a, groups: [eng]}]}]\ntests:\n- {as: anonymous, get: /, expect: allow b}\n`
    expect(issueSpots(loadTexts({ 'app.yaml': text }))).toEqual(['loaded'])
    expect(issueSpots(loadTexts({ 'app.yaml': text.replace('get: /', 'get: x') }))).toEqual(['E16 6:24'])
  })
})
