// An in-file test asks the engine one question. Each passing expectation has its nearest failing one beside it.
import { describe, expect, it } from 'vitest'
import { runCases } from '../../../src/rehearse/cases.ts'
import { loadedTexts } from '../../support/policy-text.ts'

const NOW = Date.UTC(2026, 10, 24)
const POLICY = `apiVersion: postern/v1
route: app
hosts: [app.example.com, "*.app.example.com"]
accepts: [session, bearer, service-account]
issuers: [corp, ci]
sections:
- path: /
  deny:
  - {id: out, groups: [out]}
  - {id: vpn-only, from_networks: [10.8.0.0/16], why: "test"}
  allow:
  - {id: eng, groups: [eng]}
  - {id: me, users: [corp|1]}
  - {id: mail, email_domains: [x.org], methods: [GET]}
  - {id: both, all_groups: [a, b]}
  - {id: dept, claims: {dept: pay, level: 3}}
  - {id: robot, clients: [ci|robot], cred: [bearer]}
  - {id: pod, service_accounts: [monitoring/grafana]}
  - {id: any-pod, cred: [service-account], groups: [pods]}
  - {id: strong, groups: [adm], mfa: true, auth_age: 10m}
  - {id: gold, acr: [gold], authenticated: true}
  - {id: old, groups: [old], until: 2026-12-31}
  - {id: cors, preflight: true}
  - {id: sock, groups: [ws], methods: [WEBSOCKET]}
- path: /people
  accepts: [session]
  allow: [{id: person, authenticated: true}]
- path: /dav
  allow: [{id: dav, groups: [dav], methods: [PROPFIND]}]
`

const got = (test: string, nowMs = NOW): string => {
  const loaded = loadedTexts({ 'app.yaml': `${POLICY}tests:\n- {${test}, expect: challenge}\n` })
  return runCases(loaded, nowMs)[0]!.got
}

describe('a caller', () => {
  it.each([
    ['as: anonymous, get: /', 'challenge eng'],
    ['as: {groups: [eng]}, get: /', 'allow eng'],
    ['as: {groups: [eng, out]}, get: /', 'deny out'],
    ['as: {groups: [other]}, get: /', 'deny'],
    ['as: {users: [corp|1]}, get: /', 'allow me'],
    ['as: {users: [ci|1]}, get: /', 'deny'],
    ['as: {users: [other|1]}, get: /', 'challenge eng'],
    ['as: {emails: [a@x.org]}, get: /', 'allow mail'],
    ['as: {email_domains: [x.org]}, get: /', 'allow mail'],
    ['as: {email_domains: [x.org]}, post: /', 'deny'],
    ['as: {all_groups: [a, b]}, get: /', 'allow both'],
    ['as: {groups: [a]}, get: /', 'deny'],
    ['as: {claims: {dept: pay, level: 3}}, get: /', 'allow dept'],
    ['as: {claims: {dept: pay, level: "3"}}, get: /', 'deny'],
    ['as: {clients: [ci|robot]}, get: /', 'allow robot'],
    ['as: {clients: [ci|other]}, get: /', 'deny'],
    ['as: {service_accounts: [monitoring/grafana]}, get: /', 'allow pod'],
    ['as: {service_accounts: [monitoring/grafana], cred: service-account}, get: /', 'allow pod'],
    ['as: {service_accounts: [default/grafana]}, get: /', 'deny'],
    ['as: {clients: [ci|system:serviceaccount:monitoring:grafana]}, get: /', 'deny'],
    ['as: {users: [corp|system:serviceaccount:monitoring:grafana]}, get: /', 'deny'],
    ['as: {groups: [monitoring/grafana]}, get: /', 'deny'],
    ['as: {service_accounts: [monitoring/grafana]}, get: /people', 'challenge person'],
    ['as: {cred: service-account, groups: [pods]}, get: /', 'allow any-pod'],
    ['as: {groups: [pods]}, get: /', 'deny'],
    ['as: {groups: [adm], amr: [pwd, otp], auth_age: 5m}, get: /', 'allow strong'],
    ['as: {groups: [adm], amr: [pwd], auth_age: 5m}, get: /', 'step-up strong'],
    ['as: {groups: [adm], amr: [pwd, otp], auth_age: 11m}, get: /', 'step-up strong'],
    ['as: {groups: [adm], amr: [pwd, otp]}, get: /', 'step-up strong'],
    ['as: {groups: [adm], cred: bearer}, get: /', 'deny'],
    ['as: {authenticated: true, acr: gold}, get: /', 'allow gold'],
    ['as: {authenticated: true, acr: tin}, get: /', 'deny'],
    ['as: {groups: [eng], ip: 10.8.0.7}, get: /', 'deny vpn-only'],
    ['as: {groups: [eng], ip: 10.9.0.7}, get: /', 'allow eng'],
    ['as: {ip: 10.9.0.7}, get: /', 'challenge eng'],
    ['as: {authenticated: true}, get: /people', 'allow person'],
    ['as: {authenticated: true, cred: bearer}, get: /people', 'challenge person'],
    ['as: {clients: [ci|robot]}, get: /people', 'challenge person'],
  ])('%s → %s', (test, outcome) => {
    const withIp =
      test.includes('ip:') || test.includes('anonymous')
        ? test
        : test.replace('as: {', 'as: {ip: 192.0.2.1, ')
    expect(got(withIp.replace('as: anonymous', 'as: {ip: 192.0.2.1}'))).toBe(outcome)
  })

  it('whose address is unknown is hit by a deny of networks', () => {
    expect(got('as: {groups: [eng]}, get: /')).toBe('deny vpn-only')
  })
})

