// Where a browser may be sent after sign-in. Pure; component equality, no regular expression on hosts, no URL parser:
// one that repairs its input is what made other gateways open redirectors (CVE-2020-4037, CVE-2021-21291).
import { normalizeHost, type HostName } from '../policy/host-pattern.ts'
import { compilePath, pathMatches } from '../policy/path-pattern.ts'
import { readPath } from '../policy/path-views.ts'

export interface ReturnToSettings {
  /** Host of `publicUrl`. */
  readonly publicHost: HostName
  /** Path of `publicUrl` without its trailing slash; empty where Postern has the host to itself. */
  readonly publicPath: string
  /** The prefix under which our own paths answer on the hosts of applications, e.g. `/postern`. */
  readonly ownPrefix: string | undefined
  /** The scheme that browsers see, where the operator says so, be it by a `publicUrl` of `http`. */
  readonly externalScheme: 'http' | 'https' | undefined
  /**
   * Port of `publicUrl`, empty for its scheme's own: where it is given, a target has this one or the port of its scheme.
   * A session of one host goes to whatever listens there.
   */
  readonly publicPort?: string | undefined
  /** True for a host that some route lists. */
  readonly isRouteHost: (host: HostName) => boolean
}

export interface ReturnTarget {
  readonly kind: 'ok'
  /** Absolute, always with its host: emitting the path alone would turn `//evil.com` into another host. */
  readonly url: string
  readonly scheme: 'http' | 'https'
  readonly host: HostName
  /** Host with the port that was asked for. */
  readonly authority: string
  /** Path and query, plain ASCII, without the fragment. */
  readonly pathAndQuery: string
}

export interface ReturnFallback {
  readonly kind: 'fallback'
  readonly why: 'absent' | 'repeated' | 'malformed' | 'scheme' | 'port' | 'foreign-host' | 'own-path'
}

export type ReturnTo = ReturnTarget | ReturnFallback

// The target travels inside `state` through two redirects; nginx takes a request line of 8 KiB by default.
const MAX_TARGET_LENGTH = 4096

/**
 * Validates the `rd` parameter.
 * @param values untrusted: every `rd` of the query, decoded once
 * @returns the target with its absolute URL, or a fallback with the reason; the default target is then the caller's.
 *   Over 4 KiB only the origin is kept. Never throws.
 */
export const readReturnTo = (values: readonly string[], settings: ReturnToSettings): ReturnTo => {
  const [value] = values
  if (value === undefined) return fallback('absent')
  if (values.length > 1) return fallback('repeated')
  const parts = splitUrl(value)
  if (parts === undefined) return fallback('malformed')
  const host = normalizeHost(parts.authority)
  if (host === undefined) return fallback('malformed')
  if (!settings.isRouteHost(host)) return fallback('foreign-host')
  const scheme = schemeFor(parts.scheme, host, settings)
  if (scheme === undefined) return fallback('scheme')
  if (!isPortOpen(scheme, portOf(parts.authority), settings)) return fallback('port')
  const long = value.length > MAX_TARGET_LENGTH
  const path = long ? '/' : escapeForUrl(parts.path)
  const pathKind = judgePath(path, host, settings)
  if (pathKind !== 'free') return fallback(pathKind)
  const authority = authorityOf(host, parts.authority)
  const pathAndQuery = path + (long ? '' : escapeForUrl(parts.query))
  const url = `${scheme}://${authority}${pathAndQuery}${long ? '' : escapeForUrl(parts.fragment)}`
  return { kind: 'ok', url, scheme, host, authority, pathAndQuery }
}

const fallback = (why: ReturnFallback['why']): ReturnFallback => ({ kind: 'fallback', why })

interface UrlParts {
  readonly scheme: 'http' | 'https'
  readonly authority: string
  readonly path: string
  /** With its `?`, or empty. */
  readonly query: string
  /** With its `#`, or empty. */
  readonly fragment: string
}

// Browsers drop these or read them as something else, wherever they stand.
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/

