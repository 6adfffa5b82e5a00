// The policy language on disk: one strict schema for one file. Only form is judged here; laws that span several keys are
// in compile. `policy.schema.json` is made from it.
import { z } from 'zod'
import { callerSchema, ruleSchema } from './schema-rule.ts'
import {
  API_VERSION,
  CLAIM_NAME,
  CREDENTIAL_KIND,
  flag,
  HOST,
  ID,
  listOf,
  MOMENT,
  PATH,
  SOURCE_ID,
  TEXT,
  word,
} from './schema-word.ts'

const accepts = listOf(CREDENTIAL_KIND, 'a list of credential kinds; like `[session, bearer]`').optional()

const echo = z
  .array(
    z.enum(['authorization', 'cookie'], '`authorization` or `cookie`'),
    'a list; like `[authorization, cookie]`, or `[]` for none',
  )
  .optional()

const passthrough = z
  .array(z.literal('basic', '`basic`; nothing else passes through'), 'a list; `[basic]` or `[]`')
  .optional()

const section = z.strictObject(
  {
    path: PATH,
    exact: flag('exact').optional(),
    deny: listOf(ruleSchema, 'a list of rules; leave `deny` out if there is none').optional(),
    allow: z.array(ruleSchema, 'a list of rules; `allow: []` closes the section'),
    accepts,
    echo,
    passthrough,
  },
  'a section; like `{path: /, allow: [{id: view, groups: [eng]}]}`',
)

/** A section as written. */
export type SectionEntry = z.infer<typeof section>

const HEADER = word(/^[A-Za-z][A-Za-z0-9-]{0,63}$/, 'a header name; like `X-WEBAUTH-USER`')
const header = z.union([HEADER, z.literal(false)], 'a header name, or `false` for none').optional()

/** Names of header presets. */
export const IDENTITY_PRESETS = ['default', 'grafana', 'jenkins', 'remote-user'] as const

const PRESET_EXPECTED = `a preset; one of ${IDENTITY_PRESETS.map((name) => `\`${name}\``).join(', ')}`
const preset = z.enum(IDENTITY_PRESETS, PRESET_EXPECTED)

const identity = z.union(
  [
    preset,
    z.strictObject({
      preset: preset.optional(),
      user: header,
      email: header,
      groups: header,
      preferredUsername: header,
      assertion: header,
      groupSeparator: word(/^[,;|: ]$/, 'one of `,` `;` `|` `:` and space, in quotes').optional(),
      claims: z
        .record(HEADER, CLAIM_NAME, 'header names with a claim each; like `{X-Dept: dept}`')
        .optional(),
      anonymousUser: word(/^[A-Za-z0-9._-]{1,64}$/, 'a name; like `anonymous`').optional(),
    }),
  ],
  `${PRESET_EXPECTED}, or names of your own: \`{user: X-User, groups: X-Groups}\``,
)

/** `identity:` as written. */
export type IdentityEntry = z.infer<typeof identity>

/** The keys that name a test's method. */
export const TEST_VERBS = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options', 'websocket'] as const

const verb = PATH.optional()

const test = z.strictObject(
  {
    as: z.union([z.literal('anonymous'), callerSchema], '`anonymous` or a caller; like `{groups: [sre]}`'),
    get: verb,
    head: verb,
    post: verb,
    put: verb,
    patch: verb,
    delete: verb,
    options: verb,
    websocket: verb,
    request: word(/^[A-Z][A-Z-]* \/\S*$/, 'a method and a path; like `PROPFIND /dav`').optional(),
    host: HOST.optional(),
    origin: TEXT.optional(),
    preflight: flag('preflight').optional(),
    at: MOMENT.optional(),
    expect: word(
      /^(?:(?:allow|deny)(?: \S+)?|challenge|step-up)$/,
      'an outcome; `allow [rule]`, `deny [rule]`, `challenge` or `step-up`',
    ),
  },
  'a test; like `{as: {groups: [sre]}, get: /, expect: allow}`',
)

/** An in-file test as written. */
export type TestEntry = z.infer<typeof test>

export const policySchema = z.strictObject(
  {
    apiVersion: API_VERSION,
    route: ID,
    owner: TEXT.optional(),
    hosts: listOf(HOST, 'a list of hosts; like `[app.example.com]`'),
    accepts,
    identity: identity.optional(),
    issuers: listOf(SOURCE_ID, 'a list of provider and issuer ids; like `[corp]`').optional(),
    signin: z
      .enum(
        ['location', 'all-401', 'none'],
        '`location`, `all-401` or `none`; what the proxy does with a 401',
      )
      .optional(),
    log: z.enum(['all', 'changes'], '`all` or `changes`').optional(),
    audit: z.enum(['best-effort', 'strict'], '`best-effort` or `strict`').optional(),
    origins: listOf(TEXT, 'a list of origins; like `["https://app.example.com"]`').optional(),
    echo,
    passthrough,
    sections: listOf(section, 'a list of sections; like `[{path: /, allow: []}]`'),
    tests: listOf(test, 'a list of tests; leave `tests` out if there is none').optional(),
  },
  'a policy; it starts with `apiVersion: postern/v1`',
)

/** One policy file as written, its form checked. */
export type PolicyEntry = z.infer<typeof policySchema>

const day = z.strictObject({ owner: TEXT, expires: MOMENT.optional() }, 'a machine; like `{owner: team-ci}`')

export const directorySchema = z.strictObject(
  {
    apiVersion: API_VERSION.optional(),
    groups: z.array(TEXT, 'a list of groups; like `[sre, eng]`').optional(),
    machines: z.record(TEXT, day, 'machines by name; like `{ci-bot: {owner: team-ci}}`').optional(),
    networks: z
      .record(ID, listOf(TEXT, 'a list of CIDR blocks; like `[10.8.0.0/16]`'), 'labels with CIDR blocks')
      .optional(),
  },
  'a directory; like `{groups: [sre, eng]}`',
)

/** `directory.yaml` as written. */
export type DirectoryEntry = z.infer<typeof directorySchema>
