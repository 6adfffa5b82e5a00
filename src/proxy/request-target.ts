// Takes apart what a proxy says that its client asked for, by hand: a URL parser would repair it into another host or
// another path than the one that the proxy serves (`\` to `/`, `#` cut, dots resolved; CVE-2021-32637).

/** Scheme, authority and the rest of a web address, nothing decoded. */
export interface SplitUrl {
  readonly scheme: 'http' | 'https'
  readonly authority: string
  /** From the first slash after the authority. */
  readonly pathAndQuery: string
}

/**
 * Splits `$scheme://$http_host$request_uri` where nginx joined it: the authority ends at the first slash, so that
 * whatever a client put into `Host`, or before its path (`GET http://app.example.com?x`), stays in the authority and
 * makes it malformed.
 * @param url untrusted bytes
 * @returns undefined where the scheme is no web scheme or neither path nor query follows, which only a configuration
 *   can cause. Never throws.
 */
export const splitUrl = (url: string): SplitUrl | undefined => {
  const colon = url.indexOf('://')
  if (colon < 0) return undefined
  const end = authorityEnd(url, colon + 3)
  const scheme = end < 0 ? undefined : webScheme(url.slice(0, colon))
  if (scheme === undefined) return undefined
  return { scheme, authority: url.slice(colon + 3, end), pathAndQuery: url.slice(end) }
}

const authorityEnd = (url: string, start: number): number => {
  const slash = url.indexOf('/', start)
  return slash < 0 && url.includes('?', start) ? url.length : slash
}

/** Everything before the first `?`: the query never takes part (CVE-2025-54576), and a raw `#` stays in the path. */
export const pathOf = (pathAndQuery: string): string => {
  const mark = pathAndQuery.indexOf('?')
  return mark < 0 ? pathAndQuery : pathAndQuery.slice(0, mark)
}

/** Maps a reported scheme; `ws` and `wss` are what Traefik reports for a WebSocket. Undefined where it is no web scheme. */
export const webScheme = (scheme: string): 'http' | 'https' | undefined => {
  switch (scheme.toLowerCase()) {
    case 'https':
    case 'wss':
      return 'https'
    case 'http':
    case 'ws':
      return 'http'
    default:
      return undefined
  }
}

/** A method as proxies pass it: upper case (RFC 9110 §9.1 registers no other), `-` and `_` inside. */
export const isMethod = (text: string): boolean => /^[A-Z][A-Z_-]{0,31}$/.test(text)

/** What NGINX lets a client write as its method: of any length, `-` and `_` anywhere. */
export const isMethodOfProxies = (text: string): boolean => /^[A-Z_-]+$/.test(text)
