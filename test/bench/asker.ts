// A client that asks from this process: many different requests, or few whose every answer is timed. It speaks HTTP by
// hand, since a library would take longer than the server.
import { connect, type Socket } from 'node:net'

export interface Asked {
  readonly answers: number
  /** The longest wait for one answer. */
  readonly longestMs: number
}

/** Tells whether to go on, and with which request; undefined ends a connection. */
export type NextRequest = () => string | undefined

/**
 * Asks over keep-alive connections, one request at a time on each.
 * @throws {Error} at the first answer that is no 200
 */
export const ask = async (url: string, connections: number, next: NextRequest): Promise<Asked> => {
  const all = await Promise.all(Array.from({ length: connections }, () => askOnOne(new URL(url), next)))
  return {
    answers: all.reduce((sum, one) => sum + one.answers, 0),
    longestMs: Math.max(...all.map((one) => one.longestMs)),
  }
}

const askOnOne = ({ hostname, port }: URL, next: NextRequest): Promise<Asked> =>
  new Promise((resolve, reject) => {
    let answers = 0
    let longestMs = 0
    let askedMs = 0
    let received = ''
    const socket: Socket = connect({ host: hostname, port: Number(port), noDelay: true })
    const send = (): void => {
      const request = next()
      if (request === undefined) {
        socket.end()
        resolve({ answers, longestMs })
        return
      }
      askedMs = performance.now()
      socket.write(request, 'latin1')
    }
    socket.on('connect', send)
    socket.on('error', reject)
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
      if (!received.endsWith('\r\n\r\n')) return
      longestMs = Math.max(longestMs, performance.now() - askedMs)
      if (!received.startsWith('HTTP/1.1 200 ')) {
        socket.destroy()
        reject(new Error(`answered ${received.slice(0, 60)}`))
        return
      }
      answers += 1
      received = ''
      send()
    })
  })

/** A check as NGINX sends it. */
export const checkText = (headers: Readonly<Record<string, string>>): string =>
  `GET /authz/nginx HTTP/1.1\r\nHost: postern\r\n${Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`
