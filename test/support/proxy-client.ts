// A client of a real proxy, byte by byte: it keeps its side open, since nginx drops a request whose client half-closed.
import { connect } from 'node:net'
import { parseAnswer, requestText, type RawAnswer } from './raw-http.ts'

export interface ProxyRequest {
  readonly method?: string
  /** Raw request target. */
  readonly target: string
  readonly headers?: readonly (readonly [string, string])[]
  readonly body?: string
}

/** Sends one request with `Connection: close` and reads the whole answer. */
export const askProxy = (
  port: number,
  { method = 'GET', target, headers = [], body = '' }: ProxyRequest,
): Promise<RawAnswer> => {
  const length = body === '' ? [] : [['Content-Length', String(Buffer.byteLength(body))] as const]
  return exchange(port, requestText(method, target, [...headers, ...length], body))
}

/** Sends bytes and reads until the other side closes, or until the head of a 101 is there. */
export const exchange = (port: number, bytes: string): Promise<RawAnswer> =>
  new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(Buffer.from(bytes, 'latin1')))
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      if (text.startsWith('HTTP/1.1 101') && text.includes('\r\n\r\n')) socket.destroy()
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(parseAnswer(text)))
  })