/** Splits as RFC 3986 appendix B does; undefined for anything that is not `scheme://authority…` letter by letter. */
const splitUrl = (value: string): UrlParts | undefined => {
  if (CONTROL.test(value) || !value.isWellFormed()) return undefined
  const scheme = schemeOf(value)
  if (scheme === undefined) return undefined
  const rest = value.slice(scheme.length + '://'.length)
  const [beforeFragment, fragment] = cut(rest, '#')
  const [beforeQuery, query] = cut(beforeFragment, '?')
  const [authority, path] = cut(beforeQuery, '/')
  // A browser reads `\` in a path as `/`; none sends it there, so nobody loses a page by refusing it.
  if (path.includes('\\')) return undefined
  return { scheme, authority, path: path === '' ? '/' : path, query, fragment }
}

const schemeOf = (value: string): 'http' | 'https' | undefined => {
  const start = value.slice(0, 'https://'.length).toLowerCase()
  if (start === 'https://') return 'https'
  return start.startsWith('http://') ? 'http' : undefined
}

const cut = (text: string, at: string): readonly [string, string] => {
  const index = text.indexOf(at)
  return index < 0 ? [text, ''] : [text.slice(0, index), text.slice(index)]
}

/** `http` only on *.localhost where the operator says so; elsewhere it is raised to https, or refused. */
const schemeFor = (
  asked: 'http' | 'https',
  host: HostName,
  settings: ReturnToSettings,
): 'http' | 'https' | undefined => {
  if (asked === 'https') return 'https'
  if (settings.externalScheme === 'https') return 'https'
  return settings.externalScheme === 'http' && isLocalhost(host) ? 'http' : undefined
}

/** True for `localhost` and what lies below it, which never leaves the machine (RFC 6761 §6.3). */
export const isLocalhost = (host: string): boolean => host === 'localhost' || host.endsWith('.localhost')

/** Our own paths are never a target: sign-out by link, loops, a callback that is replayed. */
const judgePath = (
  path: string,
  host: HostName,
  settings: ReturnToSettings,
): 'free' | 'malformed' | 'own-path' => {
  if (host === settings.publicHost && settings.publicPath === '') return 'own-path'
  const read = readPath(path)
  if (read.kind === 'malformed') return 'malformed'
  const own = [host === settings.publicHost ? settings.publicPath : undefined, settings.ownPrefix]
    .filter((prefix) => prefix !== undefined)
    .map((prefix) => compilePath(prefix, true))
  return read.path.views.some((view) => own.some((pattern) => pathMatches(pattern, view)))
    ? 'own-path'
    : 'free'
}

/** What a browser would escape itself; the meaning stays, and the header stays one line of ASCII. */
const escapeForUrl = (text: string): string =>
  text.replaceAll(/[^\u0021-\u007e]+|["<>]/g, (found) => encodeURIComponent(found))

const OWN_PORTS = { http: 80, https: 443 } as const

const isPortOpen = (
  scheme: 'http' | 'https',
  port: number | undefined,
  { publicPort }: ReturnToSettings,
): boolean =>
  port === undefined ||
  publicPort === undefined ||
  port === OWN_PORTS[scheme] ||
  (publicPort !== '' && port === Number(publicPort))

/** The port that an authority names; undefined where it names none. Never throws. */
export const portOf = (authority: string): number | undefined => {
  const port = /:([0-9]{1,5})$/.exec(authority)?.[1]
  return port === undefined ? undefined : Number(port)
}

/** True where a request came to the port of a target, or does not say to which: proxies may leave it out. */
export const isAtPortOf = ({ scheme, authority }: ReturnTarget, hostHeader: string): boolean => {
  const port = portOf(hostHeader)
  return port === undefined || port === (portOf(authority) ?? OWN_PORTS[scheme])
}

const authorityOf = (host: HostName, authority: string): string => {
  const port = portOf(authority)
  return port === undefined ? host : `${host}:${port}`
}
