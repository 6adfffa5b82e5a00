// An application that tells what it saw: the raw target, the header lines as received, and how many connections came.
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Seen {
  readonly method: string
  /** Raw request target. */
  readonly target: string
  /** Lower-case name → every value, in order. */
  readonly headers: Readonly<Record<string, readonly string[]>>
  readonly body: string
}

export interface EchoApp {
  readonly port: number
  /** Everything that reached the application, oldest first. */
  readonly seen: readonly Seen[]
  readonly close: () => Promise<void>
}

const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** Answers each request with what it saw, as JSON; accepts WebSocket handshakes (RFC 6455 §4.2.2). */
export const startEchoApp = async (): Promise<EchoApp> => {
  const seen: Seen[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const one = sight(request, body)
      seen.push(one)
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(one))
    })
  })
  server.on('upgrade', (request: IncomingMessage, socket) => {
    seen.push(sight(request, ''))
    const key = createHash('sha1')
      .update(`${request.headers['sec-websocket-key'] ?? ''}${WEBSOCKET_GUID}`)
      .digest('base64')
    socket.end(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\n\r\n`,
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on an address
  const { port } = server.address() as AddressInfo
  return {
    port,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const sight = ({ method = '', url = '', rawHeaders }: IncomingMessage, body: string): Seen => {
  const headers: Record<string, string[]> = {}
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase()
    headers[name] = [...(headers[name] ?? []), rawHeaders[i + 1] ?? '']
  }
  return { method, target: url, headers, body }
}
