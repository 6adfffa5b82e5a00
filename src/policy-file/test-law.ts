// The form of an in-file test beyond its schema. Whether it passes depends on clock and rules, and belongs to `check`.
import { hostMatches, normalizeHost, parseHostPattern } from '../policy/host-pattern.ts'
import { parseIp } from '../policy/network.ts'
import type { Fault } from './issue.ts'
import type { DocumentFault } from './placed.ts'
import { NOT_BUILT_KEYS, type CallerEntry } from './schema-rule.ts'
import { TEST_VERBS, type PolicyEntry, type TestEntry } from './schema.ts'
import type { DocumentPath } from './yaml-range.ts'

/** Judges one test of a document; never throws. */
export const testFaults = (
  test: TestEntry,
  path: DocumentPath,
  policy: PolicyEntry,
): readonly DocumentFault[] => [
  ...requestFaults(test, path),
  ...hostFaults(test, path, policy),
  ...(test.as === 'anonymous'
    ? []
    : callerFaults(test.as).map(({ key, fault }): DocumentFault => ({
        path: key === undefined ? [...path, 'as'] : [...path, 'as', key],
        part: 'key',
        fault,
      }))),
]

const wrong = (what: string, why: string, mend: string): Fault => ({ code: 'E17', what, why, mend })

const requestFaults = (test: TestEntry, path: DocumentPath): readonly DocumentFault[] => {
  const named = [...TEST_VERBS, 'request' as const].filter((key) => test[key] !== undefined)
  const found: DocumentFault[] = []
  const [, second] = named
  if (named.length === 0)
    found.push({
      path,
      part: 'value',
      fault: wrong(
        'a test without a request',
        'it would ask nothing',
        `add one of ${TEST_VERBS.join(', ')}, like \`get: /\``,
      ),
    })
  if (second !== undefined)
    found.push({
      path: [...path, second],
      part: 'key',
      fault: wrong('a test with two requests', 'a test asks one thing', 'write two tests'),
    })
  if (test.preflight === true && test.options === undefined)
    found.push({
      path: [...path, 'preflight'],
      part: 'key',
      fault: wrong(
        '`preflight` without `options`',
        'a preflight is an OPTIONS request',
        'use `options: PATH`',
      ),
    })
  if (test.origin !== undefined && test.websocket === undefined)
    found.push({
      path: [...path, 'origin'],
      part: 'key',
      fault: wrong(
        '`origin` without `websocket`',
        'only handshakes are judged by their origin',
        'use `websocket: PATH`',
      ),
    })
  return found
}

const hostFaults = (test: TestEntry, path: DocumentPath, policy: PolicyEntry): readonly DocumentFault[] => {
  const place = { path: [...path, 'host'], part: 'value' } as const
  const patterns = policy.hosts.map(parseHostPattern).filter((pattern) => pattern !== undefined)
  if (test.host === undefined) {
    const mend = 'add `host: name.example.com`'
    return patterns.some((pattern) => pattern.kind === 'exact') || patterns.length === 0
      ? []
      : [
          {
            path,
            part: 'value',
            fault: wrong(
              'a test without `host` on a route of wildcards',
              'no host can be taken for granted',
              mend,
            ),
          },
        ]
  }
  const host = normalizeHost(test.host)
  if (host !== undefined && patterns.some((pattern) => hostMatches(pattern, host))) return []
  return [
    {
      ...place,
      fault: wrong(
        `\`${test.host}\` is not a host of this route`,
        `its hosts: ${policy.hosts.join(', ')}`,
        'write one of them',
      ),
    },
  ]
}

export interface CallerFault {
  readonly key: keyof CallerEntry | undefined
  readonly fault: Fault
}

/** Judges an imagined caller: what one person or machine cannot be. Never throws. */
export const callerFaults = (caller: CallerEntry): readonly CallerFault[] => [
  ...NOT_BUILT_KEYS.filter((key) => caller[key] !== undefined).map((key): CallerFault => {
    const fault = {
      what: `\`${key}\` is not built yet`,
      why: 'nothing verifies it',
      mend: 'leave it out for now',
    }
    return { key, fault: { code: 'E18', ...fault } }
  }),
  ...CALLER_LAWS.flatMap((law) => law(caller) ?? []),
]

type CallerLaw = (caller: CallerEntry) => CallerFault | undefined

const broken = (
  key: keyof CallerEntry | undefined,
  what: string,
  why: string,
  mend: string,
): CallerFault => ({ key, fault: wrong(what, why, mend) })

const oneValue =
  (key: 'users' | 'emails' | 'email_domains' | 'clients' | 'service_accounts'): CallerLaw =>
  (caller) =>
    (caller[key]?.length ?? 1) > 1
      ? broken(key, `two \`${key}\` for one caller`, 'a caller has one', 'write two tests')
      : undefined

const ownKey =
  (name: 'groups' | 'email', key: string): CallerLaw =>
  (caller) =>
    Object.hasOwn(caller.claims ?? {}, name)
      ? broken(
          'claims',
          `the claim \`${name}\` has a key of its own`,
          'rules read it there',
          `use \`${key}\``,
        )
      : undefined

/** What no service account has. */
const NOT_OF_ACCOUNTS = [
  'users',
  'emails',
  'email_domains',
  'clients',
  'authenticated',
  'amr',
  'acr',
  'auth_age',
] as const

const accountLaw: CallerLaw = (caller) => {
  if (caller.service_accounts === undefined && caller.cred !== 'service-account') return undefined
  const other = NOT_OF_ACCOUNTS.find((key) => caller[key] !== undefined)
  if (other !== undefined)
    return broken(other, `\`${other}\` of a service account`, 'it is a machine without them', 'drop one')
  return caller.cred === undefined || caller.cred === 'service-account'
    ? undefined
    : broken(
        'cred',
        `a service account with \`${caller.cred}\``,
        'its token is a kind of its own',
        'drop `cred`',
      )
}

const CALLER_LAWS: readonly CallerLaw[] = [
  (caller) =>
    Object.values(caller).every((value) => value === undefined)
      ? broken(
          undefined,
          'a caller about whom nothing is said',
          'it could be anybody',
          'write `anonymous`, or `{authenticated: true}`',
        )
      : undefined,
  oneValue('users'),
  oneValue('emails'),
  oneValue('email_domains'),
  oneValue('clients'),
  oneValue('service_accounts'),
  accountLaw,
  (caller) =>
    caller.users !== undefined && caller.clients !== undefined
      ? broken(
          'clients',
          '`users` and `clients` for one caller',
          'one is a person, the other a machine',
          'drop one',
        )
      : undefined,
  (caller) =>
    caller.emails !== undefined && caller.email_domains !== undefined
      ? broken(
          'email_domains',
          '`emails` and `email_domains` for one caller',
          'the address says both',
          'drop `email_domains`',
        )
      : undefined,
  ownKey('groups', 'groups'),
  ownKey('email', 'emails'),
  (caller) =>
    caller.ip !== undefined && parseIp(caller.ip) === undefined
      ? broken(
          'ip',
          `\`${caller.ip}\` is no address`,
          'networks are compared by address',
          'write it like `10.8.0.7`',
        )
      : undefined,
]
