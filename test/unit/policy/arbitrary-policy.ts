// Random policies, requests and callers over small alphabets, so that they meet often.
import fc from 'fast-check'
import type { RuleEntry } from '../../../src/policy-file/schema-rule.ts'
import type { PolicyEntry, SectionEntry } from '../../../src/policy-file/schema.ts'
import type { ClaimValue, Principal } from '../../../src/policy/principal.ts'

export const NOW = Date.UTC(2026, 10, 24)

const GROUPS = ['g1', 'g2', 'g3'] as const
const SEGMENTS = ['a', 'b', 'Admin'] as const
const some = <Value>(values: readonly Value[]): fc.Arbitrary<Value[]> =>
  fc.subarray([...values], { minLength: 1 })

const patternSegment = fc.constantFrom<string>(...SEGMENTS, '*')
const pattern = fc.array(patternSegment, { maxLength: 3 }).map((segments) => `/${segments.join('/')}`)

/** Keys of a rule but its id; `paths` lie inside the section. */
const qualifiers = (section: string, exact: boolean): fc.Arbitrary<Partial<RuleEntry>> => {
  const base = section === '/' ? '' : section
  const path = exact
    ? fc.constant(section)
    : fc
        .tuple(fc.array(patternSegment, { maxLength: 2 }), fc.boolean())
        .map(([more, below]) => [base, ...more].join('/') + (below ? '/**' : '') || '/')
  return fc.record(
    {
      methods: some(['GET', 'POST', 'HEAD', 'WEBSOCKET']),
      paths: fc.uniqueArray(path, { minLength: 1, maxLength: 2, selector: (one) => one.toLowerCase() }),
    },
    { requiredKeys: [] },
  )
}

const subject: fc.Arbitrary<Partial<RuleEntry>> = fc.oneof(
  { weight: 4, arbitrary: some(GROUPS).map((groups) => ({ groups })) },
  some(GROUPS).map((all_groups) => ({ all_groups })),
  fc.constantFrom('x', 1, true).map((dept) => ({ claims: { dept } })),
  fc.constant<Partial<RuleEntry>>({ users: ['corp|ann'] }),
  fc.constant<Partial<RuleEntry>>({ clients: ['corp|robot'] }),
  some(['ns/a', 'ns/b']).map((service_accounts) => ({ service_accounts })),
  fc.constant<Partial<RuleEntry>>({ email_domains: ['x.org'] }),
  fc.constant<Partial<RuleEntry>>({ emails: ['Ann@x.org'] }),
  fc.constant({ authenticated: true as const }),
)

const proof: fc.Arbitrary<Partial<RuleEntry>> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ mfa: true as const }) },
  { weight: 2, arbitrary: fc.constantFrom('1h', '4h').map((auth_age) => ({ auth_age })) },
  fc.constant({ mfa: true as const, auth_age: '1h' }),
  some(['pwd', 'otp']).map((amr) => ({ amr })),
  some(['gold', 'tin']).map((acr) => ({ acr, mfa: true as const })),
  some(['session', 'bearer', 'service-account'] as const).map((cred) => ({ cred })),
  fc.constantFrom('2026-11-23', '2026-11-24', '2027-01-31').map((until) => ({ until })),
)

const open: fc.Arbitrary<Partial<RuleEntry>> = fc.oneof(
  fc.constant({ anyone: true as const, why: 'test', review: '2027-01-01' }),
  fc.constant({ preflight: true as const }),
)

const allowBody = (section: string, exact: boolean): fc.Arbitrary<Partial<RuleEntry>> =>
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc
        .tuple(
          qualifiers(section, exact),
          subject,
          fc.oneof({ weight: 2, arbitrary: fc.constant({}) }, proof),
        )
        .map(([a, b, c]) => ({ ...a, ...b, ...c })),
    },
    { weight: 1, arbitrary: fc.tuple(qualifiers(section, exact), open).map(([a, b]) => ({ ...a, ...b })) },
  )

/** Keys of a deny, its id apart. */
export const denyBody = (section: string, exact: boolean): fc.Arbitrary<Partial<RuleEntry>> =>
  fc
    .tuple(qualifiers(section, exact), fc.oneof(subject, fc.constant({})))
    .map(([a, b]) => ({ ...a, ...b }))
    .filter((body) => Object.keys(body).length > 0)

