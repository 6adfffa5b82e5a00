// Text on its way to a sink: large writes, one at a time, in order, each tried until it succeeds.
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

const FLUSH_CHARACTERS = 65_536

/** Text that waits for a sink. A class, since it guards what is in flight. */
export class ChunkQueue {
  readonly #sink: Sink
  readonly #settings: QueueSettings
  readonly #onFailure: (error: unknown) => void
  readonly #later: Later
  #waiting = ''
  #writing = ''
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

  add(text: string): void {
    this.#waiting += text
    if (this.#waiting.length >= FLUSH_CHARACTERS && !this.#failing) void this.flush()
    else this.#schedule(this.#settings.flushMs)
  }

  /** Characters that are not in the sink yet. */
  pending(): number {
    return this.#waiting.length + this.#writing.length
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

  /** Writes the first chunk; false where the sink refused it, which leaves it first in line. */
  async #writeOne(): Promise<boolean> {
    if (this.#writing === '') [this.#writing, this.#waiting] = [this.#waiting, '']
    try {
      await this.#sink.write(this.#writing)
      this.#writing = ''
      this.#failing = false
    } catch (error) {
      this.#failedWrites += 1
      if (!this.#failing) this.#onFailure(error)
      this.#failing = true
    }
    return !this.#failing
  }

  #schedule(delayMs: number): void {
    this.#callOff ??= this.#later(() => {
      this.#callOff = undefined
      void this.flush()
    }, delayMs)
  }
}
