// A stand-in for nginx where there is none: it asks Postern before each request, exactly as `auth_request` does, and
// passes no WebSocket. It is a teaching aid, not a proxy for anything else.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { FORGEABLE_HEADERS, IDENTITY_HEADERS, type Front, type Site } from './front.ts'
import { listenOnLoopback, type Listening } from './loopback.ts'
import { makeHops, receivedHeaders, type HeaderList, type Hop } from './proxy-hop.ts'

type Send = (hop: Hop) => Promise<IncomingMessage>

const lowerCase = (names: readonly string[]): ReadonlySet<string> =>
  new Set(names.map((name) => name.toLowerCase()))

const NOT_ASKED = lowerCase(['Host', 'Content-Length', 'X-Real-IP', 'X-Forwarded-For', ...FORGEABLE_HEADERS])
const NOT_PASSED = lowerCase(['X-Real-IP', 'X-Forwarded-For', ...FORGEABLE_HEADERS, ...IDENTITY_HEADERS])

/** Starts the stand-in on the port of `front`. */
export const startBuiltinProxy = async (front: Front): Promise<Listening> => {
  const hops = makeHops()
  const server = createServer((request, response) => {
    answer(front, hops.send, request, response).catch(() => {
      // Whoever stands behind did not answer: closed and loud, never open.
      if (!response.headersSent) end(response, 502)
      else response.destroy()
    })
  })
  const listening = await listenOnLoopback(server, front.port)
  return {
    port: listening.port,
    close: async () => {
      await listening.close()
      hops.close()
    },
  }
}

const answer = async (
  front: Front,
  send: Send,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> => {
  const { host = '', method = 'GET' } = { host: request.headers.host, method: request.method }
  const target = request.url ?? ''
  const name = host.toLowerCase().replace(/:\d{1,5}$/, '')
  const site = front.sites.find((one) => one.host === name)
  if (!target.startsWith('/') || hostLines(request) !== 1) return end(response, 400)
  if (name === front.authHost) {
    const headers = receivedHeaders(request, lowerCase(FORGEABLE_HEADERS))
    return relay(await send({ port: front.publicPort, method, target, headers, body: request }), response, [])
  }
  if (site === undefined) return end(response, 404)
  const verdict = await send({
    port: front.decisionPort,
    method: 'GET',
    target: '/authz/nginx',
    headers: [['Host', 'postern'], ...receivedHeaders(request, NOT_ASKED), ...asked(front, request, name)],
    body: undefined,
  })
  verdict.resume()
  return obey(verdict, { front, send, site }, request, response)
}

interface Errand {
  readonly front: Front
  readonly send: Send
  readonly site: Site
}

const obey = async (
  verdict: IncomingMessage,
  errand: Errand,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> => {
  const { location, 'set-cookie': cookies = [] } = verdict.headers
  const setCookies: HeaderList = cookies.map((cookie) => ['Set-Cookie', cookie])
  const status = verdict.statusCode ?? 500
  if (status >= 200 && status < 300) return pass(verdict, errand, request, response, setCookies)
  if (status === 403) return showDenied(errand, verdict, request, response)
  if (status !== 401) return end(response, 500)
  const challenge = verdict.headers['www-authenticate']
  const more: HeaderList = challenge === undefined ? [] : [['WWW-Authenticate', challenge]]
  if (location === undefined) return end(response, 401, [...more, ...setCookies])
  return end(response, 302, [['Location', location], ...setCookies])
}

/** Allowed: the application hears the identity from the answer alone. */
const pass = async (
  verdict: IncomingMessage,
  { send, site }: Errand,
  request: IncomingMessage,
  response: ServerResponse,
  setCookies: HeaderList,
): Promise<void> => {
  const identity = IDENTITY_HEADERS.flatMap((name) => {
    const value = verdict.headers[name.toLowerCase()]
    return typeof value === 'string' && value !== '' ? [[name, value] as const] : []
  })
  const headers = [
    ...receivedHeaders(request, NOT_PASSED),
    ...identity,
    ['X-Forwarded-Proto', 'http'] as const,
  ]
  const { method = 'GET', url: target = '/' } = request
  relay(await send({ port: site.port, method, target, headers, body: request }), response, setCookies)
}

/** The page behind a 403: sign-in decides about the way back and says why it is closed. The status stays 403. */
const showDenied = async (
  { front, send }: Errand,
  verdict: IncomingMessage,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> => {
  const id = verdict.headers['x-postern-decision']
  const page = await send({
    port: front.publicPort,
    method: 'GET',
    target: '/denied',
    headers: [
      ['Host', `${front.authHost}:${front.port}`],
      ['X-Original-URL', requestedUrl(request)],
      ['X-Original-Method', request.method ?? 'GET'],
      ...(typeof id === 'string' ? [['X-Postern-Decision', id] as const] : []),
      ...receivedHeaders(request, NOT_ASKED),
    ],
    body: undefined,
  })
  page.statusCode = 403
  relay(page, response, [])
}

/** What the question consists of: nothing in it comes from a header that a client could have chosen. */
const asked = (front: Front, request: IncomingMessage, name: string): HeaderList => [
  ['X-Original-URL', requestedUrl(request)],
  ['X-Original-Method', request.method ?? 'GET'],
  ['X-Postern-Host', name],
  ['X-Postern-Key', front.proxyKey],
  ['X-Real-IP', request.socket.remoteAddress ?? ''],
]

const requestedUrl = (request: IncomingMessage): string =>
  `http://${request.headers.host ?? ''}${request.url ?? ''}`

const hostLines = (request: IncomingMessage): number =>
  request.rawHeaders.filter((text, i) => i % 2 === 0 && text.toLowerCase() === 'host').length

const relay = (from: IncomingMessage, to: ServerResponse, more: HeaderList): void => {
  to.statusCode = from.statusCode ?? 502
  for (const [name, value] of [...receivedHeaders(from, new Set()), ...more]) to.appendHeader(name, value)
  from.once('error', () => to.destroy())
  from.pipe(to)
}

const end = (response: ServerResponse, status: number, headers: HeaderList = []): void => {
  for (const [name, value] of headers) response.appendHeader(name, value)
  response.writeHead(status, { 'Cache-Control': 'no-store', 'Content-Length': '0' }).end()
}
