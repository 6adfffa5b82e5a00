// The kinds of value that the configuration is made of, with the words that say what is wrong with one. A schema keeps
// what was written (`12h`, `{file: …}`): decoding comes after, so that `config show` can show it.
import { z } from 'zod'
import { parseNetwork } from '../policy/network.ts'
import { BYTE_SIZE, BYTE_SIZE_HELP } from './byte-size.ts'
import { DURATION, DURATION_HELP } from './duration.ts'
import { LISTEN_HELP, parseListenAddress } from './listen-address.ts'
import { faultOfProviderUrl, parsePublicUrl } from './public-url.ts'

/** A text that somebody meant: not empty, no white space around it. */
export const text = (): z.ZodString =>
  z.string().regex(/^\S(?:.*\S)?$/, {
    error: ({ input }) =>
      input === '' ? 'it must be a text, not empty' : 'it must be a text without white space around it',
  })

/** Names a part of the configuration: in log lines, policies and paths such as `/callback/<id>`. */
export const id = (): z.ZodString =>
  z.string().regex(/^[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?$/, {
    error: 'an id has 1 to 64 of `a-z`, `0-9`, `-` and `_`, and begins and ends with a letter or digit',
  })

/** A duration such as `12h`. */
export const duration = (): z.ZodString =>
  z
    .string()
    .regex(DURATION, { error: (issue) => `${quoted(issue.input)} is not a duration; ${DURATION_HELP}` })

/** A size such as `100MB`. */
export const byteSize = (): z.ZodString =>
  z.string().regex(BYTE_SIZE, { error: (issue) => `${quoted(issue.input)} is not a size; ${BYTE_SIZE_HELP}` })

/** An address to listen on. */
export const listenAddress = (): z.ZodString =>
  z.string().refine((value) => parseListenAddress(value) !== undefined, {
    error: (issue) => `${quoted(issue.input)} is not an address to listen on; ${LISTEN_HELP}`,
  })

/** A CIDR block or one address. */
export const network = (): z.ZodString =>
  z.string().refine((value) => parseNetwork(value) !== undefined, {
    error: (issue) =>
      `${quoted(issue.input)} is not a network; write a CIDR block without bits beyond its prefix, such as \`10.8.0.0/16\`, or one address`,
  })

/** An e-mail address in its plain form: no name, no comment, no quotes (RFC 6068 §2 puts it into a link). */
export const emailAddress = (): z.ZodString =>
  z.string().regex(/^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)*[A-Za-z0-9-]{1,63}$/, {
    error: (issue) =>
      `${quoted(issue.input)} is not an e-mail address; write one such as \`access@example.com\``,
  })

/** A header field name (RFC 9110 §5.1). */
export const headerName = (): z.ZodString =>
  z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, {
    error: (issue) => `${quoted(issue.input)} is not a header name`,
  })

/** `publicUrl`. */
export const publicUrl = (): z.ZodString =>
  z.string().superRefine((value, context) => {
    const reading = parsePublicUrl(value)
    if (reading.kind === 'bad') context.addIssue(reading.why)
  })

/** Path in front of our own paths on the hosts of applications. */
export const pathPrefix = (): z.ZodString =>
  z.string().regex(/^(?:\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$/, {
    error: (issue) =>
      `${quoted(issue.input)} is not a path of plain segments; write one such as \`/postern\`, without a slash at its end`,
  })

/** An issuer, or where its keys are. */
export const providerUrl = (): z.ZodString =>
  z.string().superRefine((value, context) => {
    const fault = faultOfProviderUrl(value)
    if (fault !== undefined) context.addIssue(fault)
  })

const SECRET_HELP = 'write `{file: …}` (a path from the folder of this file) or `{env: …}` (a variable)'

/** Where a secret is: never the secret itself. */
export const secretReference = () =>
  z.union([z.strictObject({ file: text() }), z.strictObject({ env: text() })], {
    error: (issue) =>
      typeof issue.input === 'string'
        ? `a secret must not stand in the configuration, which many read and which is kept in git; ${SECRET_HELP}`
        : `a secret is named by exactly one of two places: ${SECRET_HELP}`,
  })

export type SecretReference = z.output<ReturnType<typeof secretReference>>

/**
 * Lets the schema know a key that no code stands behind yet: using it is an error, not a silence.
 * @param isUsed tells a value that asks for something from an empty one
 */
export const notBuilt = <T extends z.ZodType>(
  schema: T,
  what: string,
  isUsed: (value: unknown) => boolean,
): T => schema.refine((value) => !isUsed(value), { error: `${what} is not built yet; leave it out` })

/** True for anything but an empty list or map, and `false`. */
export const isAnything = (value: unknown): boolean =>
  typeof value === 'object' && value !== null
    ? Object.keys(value).length > 0
    : value !== undefined && value !== false

/** A value in a message, in backticks, cut where it is long. */
export const quoted = (value: unknown): string => {
  const shown = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value))
  return `\`${shown.length > 80 ? `${shown.slice(0, 80)}…` : shown}\``
}
