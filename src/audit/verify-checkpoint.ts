// The checkpoints of one writer: whether each vouches for what stands before it, and how far anybody vouches. A class,
// since it guards how far that is. Nothing in it throws.
import type { LogKey } from './log-key.ts'
import { NOTHING, sha256, type CheckpointRead } from './seal-line.ts'
import type { Head } from './verify-block.ts'
import type { FindingKind, NoteKind } from './verify-finding.ts'

/** Keys by their id; undefined = signatures are not checked. */
export type Keys = ReadonlyMap<string, LogKey> | undefined

/** Where a checkpoint stands. */
export interface CheckpointPlace {
  /** The block line before it. */
  readonly head: Head | undefined
  /** The chain began before the files. */
  readonly beginsLate: boolean
  /** No line is missing, late or there twice since that block line. */
  readonly isInOrder: boolean
  /** No line stands between that block line and it. */
  readonly isFirst: boolean
}

export interface CheckpointFault {
  readonly kind: FindingKind
  readonly what: string
  /** It lies between the last block line and the checkpoint. */
  readonly isOfHead: boolean
}

/** What is to be said of the end of a chain. */
export type SignedEnd =
  | { readonly is: 'finding'; readonly kind: 'unsigned'; readonly what: string }
  | { readonly is: 'note'; readonly kind: NoteKind; readonly what: string }

/** A timer that comes late is no forger. */
const SLACK_MS = 60_000

export class Vouching {
  readonly #keys: Keys
  #count = 0
  #lastCheckpoint: string | undefined
  /** The last one that a known key signed, and that stands where it was written. */
  #signed: CheckpointRead | undefined
  /** Of the lines behind it, as text that sorts. */
  #latest = ''

  constructor(keys: Keys) {
    this.#keys = keys
  }

  count(): number {
    return this.#count
  }

  /** A line or block line of that time came. */
  saw(ts: string): void {
    if (ts > this.#latest) this.#latest = ts
  }

  /** @returns what is wrong with it; nothing = it vouches, where there are keys */
  take(line: CheckpointRead, place: CheckpointPlace): readonly CheckpointFault[] {
    this.#count += 1
    const faults = [...this.#signatureFaults(line), ...this.#placeFaults(line, place)]
    this.#lastCheckpoint = sha256(line.proved)
    // Where lines are out of order before it, the block says so, and it vouches for nothing.
    if (faults.length === 0 && place.isInOrder && this.#keys !== undefined) {
      this.#signed = line
      this.#latest = line.ts
    }
    return faults
  }

  #signatureFaults({ key, proved, proof }: CheckpointRead): readonly CheckpointFault[] {
    if (this.#keys === undefined) return []
    const known = this.#keys.get(key)
    if (known?.verifies(proved, proof) === true) return []
    const what =
      known === undefined
        ? `the checkpoint is signed by key \`${key}\`, which was not given`
        : 'the signature of the checkpoint is wrong'
    return [{ kind: 'signature', what, isOfHead: false }]
  }

  #placeFaults(line: CheckpointRead, { head, beginsLate, isInOrder, isFirst }: CheckpointPlace) {
    if (!isInOrder) return []
    if (!isFirst) return [edited('the checkpoint is not alone in its block', false)]
    const before = this.#lastCheckpoint ?? (beginsLate ? line.prev : NOTHING)
    return [
      ...(vouchesFor(line, head, beginsLate)
        ? []
        : [edited('the checkpoint vouches for another block line', true)]),
      ...(line.prev === before
        ? []
        : [edited('the checkpoint follows another one than the one before it', false)]),
    ]
  }

  /** @param unsealedLines that no block line follows */
  end(head: Head | undefined, isClosed: boolean, unsealedLines: number): SignedEnd | undefined {
    if (this.#keys === undefined)
      return head === undefined || this.#count === 0
        ? undefined
        : { is: 'note', kind: 'not-checked', what: `${this.#count} signatures, and no \`--key\`` }
    // One line is what the first write of a writer that signs may leave: the next one is a block line or a checkpoint.
    if (this.#signed === undefined)
      return head === undefined && unsealedLines <= 1 ? undefined : unsigned('nobody vouches for the chain')
    return this.#endBehind(this.#signed, head?.block ?? 0, isClosed)
  }

  #endBehind(signed: CheckpointRead, lastBlock: number, isClosed: boolean): SignedEnd | undefined {
    const blocks = lastBlock - signed.block - 1
    if (isClosed && (blocks > 0 || signed.why !== 'stop'))
      return unsigned('it is closed, and its end is not signed: whoever closes a chain with a key signs it')
    const overdue = this.#overdue(signed)
    if (overdue !== undefined) return unsigned(overdue)
    return blocks > 0
      ? { is: 'note', kind: 'not-signed', what: `${blocks} blocks after the last checkpoint` }
      : undefined
  }

  #overdue({ ts, everySeconds }: CheckpointRead): string | undefined {
    if (everySeconds === undefined) return undefined
    const pastMs = Date.parse(this.#latest) - Date.parse(ts)
    return pastMs > everySeconds * 1_000 + SLACK_MS
      ? `the last checkpoint is of ${ts}, and lines go on until ${this.#latest}, though one was due each ${everySeconds} seconds`
      : undefined
  }
}

const unsigned = (what: string): SignedEnd => ({ is: 'finding', kind: 'unsigned', what })

const edited = (what: string, isOfHead: boolean): CheckpointFault => ({ kind: 'edited', what, isOfHead })

const vouchesFor = (
  { head, block, last }: CheckpointRead,
  found: Head | undefined,
  beginsLate: boolean,
): boolean => {
  if (found === undefined) return beginsLate || (head === NOTHING && block === 0 && last === 0)
  // A block line that was changed is told already, and has no hash to compare.
  return !found.isWhole || (found.hash === head && found.block === block && found.seq === last)
}
