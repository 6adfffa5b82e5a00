// One allow or deny line, as bytes. Every key of the language is named here, those that are not built yet too: a rule
// that uses one is refused with its place, never silently read without it.
import { z } from 'zod'
import {
  CLAIM_NAME,
  CLAIM_VALUE,
  CLIENT,
  CREDENTIAL_KIND,
  DAY,
  DURATION,
  EMAIL,
  EMAIL_DOMAIN,
  flag,
  GROUP,
  ID,
  listOf,
  METHOD,
  MOMENT,
  PATH,
  SERVICE_ACCOUNT,
  TEXT,
  USER,
} from './schema-word.ts'

const TEXTS = listOf(TEXT, 'a list of text; like `[a, b]`')

const claimValues = z.union(
  [CLAIM_VALUE, listOf(CLAIM_VALUE, 'a list of claim values')],
  'text, a number, a boolean, or a list of them; like `{dept: payroll}` or `{dept: [payroll, hr]}`',
)

/** Keys that say who calls. */
const subjects = {
  users: listOf(USER, 'a list of people; like `[corp|248289761001]`').optional(),
  emails: listOf(EMAIL, 'a list of addresses; like `[anna@example.com]`').optional(),
  email_domains: listOf(EMAIL_DOMAIN, 'a list of domains; like `[example.com]`').optional(),
  groups: listOf(GROUP, 'a list of groups, any of which is enough; like `[sre, platform]`').optional(),
  all_groups: listOf(GROUP, 'a list of groups, all of which are needed; like `[sre, oncall]`').optional(),
  claims: z
    .record(CLAIM_NAME, claimValues, 'claims by name, all of which are needed; like `{dept: payroll}`')
    .optional(),
  clients: listOf(CLIENT, 'a list of clients; like `[ci|deployer]`').optional(),
  service_accounts: listOf(
    SERVICE_ACCOUNT,
    'a list of Kubernetes service accounts; like `[monitoring/grafana]`',
  ).optional(),
  authenticated: flag('authenticated').optional(),
  anyone: flag('anyone').optional(),
  preflight: flag('preflight').optional(),
  from_networks: listOf(
    TEXT,
    'a list of network labels or CIDR blocks; like `[vpn, 10.8.0.0/16]`',
  ).optional(),
}

/** Keys that narrow a rule. */
const qualifiers = {
  methods: listOf(METHOD, 'a list of methods; like `[GET, POST]`').optional(),
  paths: listOf(PATH, 'a list of paths; like `[/api/query, /api/search/**]`').optional(),
  cred: listOf(CREDENTIAL_KIND, 'a list of credential kinds; like `[session]`').optional(),
  mfa: flag('mfa').optional(),
  amr: listOf(TEXT, 'a list of authentication methods; like `[hwk, otp]`').optional(),
  acr: listOf(TEXT, 'a list of authentication contexts; like `[gold]`').optional(),
  auth_age: DURATION.optional(),
  until: MOMENT.optional(),
}

const anything = z.unknown().optional()

/** Named, and refused as not built yet. */
const notBuilt = {
  api_keys: anything,
  github: anything,
  gitlab: anything,
  spiffe: anything,
  basic_users: anything,
  when: anything,
}

/** Keys of the language that no release reads yet. */
export const NOT_BUILT_KEYS: readonly (keyof typeof notBuilt)[] = [
  'api_keys',
  'github',
  'gitlab',
  'spiffe',
  'basic_users',
  'when',
]

/** Keys of a rule that say who calls; an allow needs one of them. */
export const SUBJECT_KEYS = [
  'users',
  'emails',
  'email_domains',
  'groups',
  'all_groups',
  'claims',
  'clients',
  'service_accounts',
  'authenticated',
  'anyone',
  'preflight',
  'from_networks',
] as const satisfies readonly (keyof typeof subjects)[]

export const ruleSchema = z.strictObject(
  { id: ID, ...subjects, ...qualifiers, ...notBuilt, why: TEXT.optional(), review: DAY.optional() },
  'a rule; like `{id: view, groups: [eng], methods: [GET]}`',
)

/** One allow or deny line as written. */
export type RuleEntry = z.infer<typeof ruleSchema>

/** `as` of a test: a caller in the words of the subjects. */
export const callerSchema = z.strictObject(
  {
    users: subjects.users,
    emails: subjects.emails,
    email_domains: subjects.email_domains,
    groups: subjects.groups,
    all_groups: subjects.all_groups,
    claims: subjects.claims,
    clients: subjects.clients,
    service_accounts: subjects.service_accounts,
    authenticated: subjects.authenticated,
    ...notBuilt,
    amr: TEXTS.optional(),
    acr: TEXT.optional(),
    auth_age: DURATION.optional(),
    cred: CREDENTIAL_KIND.optional(),
    ip: TEXT.optional(),
  },
  '`anonymous` or a caller; like `{groups: [sre]}`',
)

/** A caller that a test or `explain` imagines. */
export type CallerEntry = z.infer<typeof callerSchema>
