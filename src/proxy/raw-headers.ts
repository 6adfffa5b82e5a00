// The headers of one decision request, counted before any library joins or drops them: where a name occurs twice, two
// readers see two requests (CVE-2021-32777). Names are compared whole: `X_Forwarded_Uri` is another header
// (CVE-2026-39858), and no dialect is handed a name that it did not ask for (CVE-2026-40575).

// Every header that some dialect reads, and the place of its value: on the hot path an array costs half of what a map does.
const SLOT = {
  'x-original-url': 0,
  'x-original-method': 1,
  'x-postern-host': 2,
  'x-forwarded-method': 3,
  'x-forwarded-proto': 4,
  'x-forwarded-host': 5,
  'x-forwarded-uri': 6,
  host: 7,
  connection: 8,
  authorization: 9,
  'proxy-authorization': 10,
  'x-api-key': 11,
  accept: 12,
  'content-type': 13,
  'x-requested-with': 14,
  'sec-fetch-mode': 15,
  'sec-fetch-dest': 16,
  origin: 17,
  'access-control-request-method': 18,
  upgrade: 19,
  'sec-websocket-key': 20,
  'sec-websocket-version': 21,
  'x-request-id': 22,
  'user-agent': 23,
  'http2-settings': 24,
} as const

export type HeaderName = keyof typeof SLOT

const NAMES = Object.keys(SLOT)
const NO_VALUES: readonly (string | undefined)[] = NAMES.map(() => undefined)
const COOKIE = -1

/** What a dialect asked for, and nothing else. */
export interface ReceivedHeaders {
  /** Read with {@link headerValue}; the lines of a repeated name are joined by `, `. */
  readonly values: readonly (string | undefined)[]
  /** Lower-case names that occurred more than once. */
  readonly repeated: readonly string[]
  /** Each `Cookie` line, in order. */
  readonly cookies: readonly string[]
  /** The one header that the configuration adds. */
  readonly extra: string | undefined
}

/** The value of a header that was asked for; undefined where it was not sent. */
export const headerValue = (headers: ReceivedHeaders, name: HeaderName): string | undefined =>
  headers.values[SLOT[name]]

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
  'http2-settings',
] as const satisfies readonly HeaderName[]

/** Of these a second line is a second credential; a client can write one, so it is answered with 403. */
export const CREDENTIAL_NAMES: readonly string[] = ['authorization', 'proxy-authorization', 'x-api-key']

/**
 * Picks headers in one pass.
 * @param rawHeaders name, value, name, value … as Node hands them over: latin1, one character for each byte
 * @param extraName one more, lower case, that no dialect reads. Never throws, however many other headers there are.
 */
export type ReceiveHeaders = (rawHeaders: readonly string[], extraName: string | undefined) => ReceivedHeaders

/**
 * Makes the reader of one dialect.
 * @param names all that it will ever be handed, with `Cookie` and the configured one
 */
export const makeReceiveHeaders = (names: readonly HeaderName[]): ReceiveHeaders => {
  const slotOf = makeSlotLookup(names)
  return (rawHeaders, extraName) => {
    const values = NO_VALUES.slice()
    const repeated: string[] = []
    const cookies: string[] = []
    let extra: string | undefined
    for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
      const name = rawHeaders[index] ?? ''
      const value = rawHeaders[index + 1] ?? ''
      const slot = slotOf(name)
      if (slot === COOKIE) cookies.push(value)
      else if (slot !== undefined) {
        const earlier = values[slot]
        if (earlier !== undefined) repeated.push(NAMES[slot] ?? '')
        values[slot] = joined(earlier, value)
      } else if (name.length === extraName?.length && name.toLowerCase() === extraName)
        extra = joined(extra, value)
    }
    return { values, repeated, cookies, extra }
  }
}

const joined = (earlier: string | undefined, value: string): string =>
  earlier === undefined ? value : `${earlier}, ${value}`

/** Finds the usual spellings without making a lower-case copy of each name. */
const makeSlotLookup = (names: readonly HeaderName[]): ((name: string) => number | undefined) => {
  const wanted = [...names.map((name) => [name, SLOT[name]] as const), ['cookie', COOKIE] as const]
  const slots = new Map(wanted.flatMap(([name, slot]) => spellings(name).map((one) => [one, slot] as const)))
  const lengths = new Set(wanted.map(([name]) => name.length))
  return (name) => {
    const slot = slots.get(name)
    return slot === undefined && lengths.has(name.length) ? slots.get(name.toLowerCase()) : slot
  }
}

const spellings = (name: string): readonly string[] => {
  const title = name.replaceAll(/(?<![a-z])[a-z]/g, (letter) => letter.toUpperCase())
  return [name, title, title.replace(/(?<=-)(?:Url|Api|Id)(?![a-z])/, (word) => word.toUpperCase())]
}
