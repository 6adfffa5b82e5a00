// One outgoing request for a JSON document of an issuer: no redirect followed, nothing but https (or http on this
// machine), bounded in size and time. What it fetches is untrusted.

/** What reaches outside; arguments, so that a test decides about both. */
export interface FetchPorts {
  readonly fetch: typeof globalThis.fetch
  /** Runs once after a delay. @returns what calls it off; must not keep the process alive by itself */
  readonly schedule: (delayMs: number, run: () => void) => () => void
}

export type Fetched =
  | { readonly kind: 'fetched'; readonly text: string }
  | { readonly kind: 'failed'; readonly why: string }

const BYTES_MAX = 512 * 1024
const TIME_LIMIT_MS = 5000

/** True for an address that may be fetched: https, or http on the loopback interface. Never throws. */
export const mayBeFetched = (url: URL): boolean => {
  if (url.username !== '' || url.password !== '') return false
  if (url.protocol === 'https:') return true
  return url.protocol === 'http:' && isLoopback(url.hostname)
}

const isLoopback = (hostname: string): boolean =>
  hostname === 'localhost' ||
  hostname.endsWith('.localhost') ||
  hostname === '[::1]' ||
  /^127\.\d+\.\d+\.\d+$/.test(hostname)

/**
 * Fetches a document.
 * @param address trusted only as far as {@link mayBeFetched} says
 * @returns its text, or why there is none, in words that hold nothing of the answer. Never rejects.
 */
export const fetchText = async (address: string, ports: FetchPorts): Promise<Fetched> => {
  const url = URL.parse(address)
  if (url === null || !mayBeFetched(url)) return failed('its address is not https')
  const abort = new AbortController()
  const callOff = ports.schedule(TIME_LIMIT_MS, () => abort.abort())
  try {
    const response = await ports.fetch(url, {
      redirect: 'manual',
      signal: abort.signal,
      headers: { accept: 'application/json' },
    })
    if (response.status !== 200) {
      await response.body?.cancel()
      return failed(`it answered ${response.status}`)
    }
    return await readBounded(response)
  } catch (error) {
    return failed(abort.signal.aborted ? `no answer within ${TIME_LIMIT_MS} ms` : codeOf(error))
  } finally {
    callOff()
  }
}

const failed = (why: string): Fetched => ({ kind: 'failed', why })

const readBounded = async (response: Response): Promise<Fetched> => {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length
    if (bytes > BYTES_MAX) return failed(`it is over ${BYTES_MAX} bytes`)
    chunks.push(chunk)
  }
  return { kind: 'fetched', text: Buffer.concat(chunks).toString('utf8') }
}

const codeOf = (error: unknown): string => {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string'
    ? cause.code
    : 'the connection failed'
}
