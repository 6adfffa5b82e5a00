// Sockets of the demo: on 127.0.0.1 only, at the wanted port where it is free, else at any other.
import { createServer, type Server } from 'node:net'

export interface Listening {
  readonly port: number
  /** Ends open connections, then the listener. */
  readonly close: () => Promise<void>
}

/** What `node:http` servers add to `node:net` ones. */
type ClosableServer = Server & { readonly closeAllConnections?: () => void }

const HOST = '127.0.0.1'

/**
 * Listens on the loopback address.
 * @param preferredPort taken if it is free; 0 = any
 * @throws where not even a port of the system's choice can be had
 */
export const listenOnLoopback = async (server: ClosableServer, preferredPort: number): Promise<Listening> => {
  const port = (await listens(server, preferredPort)) ?? (await listens(server, 0))
  if (port === undefined) throw new Error(`cannot listen on ${HOST}: no free port`)
  return { port, close: () => closed(server) }
}

/**
 * Finds a port for a listener that somebody else opens right after, e.g. nginx.
 * @param taken ports already promised to others
 */
export const chooseFreePort = async (preferredPort: number, taken: ReadonlySet<number>): Promise<number> => {
  const probe = createServer()
  const { port, close } = await listenOnLoopback(probe, taken.has(preferredPort) ? 0 : preferredPort)
  await close()
  return taken.has(port) ? chooseFreePort(0, taken) : port
}

const listens = (server: Server, port: number): Promise<number | undefined> =>
  new Promise((resolve) => {
    const refused = (): void => resolve(undefined)
    server.once('error', refused)
    server.listen(port, HOST, () => {
      server.off('error', refused)
      const address = server.address()
      resolve(typeof address === 'object' ? address?.port : undefined)
    })
  })

const closed = (server: ClosableServer): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections?.()
  })
