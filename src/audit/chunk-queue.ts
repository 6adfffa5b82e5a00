// Text on its way to a sink: large writes, one at a time, in order, each tried until it succeeds. What a write took
// in part is not written twice.
import type { Sink } from './sink.ts'

export interface QueueSettings {
  /** A write starts at the latest after this time. */
  readonly flushMs: number
  /** After a failed write. */
  readonly retryMs: number
}

/** Runs a task once, later; the returned function calls it off. */
export type Later = (task: () => void, delayMs: number) => () => void

const byTimer: Later = (task, delayMs) => {
  const timer = setTimeout(task, delayMs)
  return () => clearTimeout(timer)
}

const FLUSH_BYTES = 65_536
const NOTHING = Buffer.alloc(0)

/** Text that waits for a sink. A class, since it guards what is in flight. */
export class ChunkQueue {
  readonly #sink: Sink
  readonly #settings: QueueSettings
  readonly #onFailure: (error: unknown) => void
  readonly #later: Later
  #waiting = ''
  #waitingLines = 0
  #writing: Uint8Array = NOTHING
  #writingLines = 0
  #draining: Promise<void> | undefined
  #callOff: (() => void) | undefined
  #failedWrites = 0
  #failing = false
  #closed = false

  /** @param onFailure hears of the first of a run of failed writes */
  constructor(
    sink: Sink,
    settings: QueueSettings,
    onFailure: (error: unknown) => void,
    later: Later = byTimer,
  ) {
    this.#sink = sink
    this.#settings = settings
    this.#onFailure = onFailure
    this.#later = later
  }

  /** @param line ASCII, so that its characters are its bytes */
  add(line: string): void {
    this.#waiting += line
    this.#waitingLines += 1
    if (this.#waiting.length >= FLUSH_BYTES && !this.#failing) void this.flush()
    else this.#schedule(this.#settings.flushMs)
  }

  /** Bytes that are not in the sink yet. */
  pending(): number {
    return this.#waiting.length + this.#writing.length
  }

  /** Lines of which the sink does not have all. */
  pendingLines(): number {
    return this.#waitingLines + this.#writingLines
  }

  /** True after a failed write, until one succeeds. */
  isFailing(): boolean {
    return this.#failing
  }

  failedWrites(): number {
    return this.#failedWrites
  }

  /** Resolves when all that was added is in the sink, or the sink refused it. */
  flush(): Promise<void> {
    this.#draining ??= this.#drain().finally(() => {
      this.#draining = undefined
    })
    return this.#draining
  }

  /** The last flush; nothing is tried again after it. */
  async close(): Promise<void> {
    this.#closed = true
    await this.flush()
    this.#callOff?.()
  }

  async #drain(): Promise<void> {
    this.#callOff?.()
    this.#callOff = undefined
    while (this.pending() > 0) {
      if (!(await this.#writeOne())) {
        if (!this.#closed) this.#schedule(this.#settings.retryMs)
        return
      }
    }
  }

  /** Writes what is first in line; false where the sink refused it, which leaves it there. */
  async #writeOne(): Promise<boolean> {
    if (this.#writing.length === 0) this.#takeChunk()
    try {
      const taken = await this.#sink.write(this.#writing)
      this.#writing = this.#writing.subarray(taken)
      if (this.#writing.length === 0) this.#writingLines = 0
      this.#failing = false
    } catch (error) {
      this.#failedWrites += 1
      if (!this.#failing) this.#onFailure(error)
      this.#failing = true
    }
    return !this.#failing
  }

  /** A block of the log: whatever ends one, such as the hash of its bytes, belongs here. */
  #takeChunk(): void {
    this.#writing = Buffer.from(this.#waiting, 'latin1')
    this.#writingLines = this.#waitingLines
    this.#waiting = ''
    this.#waitingLines = 0
  }

  #schedule(delayMs: number): void {
    this.#callOff ??= this.#later(() => {
      this.#callOff = undefined
      void this.flush()
    }, delayMs)
  }
}
