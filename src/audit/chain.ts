// The chain of one writer: numbers its lines, ends blocks, makes checkpoints. A class, since it guards how far it got.
import type { LogSigner } from './log-key.ts'
import { blockLine, checkpointLine, NOTHING, sha256, type CheckpointCause } from './seal-line.ts'

export interface ChainSettings {
  readonly writerId: string
  /** Epoch milliseconds. */
  readonly nowMs: () => number
  /** Without it there are no checkpoints: the chain is there, and nobody vouches for it. */
  readonly signer?: LogSigner | undefined
  /** How often whoever owns the chain has it signed; undefined where not by the clock. */
  readonly checkpointMs?: number | undefined
}

/** What a checkpoint vouches for, for whoever keeps it elsewhere. */
export interface Vouched {
  readonly head: string
  readonly block: number
  readonly last: number
}

export class Chain {
  readonly #settings: ChainSettings
  #sequence = 0
  #blocks = 0
  #head = NOTHING
  /** Sequence number of the last block line. */
  #sealed = 0
  #lastCheckpoint = NOTHING

  constructor(settings: ChainSettings) {
    this.#settings = settings
  }

  /** The number of the next line. */
  next(): number {
    this.#sequence += 1
    return this.#sequence
  }

  /** True where there is somebody who signs. */
  isSigned(): boolean {
    return this.#settings.signer !== undefined
  }

  /** True before the first line. */
  isEmpty(): boolean {
    return this.#sequence === 0
  }

  /**
   * Ends a block.
   * @param bytes of all lines since the last one ended
   * @param end nothing will follow
   * @returns the block line
   */
  seal(bytes: Uint8Array, end: boolean): string {
    const first = this.#sealed + 1
    const last = this.#sequence
    this.#blocks += 1
    this.#sealed = this.next()
    const { text, hash } = blockLine({
      ts: this.#timestamp(),
      block: this.#blocks,
      first,
      last,
      lines: last - first + 1,
      sha256: sha256(bytes),
      prev: this.#head,
      end,
      seq: this.#sealed,
      writer: this.#settings.writerId,
    })
    this.#head = hash
    return text
  }

  /** Vouches for the last block; to be called where no line waits for the end of its block. Undefined without a key. */
  checkpoint(why: CheckpointCause): { readonly text: string; readonly vouched: Vouched } | undefined {
    const { signer, writerId, checkpointMs } = this.#settings
    if (signer === undefined) return undefined
    const vouched: Vouched = { head: this.#head, block: this.#blocks, last: this.#sealed }
    const { text, hash } = checkpointLine(
      {
        ...vouched,
        ts: this.#timestamp(),
        why,
        everySeconds: checkpointMs === undefined ? undefined : Math.ceil(checkpointMs / 1_000),
        prev: this.#lastCheckpoint,
        key: signer.keyId,
        seq: this.next(),
        writer: writerId,
      },
      signer.sign,
    )
    this.#lastCheckpoint = hash
    return { text, vouched }
  }

  #timestamp(): string {
    return new Date(this.#settings.nowMs()).toISOString()
  }
}
