// The small values of the policy language. Each message is what was expected, then, after `; `, how to write it.
import { z } from 'zod'
import { CREDENTIAL_KINDS } from '../policy/credential-kind.ts'
import { SERVICE_ACCOUNT as SERVICE_ACCOUNT_NAME } from '../policy/service-account.ts'
import { parseMoment } from './calendar.ts'
import { parseDurationSeconds } from './duration.ts'
import { KNOWN_METHODS } from './known-method.ts'

/** Text of one line, checked by a pattern. */
export const word = (pattern: RegExp, expected: string): z.ZodString =>
  z.string(expected).regex(pattern, expected).describe(expected)

/** A list with at least one value: an empty one says nothing, and nobody would notice. */
export const listOf = <Item extends z.ZodType>(item: Item, expected: string): z.ZodArray<Item> =>
  z.array(item, expected).min(1, expected).describe(expected)

/** A flag that is either `true` or not there. */
export const flag = (name: string): z.ZodLiteral<true> =>
  z.literal(true, `\`true\`; leave \`${name}\` out if it is not meant`)

export const ID = word(
  /^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/,
  'an id of lower-case letters, digits, `-`, `_` and `.`; like `view` or `no-contractors`',
)

export const TEXT = word(
  /^\S(?:[^\r\n]{0,498}\S)?$/,
  'one line of text, without spaces at its ends; put it in quotes',
)

export const GROUP = word(
  /^\S(?:[^\r\n]{0,254}\S)?$/,
  'the name of a group, without spaces at its ends; put numbers in quotes: `"1.10"`',
)

export const PATH = word(/^\//, 'an absolute path; it starts with `/`')

export const HOST = word(/\S/, 'a host name; like `app.example.com` or `"*.example.com"`')

export const USER = word(/^[^|\s]+\|\S+$/, 'a person as `provider|sub`; like `corp|248289761001`')

export const CLIENT = word(/^[^|\s]+\|\S+$/, 'a client as `issuer|client_id`; like `ci|deployer`')

export const SERVICE_ACCOUNT = word(
  SERVICE_ACCOUNT_NAME,
  'a Kubernetes service account as `namespace/name`; like `monitoring/grafana`',
)

export const EMAIL = word(/^[\x21-\x3f\x41-\x7e]+@[A-Za-z0-9.-]+$/, 'an address; like `anna@example.com`')

export const EMAIL_DOMAIN = word(
  /^(?!\.)(?!.*\.\.)[A-Za-z0-9.-]+(?<!\.)$/,
  'a domain without `@` and without sub-domains; like `example.com`',
)

export const METHOD: z.ZodType<string> = z.enum(
  KNOWN_METHODS,
  'a known method in upper case; like `GET`, which includes `HEAD`, or `WEBSOCKET`',
)

export const CLAIM_NAME = word(/^[^\s.][^\s]{0,127}$/, 'the name of a claim; like `dept`')

export const CLAIM_VALUE = z.union(
  [z.string().regex(/^\S(?:[^\r\n]{0,498}\S)?$/), z.number(), z.boolean()],
  'text of one line without spaces at its ends, a number or a boolean; put text in quotes where in doubt',
)

export const CREDENTIAL_KIND = z.enum(
  CREDENTIAL_KINDS,
  `a kind of credential; one of ${CREDENTIAL_KINDS.map((kind) => `\`${kind}\``).join(', ')}`,
)

const MOMENT_EXPECTED =
  'a date, the last valid day in UTC, or an instant; like `2027-01-31` or `2027-01-31T12:00:00Z`'

export const MOMENT = z
  .string(MOMENT_EXPECTED)
  .refine((text) => parseMoment(text) !== undefined, MOMENT_EXPECTED)

const DAY_EXPECTED = 'a date; like `2027-01-31`'

export const DAY = z.string(DAY_EXPECTED).refine((text) => parseMoment(text)?.kind === 'day', DAY_EXPECTED)

const DURATION_EXPECTED = 'a duration; like `10m`, `8h` or `7d`'

export const DURATION = z
  .string(DURATION_EXPECTED)
  .refine((text) => parseDurationSeconds(text) !== undefined, DURATION_EXPECTED)

export const SOURCE_ID = word(/^[^\s|#]{1,64}$/, 'the id of a provider or issuer; like `corp`')

export const API_VERSION = z.literal('postern/v1', '`postern/v1`; write `apiVersion: postern/v1`')
