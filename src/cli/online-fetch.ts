// A fetch that remembers what it heard, so that a check can say what came instead of what was wanted. The answers go on
// to the very code of the service, which judges them.

export interface Heard {
  /** Without query. */
  readonly address: string
  readonly answer: HeardAnswer
  /** How far the clock that wrote `Date` is ahead of ours; undefined where it wrote none. */
  readonly clockAheadSeconds: number | undefined
}

export type HeardAnswer =
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly contentType: string
      /** Where a redirect leads, without query. */
      readonly location: string | undefined
      /** Untrusted, and cut. */
      readonly text: string
    }
  | { readonly kind: 'timeout' }
  /** `code` of the system or of TLS. */
  | { readonly kind: 'failed'; readonly code: string }

export interface HearingFetch {
  readonly fetch: typeof globalThis.fetch
  readonly heard: () => readonly Heard[]
}

/** Above what the service reads of any answer, so that it finds too long what is too long. */
const BYTES_MAX = 1_048_577

/**
 * Wraps a fetch.
 * @param nowMs the wall clock, which is what is compared
 */
export const hearingFetch = (fetch: typeof globalThis.fetch, nowMs: () => number): HearingFetch => {
  const heard: Heard[] = []
  return {
    heard: () => heard,
    fetch: async (input, init) => {
      const address = addressOf(input)
      const askedMs = nowMs()
      try {
        const response = await fetch(input, init)
        const clockAheadSeconds = aheadSeconds(response.headers, (askedMs + nowMs()) / 2)
        const bytes = await readBounded(response)
        heard.push({ address, answer: answerOf(response, bytes), clockAheadSeconds })
        const { status, headers } = response
        return new Response(response.body === null ? null : bytes, { status, headers })
      } catch (error) {
        const answer: HeardAnswer =
          init?.signal?.aborted === true ? { kind: 'timeout' } : { kind: 'failed', code: codeOf(error) }
        heard.push({ address, answer, clockAheadSeconds: undefined })
        throw error
      }
    },
  }
}

const addressOf = (input: Parameters<typeof globalThis.fetch>[0]): string =>
  withoutQuery(input instanceof Request ? input.url : String(input))

const withoutQuery = (address: string): string => address.split(/[?#]/, 1)[0] ?? ''

const readBounded = async (response: Response): Promise<Uint8Array<ArrayBuffer>> => {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > BYTES_MAX) break
  }
  return new Uint8Array(Buffer.concat(chunks))
}

const TEXT_MAX = 65_536

const answerOf = ({ status, headers }: Response, bytes: Uint8Array): HeardAnswer => {
  const location = headers.get('location')
  return {
    kind: 'answer',
    status,
    contentType: (headers.get('content-type') ?? '').split(';', 1)[0]?.trim() ?? '',
    location: location === null ? undefined : withoutQuery(location),
    text: Buffer.from(bytes.subarray(0, TEXT_MAX)).toString('utf8'),
  }
}

/** `Date` counts whole seconds (RFC 9110 §6.6.1); an answer from a cache is as old as its `Age`. */
const aheadSeconds = (headers: Headers, oursMs: number): number | undefined => {
  const writtenMs = Date.parse(headers.get('date') ?? '')
  const age = Number(headers.get('age') ?? '0')
  if (Number.isNaN(writtenMs) || !(age >= 0)) return undefined
  return (writtenMs + 500 + age * 1000 - oursMs) / 1000
}

const codeOf = (error: unknown): string => {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string'
    ? cause.code
    : 'the connection failed'
}
