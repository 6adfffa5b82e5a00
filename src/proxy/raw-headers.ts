// The headers of one decision request, counted before any library joins or drops them: where a name occurs twice, two
// readers see two requests (CVE-2021-32777). Names are compared whole: `X_Forwarded_Uri` is another header
// (CVE-2026-39858), and no dialect is handed a name that it did not ask for (CVE-2026-40575).

/** What a dialect asked for, and nothing else. */
export interface ReceivedHeaders {
  /** Lower-case name → value; the lines of a repeated name are joined by `, `. */
  readonly values: ReadonlyMap<string, string>
  /** Names that occurred more than once. */
  readonly repeated: readonly string[]
  /** Each `Cookie` line, in order. */
  readonly cookies: readonly string[]
}

/** Names of the client's own request that every dialect reads. */
export const CLIENT_NAMES = [
  'host',
  'connection',
  'authorization',
  'proxy-authorization',
  'x-api-key',
  'accept',
  'content-type',
  'x-requested-with',
  'sec-fetch-mode',
  'sec-fetch-dest',
  'origin',
  'access-control-request-method',
  'upgrade',
  'sec-websocket-key',
  'sec-websocket-version',
  'x-request-id',
  'user-agent',
] as const

/** Of these a second line is a second credential; a client can write one, so it is answered with 403. */
export const CREDENTIAL_NAMES: readonly string[] = ['authorization', 'proxy-authorization', 'x-api-key']

/**
 * Picks headers in one pass.
 * @param rawHeaders name, value, name, value … as Node hands them over: latin1, one character for each byte
 * @param names lower-case names that the dialect reads
 * @param extraName one more, from the configuration. Never throws, however many other headers there are.
 */
export const receiveHeaders = (
  rawHeaders: readonly string[],
  names: ReadonlySet<string>,
  extraName: string | undefined,
): ReceivedHeaders => {
  const values = new Map<string, string>()
  const repeated: string[] = []
  const cookies: string[] = []
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase()
    const value = rawHeaders[index + 1] ?? ''
    if (name === 'cookie') cookies.push(value)
    else if (names.has(name) || name === extraName) {
      const earlier = values.get(name)
      if (earlier !== undefined) repeated.push(name)
      values.set(name, earlier === undefined ? value : `${earlier}, ${value}`)
    }
  }
  return { values, repeated, cookies }
}

const HOP_BY_HOP: ReadonlySet<string> = new Set([
  '',
  'close',
  'keep-alive',
  'upgrade',
  'te',
  'trailer',
  'transfer-encoding',
  'http2-settings',
  'proxy-connection',
])

/**
 * Finds a header that `Connection` asks the proxy to drop (CVE-2021-32813, CVE-2024-45410): whoever names one there
 * wants an identity or forwarded header gone, in any case of letters.
 * @returns its lower-case name, or undefined where only connection options are named. Never throws.
 */
export const droppedByConnection = (connection: string | undefined): string | undefined => {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return undefined
  return connection
    .toLowerCase()
    .split(',')
    .map((token) => token.trim())
    .find((token) => !HOP_BY_HOP.has(token))
}
