// Sockets: bound, named in errors, and closed without losing a request that is under way.
import type { Server } from 'node:http'

export interface Listening {
  /** `http://host:port` as bound. */
  readonly url: string
  /** Stops accepting, lets requests under way finish, closes idle connections. Never rejects. */
  close(): Promise<void>
}

/**
 * Binds a server.
 * @param name of the listener, for the error
 * @throws {Error} where the address cannot be bound: says which, where and why
 */
export const listen = (server: Server, name: string, host: string, port: number): Promise<Listening> =>
  new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new Error(
          `the ${name} listener cannot use \`${host}:${port}\` (${error.code ?? error.message}); change \`listen.${name}\``,
        ),
      )
    })
    server.listen(port, host, () => resolve({ url: urlOf(server), close: () => close(server) }))
  })

const urlOf = (server: Server): string => {
  const address = server.address()
  if (typeof address !== 'object' || address === null) return ''
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return `http://${host}:${address.port}`
}

const close = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve())
    server.closeIdleConnections()
  })
