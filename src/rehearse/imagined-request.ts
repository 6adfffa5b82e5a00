// A request as a person writes it → the facts that a proxy would report. The same reader of paths as on the wire.
import type { RequestFacts } from '../policy/facts.ts'
import { normalizeHost, type HostName } from '../policy/host-pattern.ts'
import { readPath } from '../policy/path-views.ts'

/** A request before it is read. */
export interface ImaginedRequest {
  readonly host: HostName
  readonly method: string
  /** With or without a query, which never takes part. */
  readonly path: string
  readonly preflight: boolean
  readonly origin: string | undefined
  readonly clientIp: string | undefined
}

export type ImaginedFacts =
  | { readonly kind: 'facts'; readonly facts: RequestFacts }
  /** The request would be refused before any rule is asked. */
  | { readonly kind: 'malformed'; readonly why: string }

/** Reads an imagined request; never throws. */
export const readImagined = (request: ImaginedRequest): ImaginedFacts => {
  const { host, method, preflight, origin, clientIp } = request
  const reading = readPath(wirePath(request.path))
  if (reading.kind === 'malformed') return reading
  return { kind: 'facts', facts: { host, method, path: reading.path, preflight, origin, clientIp } }
}

/** What a browser would send: without the query, letters beyond ASCII and spaces as escapes of their UTF-8 bytes. */
const wirePath = (path: string): string => {
  const end = path.search(/[?#]/)
  const bare = end < 0 ? path : path.slice(0, end)
  return bare.toWellFormed().replaceAll(/[^\x21-\x7e]+/g, (text) => encodeURIComponent(text))
}

export type RequestLine =
  | { readonly kind: 'request'; readonly method: string; readonly host: HostName; readonly path: string }
  | { readonly kind: 'refused'; readonly why: string }

const LINE = /^(?:([A-Za-z][A-Za-z-]*)\s+)?(?:([a-z][a-z0-9+.-]*):\/\/)?([^/?#\s]+)(\/[^\s]*)?$/i

/**
 * Parses `POST https://app.example.com/path`; the method is GET and the scheme may be missing.
 * @param text from a command line
 */
export const parseRequestLine = (text: string): RequestLine => {
  const parts = LINE.exec(text.trim())
  if (parts === null)
    return refused(`\`${text}\` is no request; write it like 'GET https://app.example.com/path'`)
  const [, method = 'GET', scheme = 'https', authority = '', path = '/'] = parts
  if (!/^(?:https?|wss?)$/i.test(scheme))
    return refused(`\`${scheme}\` is no scheme of a request; use \`https\``)
  const host = normalizeHost(authority)
  if (host === undefined) return refused(`\`${authority}\` is no host; write it like \`app.example.com\``)
  const isSocket = scheme.toLowerCase().startsWith('ws')
  return { kind: 'request', method: isSocket ? 'WEBSOCKET' : method.toUpperCase(), host, path }
}

const refused = (why: string): RequestLine => ({ kind: 'refused', why })
