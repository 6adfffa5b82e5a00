// What stands in a stream since its last block line, of whichever writer: a writer that begins names it, and so vouches
// for what a killed one left behind. Bounded: where it grows too long, nobody named it either.
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { TAIL_MAX, type LogTail } from './log-tail.ts'

const resumeSchema = z.looseObject({
  after: z.string().optional(),
  bytes: z.int().nonnegative(),
  sha256: z.string(),
})

/** How the line begins that says what a new writer found. */
export const RESUME = '{"v":1,"type":"log.resume",'

const EARLIER_MAX = 16

export type TailCheck = 'same' | 'other-block' | 'other-lines' | 'not-known'

export class StreamTail {
  #after: string | undefined
  /** Hashes of the block lines before the last one, newest last. */
  #earlier: readonly string[] = []
  #parts: Uint8Array[] = []
  #bytes = 0
  #isEmptyStream = true

  /** @param hash of a block line that just came */
  block(hash: string): void {
    if (this.#after !== undefined) this.#earlier = [...this.#earlier, this.#after].slice(-EARLIER_MAX)
    this.#after = hash
    this.#parts = []
    this.#bytes = 0
    this.#isEmptyStream = false
  }

  line(bytes: Uint8Array): void {
    this.#isEmptyStream = false
    this.#bytes += bytes.length
    if (this.#bytes <= TAIL_MAX) this.#parts.push(Uint8Array.from(bytes))
    else this.#parts = []
  }

  /**
   * Compares what a writer found at its start with what stands before that line.
   * @returns `not-known` where the files begin after it. Never throws.
   */
  check(text: string): TailCheck {
    const found = readResume(text)
    if (found === undefined) return 'other-lines'
    if (this.#isEmptyStream) return 'not-known'
    if (this.#after !== found.after) {
      if (this.#after === undefined) return 'not-known'
      // Between its look and its first line somebody else wrote whole blocks, which prove themselves.
      const cameBetween = found.bytes === 0 && this.#earlier.some((hash) => hash === found.after)
      return cameBetween ? 'same' : 'other-block'
    }
    if (this.#bytes !== found.bytes || this.#bytes > TAIL_MAX) return 'other-lines'
    const hash = createHash('sha256')
    for (const part of this.#parts) hash.update(part)
    return hash.digest('hex') === found.sha256 ? 'same' : 'other-lines'
  }
}

/** Which block line a new writer found last; undefined where it found none, or for any other line. Never throws. */
export const blockNamedIn = (text: string): string | undefined =>
  text.startsWith(RESUME) ? readResume(text)?.after : undefined

const readResume = (text: string): LogTail | undefined => {
  try {
    const found = resumeSchema.safeParse(JSON.parse(text))
    return found.success ? { ...found.data, after: found.data.after } : undefined
  } catch {
    return undefined
  }
}
