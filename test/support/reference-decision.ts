// A second reading of a request at the decision listener, from its raw bytes to "may be allowed". It shares no code with
// the service: slow, small, and stricter than nothing that the service may allow.
import { parse } from 'yaml'
import type { PolicyEntry } from '../../src/policy-file/schema.ts'
import type { Principal } from '../../src/policy/principal.ts'
import { referenceOutcome } from './reference-evaluator.ts'

export interface ReferenceWorld {
  readonly policies: readonly PolicyEntry[]
  /** Value of a session cookie that is good → whose it is. */
  readonly people: ReadonlyMap<string, Principal>
  readonly cookieName: string
}

/** Policy files as they stand, read by nothing but a YAML parser. */
export const entriesOf = (files: Readonly<Record<string, string>>): readonly PolicyEntry[] =>
  Object.values(files).map((text) => parse(text) as PolicyEntry)

interface Read {
  readonly method: string
  readonly target: string
  /** Lower-case name, value without blanks around it; in order. */
  readonly headers: readonly (readonly [string, string])[]
}

/** True where the service may answer 2xx to these bytes. */
export const mayAllow = (bytes: string, world: ReferenceWorld): boolean => {
  const request = readRequest(bytes)
  const question = request === undefined ? undefined : questionOf(request)
  if (request === undefined || question === undefined) return false
  const single = ['host', 'authorization', 'proxy-authorization', 'x-api-key']
  if (single.some((name) => valuesOf(request, name).length > 1)) return false
  const caller = callerOf(request, world)
  return question.hosts.every((host) => {
    const { path, method } = question
    const preflight =
      method === 'OPTIONS' &&
      valuesOf(request, 'origin').length > 0 &&
      valuesOf(request, 'access-control-request-method').length > 0
    const isOurs = world.policies.some((entry) => entry.hosts.includes(host))
    const asserted =
      question.route === undefined ||
      world.policies.some((entry) => entry.route === question.route && entry.hosts.includes(host))
    return (
      isOurs &&
      asserted &&
      referenceOutcome(world.policies, { host, method, path, preflight }, caller, Date.now()) === 'allow'
    )
  })
}

const readRequest = (bytes: string): Read | undefined => {
  const [first = '', ...lines] = (bytes.split('\r\n\r\n')[0] ?? '').split('\r\n')
  const [method = '', target = '', version] = first.split(' ')
  if (version !== 'HTTP/1.1') return undefined
  const headers = lines.map((line): readonly [string, string] => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), blankless(line.slice(colon + 1))]
  })
  return { method, target, headers }
}

const blankless = (text: string): string => text.replace(/^[ \t]+/, '').replace(/[ \t]+$/, '')

const valuesOf = ({ headers }: Read, name: string): readonly string[] =>
  headers.filter(([one]) => one === name).map(([, value]) => value)

/** The one value of a header that decides; undefined where there is none or more than one. */
const only = (request: Read, name: string): string | undefined => {
  const values = valuesOf(request, name)
  return values.length === 1 ? values[0] : undefined
}

interface Question {
  readonly method: string
  /** Reported, and served where the proxy says so: all must allow. */
  readonly hosts: readonly string[]
  readonly path: string
  readonly route: string | undefined
}

const questionOf = (request: Read): Question | undefined => {
  const [place = '', ...rest] = request.target.split('?')
  if (place.startsWith('/authz/ext/')) {
    const host = hostOf(only(request, 'host'))
    const path = place.slice('/authz/ext'.length)
    return host === undefined ? undefined : { method: request.method, hosts: [host], path, route: undefined }
  }
  const options = optionsOf(rest.join('?'))
  if (options === undefined || request.method === 'TRACE' || request.method === 'PURGE') return undefined
  const reported =
    place === '/authz/nginx' ? nginxOf(request) : place === '/authz/forward' ? forwardOf(request) : undefined
  if (reported === undefined || ['TRACE', 'PURGE', ''].includes(reported.method)) return undefined
  const asserted = options.get('host')
  if (asserted !== undefined && reported.hosts.some((host) => host !== hostOf(asserted))) return undefined
  return { ...reported, route: options.get('route') }
}

const nginxOf = (request: Read): Omit<Question, 'route'> | undefined => {
  const parts = /^(?:https?|wss?):\/\/([^/]*)(\/[^?]*)/is.exec(only(request, 'x-original-url') ?? '')
  const served = valuesOf(request, 'x-postern-host')
  const hosts = [parts?.[1], ...served].map(hostOf)
  const known = hosts.filter((host) => host !== undefined)
  if (parts === null || served.length > 1 || known.length < hosts.length) return undefined
  return { method: only(request, 'x-original-method') ?? '', hosts: known, path: parts[2] ?? '' }
}

const forwardOf = (request: Read): Omit<Question, 'route'> | undefined => {
  const host = hostOf(only(request, 'x-forwarded-host'))
  const uri = only(request, 'x-forwarded-uri')
  const proto = only(request, 'x-forwarded-proto')
  if (host === undefined || uri === undefined || proto === undefined) return undefined
  return { method: only(request, 'x-forwarded-method') ?? '', hosts: [host], path: uri.split('?')[0] ?? '' }
}

const optionsOf = (query: string): ReadonlyMap<string, string> | undefined => {
  const pairs = query === '' ? [] : query.split('&').map((pair) => pair.split('='))
  const names = pairs.map(([name = '']) => name)
  if (names.some((name) => !['route', 'host', 'unauth', 'xhr'].includes(name))) return undefined
  if (new Set(names).size < names.length) return undefined
  return new Map(pairs.map(([name = '', ...value]) => [name, value.join('=')]))
}

const hostOf = (authority: string | undefined): string | undefined => {
  if (authority === undefined) return undefined
  const host = authority
    .toLowerCase()
    .replace(/:\d{1,5}$/, '')
    .replace(/\.$/, '')
  return host === '' ? undefined : host
}

/** Of the first four copies of our cookie those that are good; two people are nobody. */
const callerOf = (request: Read, world: ReferenceWorld): Principal | undefined => {
  const copies = valuesOf(request, 'cookie')
    .flatMap((line) => line.split(';'))
    .map(blankless)
    .flatMap((pair) => {
      const equals = pair.indexOf('=')
      const isOurs = equals >= 0 && blankless(pair.slice(0, equals)) === world.cookieName
      return isOurs ? [blankless(pair.slice(equals + 1))] : []
    })
  const people = new Set(
    copies
      .slice(0, 4)
      .map((value) => world.people.get(value))
      .filter((one) => one !== undefined),
  )
  return people.size === 1 ? [...people][0] : undefined
}
