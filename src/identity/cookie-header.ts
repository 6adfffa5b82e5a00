// Cookies as bytes. No library: those decode, unquote, trim and pick, and each of these lets one cookie pass for
// another (a no-break space before the name, a second copy, `%0d%0a` in a value).

export type SessionCookieName = '__Secure-postern' | '__Host-postern' | 'postern'

/** What decides the name of the session cookie. */
export interface CookiePlace {
  /** Of `publicUrl`. */
  readonly scheme: 'http' | 'https'
  readonly host: string
  /** One cookie for each host, by the option of the same name, instead of one for the domain. */
  readonly perHost: boolean
}

/**
 * Names the session cookie: with a prefix that browsers enforce (RFC 6265bis §4.1.3), without one only for plain http
 * on `localhost` and below, where browsers would refuse the prefix.
 */
export const sessionCookieName = (place: CookiePlace): SessionCookieName => {
  const isLocal = place.host === 'localhost' || place.host.endsWith('.localhost')
  if (place.scheme === 'http' && isLocal) return 'postern'
  return place.perHost ? '__Host-postern' : '__Secure-postern'
}

/** How many copies of one cookie are looked at; a request that carries more is somebody's experiment. */
const COOKIE_COPIES_MAX = 4

/**
 * Finds the copies of one cookie.
 * @param lines each `Cookie` header of the request, untrusted, in order
 * @param name compared byte by byte, case included
 * @returns the first {@link COOKIE_COPIES_MAX} values in order, as they stand: not decoded, not unquoted. Never throws.
 */
export const cookieValues = (lines: readonly string[], name: string): readonly string[] => {
  const values: string[] = []
  for (const line of lines) {
    if (!line.includes(name)) continue
    for (const pair of line.split(';')) {
      const { key, value } = splitPair(pair)
      if (key === name && values.length < COOKIE_COPIES_MAX) values.push(value)
    }
  }
  return values
}

export interface NamedCookie {
  readonly name: string
  readonly value: string
}

/**
 * Finds a family of cookies, whose names begin alike.
 * @param lines each `Cookie` header of the request, untrusted, in order
 * @param prefix compared byte by byte, case included
 * @returns all of them in order, as they stand; browsers send the oldest first (RFC 6265 §5.4). Never throws.
 */
export const cookiesOfFamily = (lines: readonly string[], prefix: string): readonly NamedCookie[] =>
  lines
    .filter((line) => line.includes(prefix))
    .flatMap((line) => line.split(';').map(splitPair))
    .filter(({ key }) => key.startsWith(prefix))
    .map(({ key, value }) => ({ name: key, value }))

/**
 * The `Cookie` header for the application: as received, without ours.
 * @param lines each `Cookie` header of the request, untrusted, in order
 * @param names ours; one that ends in `-` stands for all that begin with it
 * @returns the other cookies in their order and spelling, joined by `; ` (RFC 9113 §8.2.3); undefined where none is
 *   left. Never throws.
 */
export const withoutCookie = (lines: readonly string[], names: ReadonlySet<string>): string | undefined => {
  const families = [...names].filter((name) => name.endsWith('-'))
  const isOurs = (key: string): boolean => names.has(key) || families.some((family) => key.startsWith(family))
  const others = lines
    .flatMap((line) => line.split(';'))
    .filter((pair) => !isOurs(splitPair(pair).key))
    .map(trimBlank)
    .filter((pair) => pair !== '')
  return others.length === 0 ? undefined : others.join('; ')
}

const splitPair = (pair: string): { readonly key: string; readonly value: string } => {
  const equals = pair.indexOf('=')
  if (equals < 0) return { key: '', value: trimBlank(pair) }
  return { key: trimBlank(pair.slice(0, equals)), value: trimBlank(pair.slice(equals + 1)) }
}

/** Space and tab only (RFC 6265bis §5.6): `trim()` would also drop a no-break space and so rename a cookie. */
const trimBlank = (text: string): string => {
  let start = 0
  let end = text.length
  while (start < end && isBlank(text.charCodeAt(start))) start += 1
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1
  return text.slice(start, end)
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09
