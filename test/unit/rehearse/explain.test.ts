// An explanation is the walk itself, told: what the rule wants, what the request has, and which rule came closest.
import { describe, expect, it } from 'vitest'
import { parseCaller } from '../../../src/rehearse/caller-text.ts'
import { explain, type Explanation } from '../../../src/rehearse/explain.ts'
import { explainJson, explainLine, explainTree } from '../../../src/rehearse/explain-text.ts'
import { parseRequestLine } from '../../../src/rehearse/imagined-request.ts'
import { loadedTexts } from '../../support/policy-text.ts'

const NOW = Date.UTC(2026, 10, 24)
const { set } = loadedTexts({
  'grafana.yaml': `apiVersion: postern/v1
route: grafana
owner: team-observability
hosts: [grafana.example.com]
accepts: [session, bearer]
sections:
- path: /
  deny:
  - {id: no-contractors, groups: [contractors]}
  allow:
  - {id: edit, groups: [sre, platform]}
  - {id: view, groups: [eng], methods: [GET]}
  - {id: strong, groups: [admin], mfa: true}
- path: /api/health
  exact: true
  allow: [{id: probe, anyone: true, methods: [GET], why: "no data", review: 2027-11-30}]
- path: /closed
  allow: []
`,
  'second.yaml': `apiVersion: postern/v1
route: second
hosts: [grafana.example.com]
sections:
- {path: /second, allow: [{id: in, groups: [eng]}]}
`,
})

const told = (line: string, as = ''): Explanation => {
  const request = parseRequestLine(line)
  const caller = parseCaller(as)
  if (request.kind === 'refused' || caller.kind === 'refused') throw new Error('no request')
  const { method, host, path } = request
  return explain(
    set,
    { method, host, path, preflight: false, origin: undefined, clientIp: undefined },
    caller.caller,
    NOW,
  )
}

describe('one line', () => {
  it.each([
    [
      'POST https://grafana.example.com/x',
      'groups=eng',
      'deny DENY_NO_RULE route=grafana section=/ | deny no-contractors: groups miss (has eng; wants contractors) | edit: groups miss (has eng; wants sre|platform) | view: methods miss (has POST; wants GET), groups hit | strong: groups miss (has eng; wants admin), mfa unknown (needs a step-up; wants true) | nearest: view',
    ],
    [
      'GET https://grafana.example.com/x',
      'groups=eng',
      'allow ALLOW_RULE route=grafana section=/ rule=grafana#view | deny no-contractors: groups miss (has eng; wants contractors) | edit: groups miss (has eng; wants sre|platform) | view: methods hit, groups hit | strong: groups miss (has eng; wants admin), mfa unknown (needs a step-up; wants true)',
    ],
    [
      'GET https://grafana.example.com/closed',
      'email=anna@example.com',
      'deny DENY_NO_RULE route=grafana section=/closed | deny no-contractors: groups miss (has none; wants contractors)',
    ],
    [
      'GET https://grafana.example.com/closed',
      'groups=sre',
      'deny DENY_NO_RULE route=grafana section=/closed | deny no-contractors: groups miss (has sre; wants contractors)',
    ],
    [
      'GET https://grafana.example.com/../x',
      'groups=sre',
      'deny DENY_BAD_REQUEST | the path climbs above the root or has too many readings',
    ],
    [
      'GET https://grafana.example.com/second/..%2fx',
      'groups=sre',
      'deny DENY_BAD_REQUEST | the path is read in several ways, which lead to different routes',
    ],
    [
      'GET https://grafna.example.com/',
      'groups=sre',
      'deny DENY_NO_ROUTE | no route owns the host `grafna.example.com` (did you mean `grafana.example.com`?)',
    ],
  ])('%s as %j', (line, as, expected) => {
    expect(explainLine(told(line, as))).toBe(expected)
  })

  it('of an anonymous caller names what is missing', () => {
    expect(explainLine(told('GET https://grafana.example.com/'))).toMatch(
      /^challenge CHALLENGE_NO_CREDENTIAL route=grafana section=\/ rule=grafana#edit \| .*edit: groups unknown \(needs a credential; wants sre\|platform\)/,
    )
  })
})

describe('the tree', () => {
  it('marks inherited denies, hits and misses', () => {
    const lines = explainTree(told('GET https://grafana.example.com/api/health', 'groups=contractors')).split(
      '\n',
    )
    expect(lines).toEqual([
      'deny DENY_RULE',
      '├─ request  GET grafana.example.com/api/health',
      '├─ route    grafana (owner team-observability)',
      '├─ section  /api/health (exact): accepts session, bearer',
      '│  ✓ deny no-contractors (inherited from /): hit',
      '│      ✓ groups hit (contractors)',
      '│  ✓ allow probe: hit',
      '│      ✓ methods hit (GET)',
      '│      ✓ anyone hit (anybody)',
      '└─ answer   403 by grafana#no-contractors',
    ])
  })

  it('shows every reading of a path, and which one answers', () => {
    const text = explainTree(told('GET https://grafana.example.com/api/health%2f..%2fx', ''))
    expect(text).toContain('├─ read as  ')
    expect(text).toContain('challenge CHALLENGE_NO_CREDENTIAL')
  })

  it('says that a section is closed, and that a credential does not count', () => {
    expect(explainTree(told('GET https://grafana.example.com/closed', ''))).toContain(
      'closed: `allow` is empty',
    )
    expect(explainTree(told('GET https://grafana.example.com/second', 'cred=bearer; groups=eng'))).toContain(
      'no credential that counts',
    )
  })

  it('says what is asked for', () => {
    expect(explainTree(told('GET https://grafana.example.com/', ''))).toContain(
      '401, asks for session or bearer',
    )
    expect(explainTree(told('POST https://grafana.example.com/', 'groups=admin; amr=pwd'))).toContain(
      '401, asks for a stronger',
    )
  })
})

