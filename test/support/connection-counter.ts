// A relay that counts the connections through it: how often somebody really connects, seen from outside.
import { connect, createServer } from 'node:net'
import { listenOnLoopback } from '../../src/demo/loopback.ts'

export interface ConnectionCounter {
  readonly port: number
  readonly count: () => number
  readonly close: () => Promise<void>
}

/** Relays to `port` on 127.0.0.1. */
export const startConnectionCounter = async (port: number): Promise<ConnectionCounter> => {
  let connections = 0
  const open = new Set<() => void>()
  const server = createServer((near) => {
    connections += 1
    const far = connect(port, '127.0.0.1')
    const end = (): void => {
      near.destroy()
      far.destroy()
      open.delete(end)
    }
    open.add(end)
    near.pipe(far).pipe(near)
    for (const socket of [near, far]) socket.on('error', end).on('close', end)
  })
  const listening = await listenOnLoopback(server, 0)
  return {
    port: listening.port,
    count: () => connections,
    close: async () => {
      for (const end of open) end()
      await listening.close()
    },
  }
}
