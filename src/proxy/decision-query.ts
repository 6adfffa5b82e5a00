// What the operator wrote into the decision URL, e.g. `/authz/nginx?host=app.example.com&xhr=403`. A parameter that is
// not known or that comes twice is a mistake in a proxy's configuration, and mistakes there must be loud.
import { normalizeHost, type HostName } from '../policy/host-pattern.ts'
import type { DecisionOptions } from './exchange.ts'

/** The options, and the host that the operator asserts for this location. */
export interface DecisionQuery {
  readonly kind: 'query'
  readonly options: DecisionOptions
  readonly host: HostName | undefined
}

export type QueryReading = DecisionQuery | { readonly kind: 'malformed'; readonly why: string }

export const NO_OPTIONS: DecisionOptions = { route: undefined, unauth: undefined, xhr: undefined }

const EMPTY: DecisionQuery = { kind: 'query', options: NO_OPTIONS, host: undefined }

const NAMES: readonly string[] = ['route', 'host', 'unauth', 'xhr']

/**
 * Reads the query of a decision URL.
 * @param target the raw request target, e.g. `/authz/forward?unauth=401`
 * @returns the options, or why the query is malformed; never throws
 */
export const readDecisionQuery = (target: string): QueryReading => {
  const mark = target.indexOf('?')
  if (mark < 0 || mark === target.length - 1) return EMPTY
  const seen = new Map<string, string>()
  for (const pair of target.slice(mark + 1).split('&')) {
    const equals = pair.indexOf('=')
    const name = equals < 0 ? pair : pair.slice(0, equals)
    if (!NAMES.includes(name)) return malformed('holds a parameter that is none of route, host, unauth, xhr')
    if (seen.has(name)) return malformed(`repeats the parameter \`${name}\``)
    seen.set(name, equals < 0 ? '' : pair.slice(equals + 1))
  }
  return readValues(seen)
}

const malformed = (fault: string): QueryReading => ({
  kind: 'malformed',
  why: `the query of the decision URL ${fault}`,
})

const readValues = (seen: ReadonlyMap<string, string>): QueryReading => {
  const route = seen.get('route')
  const asserted = seen.get('host')
  const unauth = oneOf(seen.get('unauth'), [401, 302])
  const xhr = oneOf(seen.get('xhr'), [401, 403])
  const host = asserted === undefined ? undefined : normalizeHost(asserted)
  if (route !== undefined && !/^[A-Za-z0-9._-]+$/.test(route)) return malformed('names a malformed route')
  if (asserted !== undefined && host === undefined) return malformed('names a malformed host')
  if (unauth === 'other') return malformed('wants an `unauth` that is neither 401 nor 302')
  if (xhr === 'other') return malformed('wants an `xhr` that is neither 401 nor 403')
  return { kind: 'query', options: { route, unauth, xhr }, host }
}

const oneOf = <Status extends number>(
  text: string | undefined,
  statuses: readonly Status[],
): Status | 'other' | undefined =>
  text === undefined ? undefined : (statuses.find((status) => String(status) === text) ?? 'other')