describe('a request', () => {
  const as = 'as: {groups: [eng, ws, dav, old], ip: 192.0.2.1}'
  it.each([
    [`${as}, get: /x?y`, 'allow eng'],
    [`${as}, get: /x, host: a.app.example.com`, 'allow eng'],
    [`${as}, request: PROPFIND /dav`, 'allow dav'],
    [`${as}, get: /dav`, 'deny'],
    [`${as}, get: "/%zz"`, 'deny'],
    [`${as}, get: "/../x"`, 'deny'],
    ['as: {groups: [ws], ip: 192.0.2.1}, websocket: /', 'allow sock'],
    ['as: {groups: [ws], ip: 192.0.2.1}, get: /', 'deny'],
    ['as: {groups: [ws], ip: 192.0.2.1}, websocket: /, origin: "https://evil.example"', 'deny'],
    ['as: {groups: [ws], ip: 192.0.2.1}, websocket: /, origin: "https://a.app.example.com"', 'allow sock'],
    ['as: {ip: 192.0.2.1}, options: /, preflight: true', 'allow cors'],
    ['as: {ip: 192.0.2.1}, options: /', 'challenge eng'],
    ['as: {groups: [old], ip: 192.0.2.1}, get: /', 'allow old'],
    ['as: {groups: [old], ip: 192.0.2.1}, get: /, at: 2026-12-31', 'allow old'],
    ['as: {groups: [old], ip: 192.0.2.1}, get: /, at: 2027-01-01', 'deny'],
    ['as: {groups: [old], ip: 192.0.2.1}, get: /, at: 2026-12-31T23:59:59Z', 'allow old'],
    ['as: {groups: [old], ip: 192.0.2.1}, get: /, at: 2027-01-01T00:00:00Z', 'deny'],
  ])('%s → %s', (test, outcome) => {
    expect(got(test)).toBe(outcome)
  })
})

describe('an expectation', () => {
  const failure = (expected: string, request = 'get: /'): string | undefined => {
    const text = `${POLICY}tests:\n- {as: {groups: [eng], ip: 192.0.2.1}, ${request}, expect: ${expected}}\n`
    return runCases(loadedTexts({ 'app.yaml': text }), NOW)[0]!.failure?.what
  }
  it.each(['allow', 'allow eng'])('is met by %s', (expected) => {
    expect(failure(expected)).toBeUndefined()
  })

  it.each([
    ['allow me', 'expected `allow me`, got `allow eng`'],
    ['allow egn', 'expected `allow egn`, got `allow eng`; no rule `egn` (did you mean `eng`?)'],
    ['deny', 'expected `deny`, got `allow eng`'],
    ['challenge', 'expected `challenge`, got `allow eng`'],
    ['step-up', 'expected `step-up`, got `allow eng`'],
  ])('is not met by %s', (expected, what) => {
    expect(failure(expected)).toBe(what)
  })

  it('of a plain deny is met by no rule and by a rule alike', () => {
    expect(failure('deny', 'get: /dav')).toBeUndefined()
    expect(failure('deny out', 'get: /dav')).toBe('expected `deny out`, got `deny`')
  })
})
