// What the caller shows of itself. It words the challenge and never decides whether there is one: a client may lie here
// and gets only another shape of the same refusal.
import type { Manner } from './exchange.ts'

/** The headers that say it. */
export interface MannerHeaders {
  readonly accept: string | undefined
  readonly contentType: string | undefined
  readonly requestedWith: string | undefined
  readonly fetchMode: string | undefined
  readonly fetchDest: string | undefined
}

const NAVIGABLE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST'])

/**
 * Judges a caller: Fetch Metadata first, `Accept` where a browser or tool sends none.
 * @param headers untrusted
 * @param method of the original request; `WEBSOCKET` for a handshake. Never throws.
 */
export const mannerOf = (headers: MannerHeaders, method: string): Manner => {
  const mode = headers.fetchMode?.toLowerCase()
  const script = isXhr(headers) || (mode !== undefined && mode !== 'navigate')
  const machine = script || method === 'WEBSOCKET' || isBare(headers) || isRpc(headers)
  const navigation = !machine && NAVIGABLE.has(method) && (mode === 'navigate' || wantsPage(headers))
  return { navigation, machine, script, document: navigation && isDocument(headers) }
}

const isXhr = (headers: MannerHeaders): boolean => headers.requestedWith?.toLowerCase() === 'xmlhttprequest'

const isDocument = (headers: MannerHeaders): boolean =>
  headers.fetchMode?.toLowerCase() === 'navigate' && headers.fetchDest?.toLowerCase() === 'document'

/** Neither Fetch Metadata nor `Accept`: every browser sends one of them. */
const isBare = (headers: MannerHeaders): boolean =>
  headers.fetchMode === undefined && headers.accept === undefined

const isRpc = (headers: MannerHeaders): boolean =>
  headers.contentType?.toLowerCase().startsWith('application/grpc') === true

const wantsPage = (headers: MannerHeaders): boolean => {
  const wanted = headers.accept?.toLowerCase() ?? ''
  return wanted.includes('text/html') && !wanted.includes('application/json')
}
