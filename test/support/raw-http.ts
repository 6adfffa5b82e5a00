// Speaks HTTP byte by byte, so that a test can send what no client library would.
import { connect } from 'node:net'

export interface RawAnswer {
  readonly status: number
  /** Lower-case name → every value, in order. */
  readonly headers: ReadonlyMap<string, readonly string[]>
  readonly body: string
  readonly head: string
}

/** Sends the bytes and reads until the server closes, so the last request says `Connection: close`. Latin1. */
export const sendRaw = (port: number, bytes: string): Promise<RawAnswer> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect(port, '127.0.0.1', () => socket.write(Buffer.from(bytes, 'latin1')))
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', reject)
    socket.on('close', () => resolve(parseAnswer(Buffer.concat(chunks).toString('latin1'))))
  })

/** A request as text: adds `Host` and `Connection: close` unless the headers name them. */
export const requestText = (
  method: string,
  target: string,
  headers: readonly (readonly [string, string])[],
  body = '',
): string => {
  const named = new Set(headers.map(([name]) => name.toLowerCase()))
  const lines = [
    ...(named.has('host') ? [] : [['Host', 'postern.internal'] as const]),
    ...(named.has('connection') ? [] : [['Connection', 'close'] as const]),
    ...headers,
  ].map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n${body}`
}

/** Splits one answer; what follows the head is its body, undecoded. */
export const parseAnswer = (text: string): RawAnswer => {
  const end = text.indexOf('\r\n\r\n')
  const head = end < 0 ? text : text.slice(0, end + 4)
  const [statusLine = '', ...lines] = head.split('\r\n').filter((line) => line !== '')
  const pairs = lines.map((line): readonly [string, string] => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
  })
  const headers = new Map(
    [...Map.groupBy(pairs, ([name]) => name)].map(([name, rows]) => [name, rows.map(([, value]) => value)]),
  )
  return {
    status: Number(statusLine.split(' ')[1] ?? 0),
    headers,
    body: end < 0 ? '' : text.slice(end + 4),
    head,
  }
}
