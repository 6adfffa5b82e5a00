// Ends sessions at a running service, through its admin listener.
import { readFileSync } from 'node:fs'
import type { Config } from '../config/config.ts'
import { Secret } from '../policy/secret.ts'
import { complain, EXIT_INVALID } from './complain.ts'
import { flagsOf, type GivenOptions } from './config-options.ts'
import { loadedConfig } from './loaded-config.ts'

export interface RevokeOptions extends GivenOptions {
  readonly config: readonly string[]
  readonly sub: string | undefined
  readonly provider: string | undefined
  readonly all: boolean
  readonly server: string | undefined
  readonly tokenFile: string | undefined
}

const EXIT_UNREACHABLE = 3

/**
 * Ends them.
 * @returns the exit code: 0 when the revocation is in force, 1 where the service refused it or could not write it down,
 *   2 for usage, 3 where the service cannot be reached.
 */
export const revokeSessions = async (id: string | undefined, options: RevokeOptions): Promise<number> => {
  const request = requestOf(id, options)
  if (request === undefined) return complain('name one session id, `--sub`, or `--all`')
  const access = accessOf(options)
  if (typeof access === 'string') return complain(access)
  if (access === undefined) return EXIT_INVALID
  if (id !== undefined && !SESSION_ID.test(id)) process.stderr.write(strangeId(id))
  return send(access, request)
}

/** What sign-in and `session mint` make: 18 random bytes in base64url. */
const SESSION_ID = /^[\w-]{24}$/

const strangeId = (id: string): string =>
  `note: \`${id}\` has not the form of a session id (24 letters, digits, \`-\` and \`_\`), so it probably ends nobody; ` +
  'take `session` of a `login` or `session.mint` line of the decision log\n'

type Body = Readonly<Record<string, string | boolean>>

const requestOf = (id: string | undefined, options: RevokeOptions): Body | undefined => {
  const { sub, provider, all } = options
  const named = [id !== undefined, sub !== undefined, all].filter(Boolean).length
  if (named !== 1) return undefined
  if (id !== undefined) return { id }
  if (all) return { all: true }
  return sub === undefined
    ? undefined
    : { subject: sub, ...(provider === undefined ? {} : { source: provider }) }
}

interface Access {
  readonly server: string
  readonly token: Secret
}

/** From the flags, else from the configuration; a text says what is missing. */
const accessOf = (options: RevokeOptions): Access | string | undefined => {
  if (options.server !== undefined && options.tokenFile !== undefined) {
    const token = readToken(options.tokenFile)
    return token === undefined
      ? `\`--token-file\`: \`${options.tokenFile}\` cannot be read`
      : { server: options.server, token }
  }
  const config = loadedConfig(options.config, flagsOf(options))
  if (config === undefined) return undefined
  const token = options.tokenFile === undefined ? config.admin.tokens[0]?.token : readToken(options.tokenFile)
  if (token === undefined)
    return `\`admin.token\` is not configured in ${config.file}, so nobody may administer the service`
  return { server: options.server ?? serverOf(config), token }
}

const readToken = (file: string): Secret | undefined => {
  try {
    return new Secret(readFileSync(file, 'utf8').trim())
  } catch {
    return undefined
  }
}

const serverOf = (config: Config): string => {
  const { host, port } = config.listen.admin
  const reachable =
    host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host.includes(':') ? `[${host}]` : host
  return `http://${reachable}:${port}`
}

const send = async (access: Access, body: Body): Promise<number> => {
  let response: Response
  try {
    response = await fetch(`${access.server}/admin/v1/sessions/revoke`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${access.token.reveal()}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
      redirect: 'error',
    })
  } catch {
    return complain(
      `no service answers at ${access.server}; is it running, and is \`listen.admin\` right?`,
      EXIT_UNREACHABLE,
    )
  }
  const text = await response.text()
  if (!response.ok)
    return complain(
      `the service refused (${response.status}): ${text.trim()}`,
      response.status === 400 ? EXIT_INVALID : 1,
    )
  process.stdout.write(`${text.trim()}\n`)
  return tellDurability(text)
}

/** A revocation that a restart would forget is not done: it has to be given again. */
const tellDurability = (text: string): number => {
  const answer: unknown = JSON.parse(text)
  if (typeof answer !== 'object' || answer === null || !('durable' in answer)) return 0
  if (answer.durable === true) return 0
  if ('why' in answer)
    return complain(
      `it is in force, and a restart would forget it: ${String(answer.why)}; mend that and revoke again`,
      1,
    )
  process.stderr.write('note: a restart of the service forgets it; configure `state.file` to keep it\n')
  return 0
}
