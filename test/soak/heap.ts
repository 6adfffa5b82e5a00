// The heap of another process of ours, after a full collection, by its inspector.
import { freePort } from '../support/free-port.ts'

export interface HeapGauge {
  /** For the environment of the process. */
  readonly env: Readonly<Record<string, string>>
  /** Bytes in use after a collection. */
  readonly usedBytes: () => Promise<number>
}

/** Prepares an inspector on a free port of the loopback interface. */
export const makeHeapGauge = async (): Promise<HeapGauge> => {
  const port = await freePort()
  return {
    env: { NODE_OPTIONS: `--inspect=127.0.0.1:${port}` },
    usedBytes: async () => {
      const targets = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as readonly {
        readonly webSocketDebuggerUrl: string
      }[]
      const socket = new WebSocket(targets[0]?.webSocketDebuggerUrl ?? '')
      try {
        await opened(socket)
        // Twice: what a finalizer lets go is collected by the second.
        await call(socket, 1, 'HeapProfiler.collectGarbage')
        await call(socket, 2, 'HeapProfiler.collectGarbage')
        const usage = await call(socket, 3, 'Runtime.getHeapUsage')
        return Number(usage['usedSize'])
      } finally {
        socket.close()
      }
    },
  }
}

const opened = (socket: WebSocket): Promise<void> =>
  new Promise((resolve, reject) => {
    socket.addEventListener('open', () => resolve())
    socket.addEventListener('error', () => reject(new Error('the inspector does not answer')))
  })

const call = (socket: WebSocket, id: number, method: string): Promise<Readonly<Record<string, unknown>>> =>
  new Promise((resolve) => {
    const onMessage = (event: MessageEvent): void => {
      const answer = JSON.parse(String(event.data)) as {
        readonly id?: number
        readonly result?: Readonly<Record<string, unknown>>
      }
      if (answer.id !== id) return
      socket.removeEventListener('message', onMessage)
      resolve(answer.result ?? {})
    }
    socket.addEventListener('message', onMessage)
    socket.send(JSON.stringify({ id, method }))
  })
