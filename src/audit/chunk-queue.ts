// Text on its way to a sink: blocks, each written whole, one at a time, in order, each tried until it succeeds. What a
// write took in part is not written twice. Lines gather until a block ends; a block that has ended never changes.
import type { Sink } from './sink.ts'

export interface QueueSettings {
  /** A write starts at the latest after this time. */
  readonly flushMs: number
  /** After a failed write. */
  readonly retryMs: number
}

/** What the queue asks of its owner. */
export interface QueuePorts {
  /** Ends a block. @param bytes of its lines @returns the line that is written behind them */
  readonly seal: (bytes: Uint8Array) => string
  /** The sink is full and about to be changed for another: what is put in now still goes to this one. */
  readonly onFull: () => void
  /** Hears of the first of a run of failed writes. */
  readonly onFailure: (error: unknown) => void
  /** The sink could not be changed; the old one goes on. */
  readonly onRotateFailure: (error: unknown) => void
}

/** Runs a task once, later; the returned function calls it off. */
export type Later = (task: () => void, delayMs: number) => () => void

const byTimer: Later = (task, delayMs) => {
  const timer = setTimeout(task, delayMs)
  return () => clearTimeout(timer)
}

const BLOCK_BYTES = 65_536

interface Block {
  readonly bytes: Uint8Array
  readonly lines: number
}

/** Lines that wait for a sink. A class, since it guards what is in flight. */
export class ChunkQueue {
  readonly #sink: Sink
  readonly #settings: QueueSettings
  readonly #ports: QueuePorts
  readonly #later: Later
  #open = ''
  #openLines = 0
  readonly #blocks: Block[] = []
  #blockBytes = 0
  #blockLines = 0
  #writing: Uint8Array | undefined
  #writingLines = 0
  /** Blocks that still go to the sink before it is changed; undefined where it stays. */
  #beforeRotation: number | undefined
  #draining: Promise<void> | undefined
  #callOff: (() => void) | undefined
  #failedWrites = 0
  #failing = false
  #closed = false

  constructor(sink: Sink, settings: QueueSettings, ports: QueuePorts, later: Later = byTimer) {
    this.#sink = sink
    this.#settings = settings
    this.#ports = ports
    this.#later = later
  }

  /** @param line ASCII, so that its characters are its bytes */
  add(line: string): void {
    this.#open += line
    this.#openLines += 1
    const isWhole = this.#open.length >= BLOCK_BYTES
    if (isWhole) this.endBlock()
    if (isWhole && !this.#failing) void this.flush()
    else this.#schedule(this.#settings.flushMs)
  }

  /** Ends the block, where it has a line. */
  endBlock(): void {
    if (this.#open !== '') this.endBlockWith('', 0)
  }

  /** Ends the block with one more text of its lines, even where it would be empty. */
  endBlockWith(text: string, lines: number): void {
    const body = Buffer.from(this.#open + text, 'latin1')
    const bytes = Buffer.concat([body, Buffer.from(this.#ports.seal(body), 'latin1')])
    this.#blocks.push({ bytes, lines: this.#openLines + lines })
    this.#blockBytes += bytes.length
    this.#blockLines += this.#openLines + lines
    this.#open = ''
    this.#openLines = 0
  }

  /** Bytes that are not in the sink yet. */
  pending(): number {
    return this.#open.length + this.#blockBytes + (this.#writing?.length ?? 0)
  }

  /** Lines of which the sink does not have all. */
  pendingLines(): number {
    return this.#openLines + this.#blockLines + this.#writingLines
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
    if (this.pending() === 0) return Promise.resolve()
    this.#draining ??= this.#drain()
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
    let isTaking = true
    while (isTaking && this.pending() > 0) {
      isTaking = await this.#writeOne()
      if (isTaking && this.#writing === undefined) await this.#rotateWhereDue()
    }
    if (!isTaking && !this.#closed) this.#schedule(this.#settings.retryMs)
    // In the same turn as the last look: whoever adds a line from now on and flushes must not be told of this drain.
    this.#draining = undefined
  }

  /** Writes what is first in line; false where the sink refused it, which leaves it there. */
  async #writeOne(): Promise<boolean> {
    const bytes = this.#writing ?? this.#takeBlock()
    try {
      const taken = await this.#sink.write(bytes)
      this.#writing = taken < bytes.length ? bytes.subarray(taken) : undefined
      if (this.#writing === undefined) this.#writingLines = 0
      this.#failing = false
    } catch (error) {
      this.#failedWrites += 1
      if (!this.#failing) this.#ports.onFailure(error)
      this.#failing = true
    }
    return !this.#failing
  }

  #takeBlock(): Uint8Array {
    if (this.#blocks.length === 0) this.endBlock()
    const { bytes, lines } = this.#blocks.shift() ?? { bytes: Buffer.alloc(0), lines: 0 }
    this.#blockBytes -= bytes.length
    this.#blockLines -= lines
    this.#writing = bytes
    this.#writingLines = lines
    return bytes
  }

  /** Between two blocks: a full sink first gets what its end is to be, and everything that came before that. */
  async #rotateWhereDue(): Promise<void> {
    if (this.#beforeRotation === undefined) {
      if (this.#closed || !this.#sink.isFull()) return
      this.#ports.onFull()
      this.#beforeRotation = this.#blocks.length
    } else {
      this.#beforeRotation -= 1
    }
    if (this.#beforeRotation > 0) return
    this.#beforeRotation = undefined
    await this.#sink.rotate().catch((error: unknown) => this.#ports.onRotateFailure(error))
  }

  #schedule(delayMs: number): void {
    this.#callOff ??= this.#later(() => {
      this.#callOff = undefined
      void this.flush()
    }, delayMs)
  }
}
