// The decision listener: one catch-all handler, no router, nothing else that can answer 2xx. It reads the raw target
// and the raw headers, because every library between here and the socket repairs what must be refused.
import { getRequestListener } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { Hono } from 'hono'
import {
  createServer,
  STATUS_CODES,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { answerHead } from '../proxy/answer-head.ts'
import { endAfterAnswers } from './last-answer.ts'

/** Answers one request on the socket; may finish later. Never throws, never rejects. */
export type RawHandler = (incoming: IncomingMessage, outgoing: ServerResponse) => Promise<void> | undefined

/**
 * Hears of a request that Node's parser refused before any handler saw it.
 * @returns the decision id under which it is in the log; the answer carries it. Never throws.
 */
export type OnUnreadable = (status: number, why: string, peer: string | undefined) => string

interface Bindings {
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
}

/** Above every proxy's idle timeout (60 s), so that the proxy closes first and no request is lost. */
const KEEP_ALIVE_MS = 75_000

/** How much a listener reads and how long it waits. The same for all: cookies come to each of them. */
export const SERVER_LIMITS = {
  maxHeaderSize: 65_536,
  keepAliveTimeout: KEEP_ALIVE_MS,
  headersTimeout: KEEP_ALIVE_MS + 5_000,
  requestTimeout: 90_000,
} as const satisfies ServerOptions

const OPTIONS: ServerOptions = {
  ...SERVER_LIMITS,
  // A missing Host is decided (and refused) by the dialect, with a line in the log.
  requireHostHeader: false,
}

/**
 * Makes the decision server; it does not listen yet.
 * @param handle answers every request that Node could parse
 * @param onUnreadable hears of every request that it could not
 */
export const makeDecisionServer = (handle: RawHandler, onUnreadable: OnUnreadable): Server => {
  // The handler reads the raw target: taking a path out of the URL would be work for a router that there is not.
  const app = new Hono<{ Bindings: Bindings }>({ getPath: () => '/' })
  app.all('*', (c) => {
    const finishing = handle(c.env.incoming, c.env.outgoing)
    return finishing === undefined ? RESPONSE_ALREADY_SENT : sentAfter(finishing)
  })
  const viaHono = getRequestListener((request, env) => app.fetch(request, env), {
    overrideGlobalObjects: false,
  })
  const server = createServer(OPTIONS, (incoming, outgoing) => {
    void (honoMayCarry(incoming) ? viaHono(incoming, outgoing) : handle(incoming, outgoing))
  })
  return own(server, handle, onUnreadable)
}

const sentAfter = async (finishing: Promise<void>): Promise<Response> => {
  await finishing
  return RESPONSE_ALREADY_SENT
}

/**
 * Hono re-wraps the answer to a HEAD, and its request object refuses odd hosts and targets with an answer of its own:
 * those requests go to the same handler without it.
 */
const honoMayCarry = (incoming: IncomingMessage): boolean =>
  incoming.method !== 'HEAD' &&
  incoming.url?.startsWith('/') === true &&
  /^[A-Za-z0-9.-]+(?::\d{1,5})?$/.test(incoming.headers.host ?? '')

const own = (server: Server, handle: RawHandler, onUnreadable: OnUnreadable): Server => {
  // Node keeps about a thousand headers and drops the rest silently: a client could push ours out.
  server.maxHeadersCount = 0
  server.on(
    'checkContinue',
    (incoming: IncomingMessage, outgoing: ServerResponse) => void handle(incoming, outgoing),
  )
  server.on('checkExpectation', (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const id = onUnreadable(417, 'unknown expectation', incoming.socket.remoteAddress)
    outgoing.writeHead(417, lastHead(id)).end()
  })
  server.on('connect', (incoming: IncomingMessage, socket: Duplex) => {
    // Node has let go of it: a reset would be nobody's, and end the process.
    socket.on('error', () => socket.destroy())
    const id = onUnreadable(405, 'CONNECT is not decided', incoming.socket.remoteAddress)
    endAfterAnswers(socket, rawAnswer(405, id))
  })
  const ending = new WeakSet<Duplex>()
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    // Bytes after `Connection: close` are no request (RFC 9112 §9.6). The one before them has its line in the log, and
    // its answer, which may still be under way, closes the connection.
    if (error.code === 'HPE_CLOSED_CONNECTION') return
    // The rest of what was told of already.
    if (ending.has(socket)) {
      if (socket.writableEnded) socket.destroy()
      return
    }
    ending.add(socket)
    const status = CLIENT_ERROR_STATUS[error.code ?? ''] ?? 400
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an http server's sockets are sockets
    const id = onUnreadable(status, error.code ?? 'unreadable request', (socket as Socket).remoteAddress)
    endAfterAnswers(socket, rawAnswer(status, id))
  })
  return server
}

const CLIENT_ERROR_STATUS: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
}

/** The head of an answer without a body, the last one on its connection; flat. */
const lastHead = (id: string): string[] => [...answerHead(id, ''), 'Connection', 'close']

const rawAnswer = (status: number, id: string): string => {
  const head = lastHead(id)
  const lines = head.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${head[index + 1] ?? ''}`] : []))
  return [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`, ...lines, '', ''].join('\r\n')
}
