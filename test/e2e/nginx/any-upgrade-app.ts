// A careless application: it changes to whatever protocol a request asks for, and takes all that follows for its own.
import { createServer } from 'node:net'
import { freePort } from '../../support/free-port.ts'

export interface AnyUpgradeApp {
  readonly port: number
  /** The protocols that it changed to, in order. */
  readonly upgrades: readonly string[]
  /** The first line of each request. */
  readonly requests: readonly string[]
  readonly close: () => Promise<void>
}

/** Starts it on loopback. */
export const startAnyUpgradeApp = async (): Promise<AnyUpgradeApp> => {
  const upgrades: string[] = []
  const requests: string[] = []
  const ends = new Set<() => void>()
  const server = createServer((socket) => {
    let head = ''
    ends.add(() => socket.destroy())
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk) => {
      head += chunk.toString('latin1')
      if (!head.includes('\r\n\r\n')) return
      const [, protocol] = /^upgrade: *(\S.*)$/im.exec(head) ?? []
      requests.push(head.slice(0, head.indexOf('\r\n')))
      head = ''
      if (protocol === undefined) {
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
        return
      }
      upgrades.push(protocol.trim())
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${protocol.trim()}\r\n\r\n`,
      )
    })
  })
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    port,
    upgrades,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const end of ends) end()
      }),
  }
}
