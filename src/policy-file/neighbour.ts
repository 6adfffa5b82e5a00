// Sections beside and above each other: those that one host can reach, and the one that a path falls to otherwise.
import { hostPatternText, suffixOf, type HostPattern } from '../policy/host-pattern.ts'
import { pathCovers } from '../policy/path-pattern.ts'
import type { Route } from '../policy/route.ts'
import type { WrittenSection } from './written-rule.ts'

/** The sections that share a host with a route, its own included. */
export type Neighbours = (route: Route) => readonly WrittenSection[]

/**
 * Indexes sections by host, so that a thousand routes are not compared with a thousand others.
 * An exact host takes its requests away from a wildcard, whole; the two are neighbours all the same.
 */
export const indexNeighbours = (sections: readonly WrittenSection[]): Neighbours => {
  const byHost = new Map<string, WrittenSection[]>()
  for (const section of sections)
    for (const key of new Set(section.route.hosts.flatMap(keysOf))) {
      const listed = byHost.get(key)
      if (listed === undefined) byHost.set(key, [section])
      else listed.push(section)
    }
  const found = new Map<Route, readonly WrittenSection[]>()
  return (route) => {
    const known = found.get(route)
    if (known !== undefined) return known
    const near = [...new Set(route.hosts.flatMap(reachedBy).flatMap((key) => byHost.get(key) ?? []))]
    found.set(route, near)
    return near
  }
}

/** An exact host is found by its name and by the wildcard above it, a wildcard by its text. */
const keysOf = (host: HostPattern): readonly string[] =>
  host.kind === 'exact' ? [host.host, `below ${suffixOf(host.host) ?? ''}`] : [hostPatternText(host)]

const reachedBy = (host: HostPattern): readonly string[] =>
  host.kind === 'exact'
    ? [host.host, `*.${suffixOf(host.host) ?? ''}`]
    : [hostPatternText(host), `below ${host.suffix}`]

/** True where every host of the first route is a host of the second. */
export const ownsAllHosts = (one: Route, other: Route): boolean => {
  const texts = new Set(other.hosts.map(hostPatternText))
  return one.hosts.every((host) => texts.has(hostPatternText(host)))
}

/** The nearest section of the same route that covers this one. */
export const parentOf = (one: WrittenSection, near: Neighbours): WrittenSection | undefined =>
  near(one.route)
    .filter(
      (other) =>
        other.route === one.route &&
        other.section !== one.section &&
        other.section.path.below &&
        pathCovers(other.section.path, one.section.path),
    )
    .toSorted((a, b) => b.section.path.segments.length - a.section.path.segments.length)[0]
