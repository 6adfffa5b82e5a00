// Hosts, as a proxy reports them and as a policy names them. No URL parser: it would repair what must be refused.

declare const hostBrand: unique symbol
/** A host in lower case, without port and without trailing dot. */
export type HostName = string & { readonly [hostBrand]: true }

/** Labels of lower-case letters, digits and hyphens: what nearly every request names, and normal already. */
const NORMAL = /^[a-z0-9-]+(?:\.[a-z0-9-]+)*$/
const AUTHORITY = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+?)\.?(?::([0-9]{1,5}))?$/

/**
 * Normalises the authority that a proxy reports: lower case, one trailing dot and any port dropped.
 * @param authority untrusted bytes, e.g. `APP.example.com.:8443`
 * @returns the host, or undefined where it is malformed (user info, port 0 or above 65535, anything but A-labels).
 *   Never throws.
 */
export const normalizeHost = (authority: string): HostName | undefined => {
  if (authority.length > 255 + 6) return undefined
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it would come out as it went in
  if (NORMAL.test(authority)) return authority as HostName
  const parts = AUTHORITY.exec(authority.toLowerCase())
  const host = parts?.[1]
  if (host === undefined || host.startsWith('.') || host.endsWith('.') || host.includes('..'))
    return undefined
  if (parts?.[2] !== undefined && !isPort(Number(parts[2]))) return undefined
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- here the brand is given, and above where it costs nothing
  return host as HostName
}

const isPort = (port: number): boolean => port >= 1 && port <= 65_535

/** A host of a route: one name, or exactly one label below a suffix. */
export type HostPattern =
  | { readonly kind: 'exact'; readonly host: HostName }
  | { readonly kind: 'wildcard'; readonly suffix: HostName }

/**
 * Reads a host of a policy file.
 * @param text trusted, e.g. `grafana.example.com` or `*.example.com`
 * @returns the pattern, or undefined where it is neither; a port is not part of a host. Never throws.
 */
export const parseHostPattern = (text: string): HostPattern | undefined => {
  const wildcard = text.startsWith('*.')
  const host = normalizeHost(wildcard ? text.slice(2) : text)
  if (host === undefined || /:\d+$/.test(text) || text !== text.trim()) return undefined
  return wildcard ? { kind: 'wildcard', suffix: host } : { kind: 'exact', host }
}

/** True where the pattern covers the host; `*.x` is exactly one label (rules §1). */
export const hostMatches = (pattern: HostPattern, host: HostName): boolean => {
  if (pattern.kind === 'exact') return pattern.host === host
  return suffixOf(host) === pattern.suffix
}

/** The host without its first label, which is what `*.suffix` compares; undefined where it has only one. */
export const suffixOf = (host: HostName): HostName | undefined => {
  const dot = host.indexOf('.')
  return dot > 0 ? normalizeHost(host.slice(dot + 1)) : undefined
}

/** The text of a host pattern, as a policy would write it. */
export const hostPatternText = (pattern: HostPattern): string =>
  pattern.kind === 'exact' ? pattern.host : `*.${pattern.suffix}`
