// What was heard from a provider or issuer, as findings: why it cannot be reached, what it said instead, and whose clock
// is wrong. What others wrote is shown without control characters, and short.
import type { Fault } from '../policy-file/issue.ts'
import type { Heard } from './online-fetch.ts'

/** Who is asked, and what depends on it. */
export interface Asked {
  readonly id: string
  readonly kind: 'provider' | 'issuer'
  readonly issuer: string
}

/** Why it cannot be reached; undefined where the last thing heard was an answer. */
export const reachFault = (asked: Asked, heard: readonly Heard[]): Fault | undefined => {
  const last = heard.at(-1)
  if (last === undefined) return undefined
  const { address, answer } = last
  const fault = (what: string, mend: string): Fault => ({
    code: 'E40',
    what: `\`${asked.id}\` cannot be reached: ${what} at ${shown(address)}`,
    why: CONSEQUENCE[asked.kind],
    mend,
  })
  switch (answer.kind) {
    case 'timeout':
      return fault('no answer in time', 'look whether a firewall or proxy stands between this machine and it')
    case 'failed':
      return fault(answer.code, mendOf(answer.code))
    case 'answer':
      return answer.status < 500
        ? undefined
        : fault(`it answered ${answer.status}`, 'look into its own log, and try again')
  }
}

const CONSEQUENCE: Readonly<Record<Asked['kind'], string>> = {
  provider: 'nobody can sign in there; sessions that there are go on until they are due',
  issuer: 'its tokens are answered 503 until its keys were fetched once',
}

const mendOf = (code: string): string => {
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return 'its host name is not known here: compare `issuer`, and look at the name servers of this machine'
  if (code === 'ECONNREFUSED') return 'nothing listens there: compare host and port of `issuer`'
  if (/CERT|SIGNATURE|ALTNAME|SELF_SIGNED/.test(code))
    return 'its certificate is not trusted: name its authority in `NODE_EXTRA_CA_CERTS`, or mend the certificate'
  return 'compare `issuer`, and look whether it can be reached from this machine'
}

/** What the last answer was, where it was not what was asked for; undefined where it looks like JSON. */
export const strangeAnswer = (heard: readonly Heard[]): string | undefined => {
  const last = heard.at(-1)
  if (last?.answer.kind !== 'answer') return undefined
  const { status, contentType, location } = last.answer
  if (status >= 300 && status < 400)
    return `it answered ${status}, a redirect${location === undefined ? '' : ` to ${shown(location)}`}, at ${shown(last.address)}`
  if (status !== 200) return `it answered ${status} at ${shown(last.address)}`
  return contentType === '' || contentType.endsWith('json')
    ? undefined
    : `it answered with ${shown(contentType)} instead of JSON at ${shown(last.address)}`
}

/** The issuer that a discovery document names, where it names another one. */
export const otherIssuer = ({ issuer }: Asked, heard: readonly Heard[]): string | undefined => {
  for (const { answer } of heard) {
    const named = answer.kind === 'answer' ? issuerIn(answer.text) : undefined
    if (named !== undefined && named !== issuer) return shown(named)
  }
  return undefined
}

const issuerIn = (text: string): string | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' &&
      value !== null &&
      'issuer' in value &&
      typeof value.issuer === 'string'
      ? value.issuer
      : undefined
  } catch {
    return undefined
  }
}

const WARN_SECONDS = 30
const ERROR_SECONDS = 60

/** The clock difference that counts: the least that was heard, since a slow answer only adds to it. */
export const clockAhead = (heard: readonly Heard[]): number | undefined =>
  heard
    .flatMap(({ clockAheadSeconds }) => (clockAheadSeconds === undefined ? [] : [clockAheadSeconds]))
    .toSorted((one, other) => Math.abs(one) - Math.abs(other))[0]

/** Times that others write are read with a tolerance of 60 s. */
export const clockFault = ({ id }: Asked, heard: readonly Heard[]): Fault | undefined => {
  const ahead = clockAhead(heard)
  if (ahead === undefined || Math.abs(ahead) <= WARN_SECONDS) return undefined
  const isError = Math.abs(ahead) > ERROR_SECONDS
  return {
    code: isError ? 'E44' : 'W43',
    what: `the clock of \`${id}\` is ${clockText(ahead)}`,
    why: isError
      ? 'times in tokens are read with a tolerance of 60 s: its tokens are refused as expired or not yet valid'
      : 'from 60 s on its tokens are refused as expired or not yet valid',
    mend: 'set the clock of this machine or of the other by NTP',
  }
}

/** `12 s ahead of ours`. */
export const clockText = (ahead: number): string => {
  const seconds = Math.round(Math.abs(ahead))
  return seconds === 0 ? 'ours' : `${seconds} s ${ahead > 0 ? 'ahead of' : 'behind'} ours`
}

const SHOWN_MAX = 200

const LISTED_MAX = 10

/** Somebody else's list, for a terminal; each entry between two `quote`s. */
export const listed = (texts: readonly string[], quote = ''): string => {
  const more = texts.length - LISTED_MAX
  const some = texts.slice(0, LISTED_MAX).map((text) => quote + shown(text) + quote)
  return some.join(', ') + (more > 0 ? ` and ${more} more` : '')
}

/** Somebody else's text, for a terminal. */
export const shown = (text: string): string =>
  text.slice(0, SHOWN_MAX).replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '?')
