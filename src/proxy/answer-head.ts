// The headers that every answer has, and the 4096 bytes that all of them share: NGINX reads no more and answers 500.
import { Buffer } from 'node:buffer'

const HEAD_LIMIT_BYTES = 4096
/** Status line, and the `Date`, `Connection` and `Keep-Alive` that the server adds. */
const SERVER_BYTES = 160

/**
 * Starts a header list. Never stored by any cache: `X-Accel-Expires` outranks what a proxy configured (a 401 would be
 * remembered after sign-in), and an answer without a length closes NGINX's connection.
 * @param body as it goes out; UTF-8
 */
export const answerHead = (decisionId: string, body: string): string[] => [
  'Content-Length',
  body === '' ? '0' : String(Buffer.byteLength(body)),
  'Cache-Control',
  'no-store',
  'X-Accel-Expires',
  '0',
  'X-Postern-Decision',
  decisionId,
]

/** Bytes of a header list on the wire, the server's own lines included. */
export const headBytes = (headers: readonly string[]): number =>
  // A name and `: `, a value and CRLF: two bytes for each.
  headers.reduce((sum, text) => sum + text.length + 2, SERVER_BYTES)

/**
 * Adds the one cookie of an answer where it fits: a renewal that is lost is made again, an answer that is lost is an
 * outage.
 * @param headers the list so far, without echoes, which do not count
 */
export const cookieLine = (headers: readonly string[], setCookie: string | undefined): readonly string[] => {
  if (setCookie === undefined) return []
  const line = ['Set-Cookie', setCookie]
  return headBytes([...headers, ...line]) < HEAD_LIMIT_BYTES ? line : []
}