describe('JSON', () => {
  it('holds the decision, its place, and each predicate', () => {
    expect(explainJson(told('POST https://grafana.example.com/x', 'groups=eng'))).toMatchObject({
      outcome: 'deny',
      reason: 'DENY_NO_RULE',
      route: 'grafana',
      section: '/',
      nearest: 'grafana#view',
      at: '2026-11-24T00:00:00.000Z',
      sections: [
        {
          path: '/',
          exact: false,
          believed: true,
          rules: [
            { id: 'no-contractors' },
            { id: 'edit', finding: 'miss' },
            {
              id: 'view',
              predicates: [
                { kind: 'methods', finding: 'miss', has: 'POST', wants: 'GET' },
                { finding: 'hit' },
              ],
            },
            { id: 'strong' },
          ],
        },
      ],
    })
  })
})

describe('a request line', () => {
  it.each([
    ['GET https://a.example.com', 'GET', '/'],
    ['https://a.example.com/x?y', 'GET', '/x?y'],
    ['a.example.com/x', 'GET', '/x'],
    ['delete http://A.example.com:8080/x', 'DELETE', '/x'],
    ['GET wss://a.example.com/x', 'WEBSOCKET', '/x'],
  ])('%s', (line, method, path) => {
    expect(parseRequestLine(line)).toMatchObject({ kind: 'request', method, path, host: 'a.example.com' })
  })

  it.each([
    '',
    'GET',
    'GET /x',
    'GET ftp://a.example.com/',
    'GET https://a.example.com:0/',
    'GET https://user@a.example.com/',
    'GET https://a.example.com/x y',
  ])('is not %j', (line) => {
    expect(parseRequestLine(line).kind).toBe(line === 'GET' ? 'request' : 'refused')
  })

  it('is sent as a browser sends it: no query, letters beyond ASCII as UTF-8', () => {
    expect(told('GET https://grafana.example.com/closed?x=/', 'groups=sre').decision.section).toBe('/closed')
    expect(told('GET https://grafana.example.com/ö', 'groups=sre').views).toContain('/%c3%b6')
  })
})

describe('a caller on the command line', () => {
  it.each([
    ['', 'anonymous'],
    ['anonymous', 'anonymous'],
    ['groups=sre,platform; email=a@x.org', { groups: ['sre', 'platform'], emails: ['a@x.org'] }],
    ['user=anna; cred=session', { users: ['any|anna'], cred: 'session' }],
    ['client=ci|x; auth_age=5m; ip=10.0.0.1', { clients: ['ci|x'], auth_age: '5m', ip: '10.0.0.1' }],
    [
      'claim.dept=payroll; claim.level=3; claim.id="3"; claim.on=true',
      { claims: { dept: 'payroll', level: 3, id: '3', on: true } },
    ],
    [
      'claim.roles=a,b; amr=pwd,otp; acr=gold',
      { claims: { roles: ['a', 'b'] }, amr: ['pwd', 'otp'], acr: 'gold' },
    ],
    ['service_account=monitoring/grafana', { service_accounts: ['monitoring/grafana'] }],
    ['service_accounts=a/b; cred=service-account', { service_accounts: ['a/b'], cred: 'service-account' }],
    ['authenticated', { authenticated: true }],
  ])('%s', (text, expected) => {
    expect(parseCaller(text)).toEqual({ kind: 'caller', caller: expected })
  })

  it.each([
    ['grops=sre', /unknown key `grops` \(did you mean `groups`\?\)/],
    ['groups=', /`groups` must be/],
    ['groups=a; groups=b', /stands twice/],
    ['group=a; groups=b', /stands twice/],
    ['cred=cookie', /`cred` must be/],
    ['email=a@x.org,b@x.org', /two `emails`/],
    ['user=a; client=b|c', /`users` and `clients`/],
    ['service_account=a/b; user=a', /`users` of a service account/],
    ['service_account=a', /`service_accounts` must be/],
    ['api_keys=x', /unknown key/],
    ['ip=10.0.0.256', /is no address/],
    ['authenticated=false', /unknown key/],
    ['claim.groups=a', /has a key of its own/],
  ])('is not %j', (text, why) => {
    const reading = parseCaller(text)
    expect(reading.kind === 'refused' && reading.why).toMatch(why)
  })
})
