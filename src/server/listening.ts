// Sockets: bound, named in errors, and closed without losing a request that is under way. A connection that asks for
// nothing, or only for half of something, never keeps the service from ending.
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer, type Server as NetServer, type Socket } from 'node:net'

export interface Listening {
  /** `http://host:port` as bound. */
  readonly url: string
  /** From now on each answer is the last one on its connection, so that a proxy opens the next one elsewhere. */
  drain(): void
  /**
   * Stops accepting, drops connections without a request, and lets requests under way finish.
   * @param graceMs how long they may take
   * @returns when every connection is closed. Never rejects.
   */
  close(graceMs: number): Promise<void>
  /** Drops every connection. */
  abort(): void
}

/** An address that is taken: whoever connects before a server answers there is dropped. */
export interface Reserved {
  /** What holds the address. */
  readonly holder: NetServer
  /** Gives the address back, whoever answers there. Never rejects. */
  readonly release: () => Promise<void>
}

/**
 * Takes an address.
 * @param name of the listener, for the error
 * @throws {Error} where the address cannot be bound: says which, where and why
 */
export const reserve = (name: string, host: string, port: number): Promise<Reserved> => {
  const holder = createServer((socket) => socket.destroy())
  return new Promise((resolve, reject) => {
    holder.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new Error(
          `the ${name} listener cannot use \`${host}:${port}\` (${error.code ?? error.message}); change \`listen.${name}\``,
        ),
      )
    })
    holder.listen(port, host, () => resolve({ holder, release: () => closed(holder) }))
  })
}

const closed = (holder: NetServer): Promise<void> =>
  new Promise((resolve) => {
    holder.close(() => resolve())
  })

/** Lets a server answer at a reserved address: it takes the holder's socket over, which was never closed in between. */
export const listen = (server: Server, { holder }: Reserved): Promise<Listening> => {
  const connections = followConnections(server)
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(holder, () => resolve({ url: urlOf(server), ...connections }))
  })
}

const urlOf = (server: Server): string => {
  const address = server.address()
  if (typeof address !== 'object' || address === null) return ''
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return `http://${host}:${address.port}`
}

/** Events that hand a request over. Listening to one that nobody listens to would change what Node itself answers. */
const REQUEST_EVENTS = ['request', 'checkContinue', 'checkExpectation'] as const

const followConnections = (server: Server): Pick<Listening, 'drain' | 'close' | 'abort'> => {
  /** Open connections, with the number of requests that wait for an answer. */
  const waiting = new Map<Socket, number>()
  let draining = false
  let closing = false
  const finished = (socket: Socket): void => {
    const left = (waiting.get(socket) ?? 1) - 1
    if (waiting.has(socket)) waiting.set(socket, left)
    if (closing && left === 0) socket.end()
  }
  server.on('connection', (socket: Socket) => {
    waiting.set(socket, 0)
    socket.once('close', () => waiting.delete(socket))
  })
  for (const event of REQUEST_EVENTS.filter((one) => server.listenerCount(one) > 0)) {
    server.prependListener(event, ({ socket }: IncomingMessage, outgoing: ServerResponse) => {
      waiting.set(socket, (waiting.get(socket) ?? 0) + 1)
      if (draining) outgoing.shouldKeepAlive = false
      // It closes once; `once` would only cost each request a wrapper.
      outgoing.on('close', () => finished(socket))
    })
  }
  return {
    drain: () => {
      draining = true
    },
    close: (graceMs) => {
      draining = closing = true
      return new Promise((resolve) => {
        const grace = setTimeout(() => server.closeAllConnections(), graceMs)
        server.close(() => {
          clearTimeout(grace)
          resolve()
        })
        for (const [socket, requests] of waiting) if (requests === 0) socket.destroy()
      })
    },
    abort: () => server.closeAllConnections(),
  }
}