const sectionAt = (path: string, exact: boolean): fc.Arbitrary<SectionEntry> =>
  fc
    .record({
      deny: fc.array(denyBody(path, exact), { maxLength: 2 }),
      allow: fc.array(allowBody(path, exact), { maxLength: 3 }),
      accepts: fc.constantFrom<SectionEntry['accepts'][]>(undefined, [
        'session',
        'bearer',
        'service-account',
      ]),
    })
    .map(({ deny, allow, accepts }) => ({
      path,
      ...(exact ? { exact: true as const } : {}),
      ...(accepts === undefined ? {} : { accepts }),
      ...(deny.length === 0 ? {} : { deny: deny.map((body, index) => ({ id: `d${index}`, ...body })) }),
      allow: allow.map((body, index) => ({ id: `a${index}`, ...body })),
    }))

/** Policies of one host; laws of kinds hold because the route accepts all of them. */
export const policy = (route: string, hosts: readonly string[], root: string): fc.Arbitrary<PolicyEntry> =>
  fc
    .uniqueArray(fc.tuple(pattern, fc.boolean()), {
      maxLength: 4,
      selector: ([path, exact]) => `${path.toLowerCase()}${exact ? '!' : ''}`,
    })
    .chain((places) => {
      const inside = places
        .filter(([path]) => path !== '/')
        .map(([path, exact]) => sectionAt(root + path, exact))
      return fc.tuple(sectionAt(root === '' ? '/' : root, false), ...inside)
    })
    .map((sections) => ({
      apiVersion: 'postern/v1',
      route,
      hosts: [...hosts],
      accepts: ['session', 'bearer', 'service-account'],
      sections,
    }))

/** A path of plain segments. */
export const plainPath: fc.Arbitrary<string> = fc
  .tuple(fc.array(fc.constantFrom('a', 'b', 'admin', 'Admin', 'c'), { maxLength: 4 }), fc.boolean())
  .map(([segments, slash]) => `/${segments.join('/')}${slash && segments.length > 0 ? '/' : ''}`)

const strangePart = fc.constantFrom(
  'a',
  'b',
  'admin',
  'Admin',
  '..',
  '.',
  '',
  '%61',
  '%2e%2e',
  '%2f',
  '%252f',
  '..;x',
  'a;p=1',
  '%5c',
  '\\',
  'b%20',
  '%c3%bc',
  '%ff',
  '%23',
  '%25',
  '*',
)

/** A path as an attacker would write it. */
export const strangePath: fc.Arbitrary<string> = fc
  .array(fc.tuple(fc.constantFrom('/', '//', ''), strangePart), { minLength: 1, maxLength: 5 })
  .map((parts) => `/${parts.map(([slash, part]) => slash + part).join('')}`)

const claimValue = fc.oneof(fc.constantFrom<ClaimValue>('x', 1, true), fc.constant<ClaimValue>(['x', 'y']))

/** A caller, with every way in which a claim can be missing. */
export const principal: fc.Arbitrary<Principal | undefined> = fc.option(
  fc
    .record({
      kind: fc.constantFrom('person' as const, 'machine' as const),
      credential: fc.constantFrom('session' as const, 'bearer' as const, 'service-account' as const),
      account: fc.constantFrom(undefined, 'ns/a', 'ns/c'),
      subject: fc.constantFrom('ann', 'bob'),
      client: fc.constantFrom(undefined, 'robot'),
      groups: fc.option(fc.subarray([...GROUPS]), { nil: undefined }),
      dept: fc.option(claimValue, { nil: undefined }),
      email: fc.constantFrom(undefined, 'ann@x.org', 'ANN@X.ORG', 'a@b@x.org', 'ann@sub.x.org'),
      assertable: fc.subarray(['groups', 'dept', 'email']),
      captured: fc.oneof(fc.constant('every' as const), fc.subarray(['groups', 'dept', 'email'])),
      cut: fc.subarray(['groups', 'dept'], { maxLength: 1 }),
      emailVerified: fc.boolean(),
      amr: fc.subarray(['pwd', 'otp']),
      acr: fc.constantFrom(undefined, 'gold'),
      age: fc.option(fc.integer({ min: 0, max: 20_000 }), { nil: undefined }),
    })
    .map(({ account, groups, dept, email, assertable, captured, cut, age, ...rest }): Principal => {
      const claims = new Map<string, ClaimValue>()
      if (groups !== undefined) claims.set('groups', groups)
      if (dept !== undefined) claims.set('dept', dept)
      if (email !== undefined) claims.set('email', email)
      return {
        ...rest,
        ...(account === undefined ? {} : { serviceAccount: account }),
        source: 'corp',
        claims,
        assertable: new Set(assertable),
        captured: captured === 'every' ? captured : new Set(captured),
        cut: new Set(cut),
        groupsComplete: true,
        authTimeSeconds: age === undefined ? undefined : NOW / 1000 - age,
        multiFactor: rest.amr.length === 2,
        multiFactorAcr: [],
        stepUp: undefined,
        sessionId: undefined,
        expiresAtSeconds: undefined,
      }
    }),
  { nil: undefined },
)
