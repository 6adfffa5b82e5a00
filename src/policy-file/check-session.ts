// Hosts that the session cookie never reaches: whoever signs in there comes back as a stranger, again and again.
import { hostPatternText, type HostPattern } from '../policy/host-pattern.ts'
import type { Route } from '../policy/route.ts'
import { bypassKind } from '../policy/rule.ts'
import type { LoadedPolicies } from './load.ts'
import type { Finding } from './placed.ts'

/**
 * Judges every host of a route that somebody may sign in to.
 * @param domain for which browsers take the session cookie, itself and everything below it
 * @returns one finding for each host outside. Never throws.
 */
export const sessionFindings = (loaded: LoadedPolicies, domain: string): readonly Finding[] =>
  loaded.documents.flatMap((document) => {
    const route = loaded.set.routes.get(document.entry.route)
    if (route === undefined || !takesSessions(route)) return []
    return route.hosts.flatMap((host, index): readonly Finding[] => {
      if (isInside(host, domain)) return []
      return [{ document, path: ['hosts', index], part: 'value', fault: outside(host, domain) }]
    })
  })

/** A section in which nobody has to be known needs no session, though `session` is what it accepts by default. */
const takesSessions = ({ sections }: Route): boolean =>
  sections.some(
    ({ accepts, allow }) =>
      accepts.includes('session') && allow.some((rule) => bypassKind(rule) === undefined),
  )

const isInside = (pattern: HostPattern, domain: string): boolean => {
  const name = pattern.kind === 'exact' ? pattern.host : pattern.suffix
  return name === domain || name.endsWith(`.${domain}`)
}

const outside = (host: HostPattern, domain: string): Finding['fault'] => ({
  code: 'W28',
  what: `nobody can sign in on \`${hostPatternText(host)}\``,
  why: `the route accepts \`session\`, and browsers send the session cookie to \`${domain}\` and what lies below it only`,
  mend: 'set `session.domain` to a parent of this host and of `publicUrl`, or accept another credential',
})
