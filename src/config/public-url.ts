// URLs of the configuration: the one under which browsers reach Postern, and those of identity providers. Plain http is
// for loopback only: cookies and tokens would cross the network readable.
import { normalizeHost, type HostName } from '../policy/host-pattern.ts'
import { parseIp } from '../policy/network.ts'

/** Where browsers reach the public listener. */
export interface PublicUrl {
  /** As a prefix for paths: no final slash, e.g. `https://app.example.com/postern`. */
  readonly href: string
  /** `https://app.example.com` or with a port that is not the scheme's own. */
  readonly origin: string
  readonly scheme: 'http' | 'https'
  readonly host: HostName
  /** Path of all public endpoints, without final slash; empty where `publicUrl` has none. */
  readonly basePath: string
}

export type UrlReading<T> =
  | { readonly kind: 'url'; readonly url: T }
  | { readonly kind: 'bad'; readonly why: string }

/**
 * Reads `publicUrl`.
 * @param text trusted
 * @returns the URL taken apart, or why it cannot be one; the text itself is not repeated. Never throws.
 */
export const parsePublicUrl = (text: string): UrlReading<PublicUrl> => {
  const url = URL.parse(text)
  const host = url === null ? undefined : normalizeHost(url.host)
  if (url === null || host === undefined || !/^https?:\/\//i.test(text))
    return bad('it is not a URL; write scheme and host, such as `https://auth.example.com`')
  const scheme = url.protocol === 'https:' ? 'https' : 'http'
  const basePath = url.pathname.replace(/\/$/, '')
  const fault = faultOfPublicUrl(url, text, basePath, scheme === 'https' || isLocalhost(host))
  if (fault !== undefined) return bad(fault)
  return { kind: 'url', url: { href: url.origin + basePath, origin: url.origin, scheme, host, basePath } }
}

const faultOfPublicUrl = (url: URL, text: string, basePath: string, isSafe: boolean): string | undefined => {
  if (!isSafe)
    return 'plain http outside *.localhost would send session cookies readable over the network; write `https://…`'
  if (url.username !== '' || url.password !== '') return 'a user name or password has no place in it'
  if (/[?#]/.test(text)) return 'it must end with the host or a path: no `?` and no `#`'
  const isPlain = /^(?:\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*$/.test(basePath) && !/\/\.|[\\%]/.test(text)
  return isPlain ? undefined : 'its path may only have plain segments, such as `/postern`'
}

/**
 * Judges a URL of an identity provider: an issuer, or where its keys are. Kept as it was written, since an issuer is
 * compared byte by byte (OIDC Core §3.1.3.7).
 * @returns undefined where it is good, else why it is not. Never throws.
 */
export const faultOfProviderUrl = (text: string): string | undefined => {
  const url = URL.parse(text)
  if (url === null || !/^https?:\/\/[^/]/i.test(text) || text !== text.trim())
    return 'it is not a URL; write scheme and host, such as `https://idp.example.com`'
  if (url.protocol === 'http:' && !isLoopback(url.hostname))
    return 'plain http outside loopback would let anybody on the way sign people in; write `https://…`'
  if (url.username !== '' || url.password !== '') return 'a user name or password has no place in it'
  if (url.hash !== '' || text.includes('#')) return 'it must not have a `#`'
  return undefined
}

const bad = (why: string): { readonly kind: 'bad'; readonly why: string } => ({ kind: 'bad', why })

/** `localhost` and what lies below it never leaves the machine (RFC 6761 §6.3). */
const isLocalhost = (host: string): boolean => host === 'localhost' || host.endsWith('.localhost')

const isLoopback = (hostname: string): boolean => {
  const bytes = parseIp(hostname.replace(/^\[|\]$/g, ''))
  if (bytes === undefined) return isLocalhost(hostname)
  return bytes.length === 4 ? bytes[0] === 127 : bytes.every((byte, index) => byte === (index === 15 ? 1 : 0))
}
