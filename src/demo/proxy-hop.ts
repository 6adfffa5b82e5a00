// One hop of the stand-in proxy: a request sent on with chosen headers, and its answer as it comes.
import { Agent, request as send, type IncomingMessage } from 'node:http'

export type HeaderList = readonly (readonly [name: string, value: string])[]

export interface Hop {
  readonly port: number
  readonly method: string
  /** Raw path and query: nothing here decodes or resolves it. */
  readonly target: string
  readonly headers: HeaderList
  /** What is sent on as the body; undefined = none. */
  readonly body: IncomingMessage | undefined
}

/** Belong to one connection and never pass a proxy (RFC 9110 §7.6.1). */
const HOP_BY_HOP = new Set([
  'connection',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** The received header lines in order, without those of the connection and without `except` (lower case). */
export const receivedHeaders = (message: IncomingMessage, except: ReadonlySet<string>): HeaderList => {
  const { rawHeaders } = message
  const lines: (readonly [string, string])[] = []
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const [name = '', value = ''] = [rawHeaders[i], rawHeaders[i + 1]]
    const lower = name.toLowerCase()
    // `x_auth_user` and `x-auth-user` are one header to many applications; nginx drops the former too.
    if (!HOP_BY_HOP.has(lower) && !except.has(lower) && !lower.includes('_')) lines.push([name, value])
  }
  return lines
}

/** Makes the sender; its connections are kept. Rejects where nobody answers. */
export const makeHops = (): {
  readonly send: (hop: Hop) => Promise<IncomingMessage>
  readonly close: () => void
} => {
  const agent = new Agent({ keepAlive: true })
  return {
    close: () => agent.destroy(),
    send: ({ port, method, target, headers, body }) =>
      new Promise((resolve, reject) => {
        const hop = send({ agent, host: '127.0.0.1', port, method, path: target, setHost: false }, resolve)
        for (const [name, value] of headers) hop.appendHeader(name, value)
        hop.once('error', reject)
        if (body === undefined) hop.end()
        else body.pipe(hop)
      }),
  }
}
