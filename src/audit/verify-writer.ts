// One writer's chain, walked: each block against its seal, each seal against the one before, each checkpoint against the
// block that it vouches for. A class, since it guards how far it got. It holds a hash and counters, never lines.
import { createHash, type Hash } from 'node:crypto'
import type { LogKey } from './log-key.ts'
import { NOTHING, sha256, type CheckpointRead, type SealLine } from './seal-line.ts'
import { blockFault, type BlockView, type Head } from './verify-block.ts'
import type { Finding, FindingKind, Listener, NoteKind, Spot, WriterReport } from './verify-finding.ts'
import { countOf, rangesText, SequenceOrder } from './verify-order.ts'

/** Keys by their id; undefined = signatures are not checked. */
export type Keys = ReadonlyMap<string, LogKey> | undefined

interface OpenBlock {
  readonly hash: Hash
  readonly firstSeq: number
  readonly from: Spot
  to: Spot
  lines: number
}

export class WriterWalk {
  readonly writer: string
  readonly #listener: Listener
  readonly #keys: Keys
  readonly #order = new SequenceOrder()
  readonly #begin: { readonly seq: number; readonly spot: Spot }
  #head: Head | undefined
  #open: OpenBlock | undefined
  #ended = false
  #blocks = 0
  #checkpoints = 0
  /** Number of the block up to which somebody vouches for it. */
  #signedTo: number | undefined
  #lastCheckpoint: string | undefined
  /** The lines that no block seals were there when the next writer began. */
  #tailIsSealed = false
  #last: Spot

  constructor(writer: string, seq: number, spot: Spot, listener: Listener, keys: Keys) {
    this.writer = writer
    this.#listener = listener
    this.#keys = keys
    this.#begin = { seq, spot }
    this.#last = spot
  }

  /** The block that a line at this place would lie in. */
  currentBlock(): number {
    return (this.#head?.block ?? 0) + 1
  }

  isEnded(): boolean {
    return this.#ended
  }

  lastSpot(): Spot {
    return this.#last
  }

  headSeq(): number {
    return this.#head?.seq ?? 0
  }

  /** A later writer named what it found: lines without the end of their block were left by a kill. */
  sealTail(): void {
    this.#tailIsSealed = this.#open !== undefined
  }

  plain(seq: number, bytes: Uint8Array, spot: Spot): void {
    this.#order.take(seq)
    this.#last = spot
    if (this.#isAfterEnd(seq)) {
      this.#tell('foreign', spot, spot, `a line after the end of \`${this.writer}\``)
      return
    }
    this.#open ??= { hash: createHash('sha256'), firstSeq: seq, from: spot, to: spot, lines: 0 }
    this.#open.hash.update(bytes)
    this.#open.lines += 1
    this.#open.to = spot
  }

  block(seal: SealLine, spot: Spot): void {
    this.#order.take(seal.seq)
    this.#last = spot
    const view = this.#view(seal, spot)
    const fault = this.#isAfterEnd(seal.seq)
      ? this.#finding('foreign', view.from, spot, `a block after the end of \`${this.writer}\``)
      : blockFault(view)
    if (fault === undefined) this.#blocks += 1
    else this.#listener.finding(fault)
    this.#open = undefined
    this.#tailIsSealed = false
    if (this.#head === undefined || seal.block > this.#head.block)
      this.#head = { hash: seal.proof, block: seal.block, seq: seal.seq, spot, isWhole: view.isWhole }
    this.#ended ||= seal.end && view.isWhole
  }

  #isAfterEnd(seq: number): boolean {
    return this.#ended && seq > this.headSeq()
  }

  #view(seal: SealLine, spot: Spot): BlockView {
    const open = this.#open
    return {
      seal,
      spot,
      isWhole: sha256(seal.proved) === seal.proof,
      sha256: open?.hash.digest('hex') ?? NOTHING,
      lines: open?.lines ?? 0,
      firstSeq: open?.firstSeq ?? seal.seq,
      from: open?.from ?? spot,
      faults: this.#order.takeFaults(),
      head: this.#head,
      beginsLate: this.#begin.seq !== 1,
    }
  }

  /** To be called before the line counts as one of its block. */
  checkpoint(line: CheckpointRead, spot: Spot): void {
    this.#checkpoints += 1
    const fault = this.#signatureFault(line)
    if (fault !== undefined) this.#tell('signature', spot, spot, fault)
    else if (this.#keys !== undefined) this.#signedTo = line.block
    // Where lines are out of order before it, the block says so.
    const isFirst = this.#open === undefined && !this.#order.hasFaults() && this.#order.next() === line.seq
    if (isFirst && !this.#vouchesForHead(line))
      this.#tell('edited', this.#head?.spot ?? spot, spot, 'the checkpoint vouches for another block line')
    if (isFirst && this.#lastCheckpoint !== undefined && this.#lastCheckpoint !== line.prev)
      this.#tell('edited', spot, spot, 'the checkpoint follows another one than the one before it')
    this.#lastCheckpoint = sha256(line.proved)
  }

  #vouchesForHead({ head, block, last }: CheckpointRead): boolean {
    if (this.#head === undefined) return this.#begin.seq !== 1 || (head === NOTHING && block === 0)
    if (!this.#head.isWhole) return true
    return this.#head.hash === head && this.#head.block === block && this.#head.seq === last
  }

  #signatureFault({ key, proved, proof }: CheckpointRead): string | undefined {
    if (this.#keys === undefined) return undefined
    const known = this.#keys.get(key)
    if (known === undefined) return `the checkpoint is signed by key \`${key}\`, which was not given`
    return known.verifies(proved, proof) ? undefined : 'the signature of the checkpoint is wrong'
  }

  /**
   * Tells of what is not whole at the end.
   * @param isLast no block line of anybody follows its last lines
   */
  finish(isLast: boolean): WriterReport {
    if (this.#begin.seq !== 1) this.#noteLate()
    if (this.#open !== undefined) this.#finishOpen(this.#open, isLast)
    else if (!this.#ended) this.#noteOpen()
    this.#finishSigned()
    return {
      writer: this.writer,
      blocks: this.#blocks,
      sealedTo: this.#head?.seq,
      head: this.#head?.hash,
      checkpoints: this.#checkpoints,
      end: this.#ended ? 'closed' : this.#open === undefined ? 'open' : 'torn',
    }
  }

  #noteLate(): void {
    const { seq, spot } = this.#begin
    const what = `the chain of \`${this.writer}\` began before these files: its first line here is number ${seq}`
    this.#note('begins-late', spot, spot, what)
  }

  #noteOpen(): void {
    const spot = this.#head?.spot ?? this.#last
    const what = 'it is not closed: its writer was killed, still writes, or the end was cut off'
    this.#note('open', spot, spot, what)
  }

  #finishOpen({ from, to, lines }: OpenBlock, isLast: boolean): void {
    const { missing, repeated, displaced } = this.#order.takeFaults()
    if (countOf(missing) > displaced.length)
      return this.#tell('missing', from, to, `lines ${rangesText(missing)} are not there`)
    if (displaced.length > 0) return this.#tell('reordered', from, to, 'lines are out of their order')
    if (repeated.length > 0) return this.#tell('repeated', from, to, 'lines come twice')
    if (this.#head === undefined && !isLast && !this.#tailIsSealed)
      return this.#tell('foreign', from, to, `\`${this.writer}\` never ended a block`)
    const why = this.#tailIsSealed
      ? 'the writer was killed there; the next one vouches for them as it found them'
      : 'the writer was killed there, or still writes'
    return this.#note('torn', from, to, `${lines} lines after the last block are not sealed: ${why}`)
  }

  #finishSigned(): void {
    const head = this.#head
    if (head === undefined) return
    if (this.#keys === undefined) {
      if (this.#checkpoints > 0)
        this.#note('not-checked', head.spot, head.spot, `${this.#checkpoints} signatures, and no \`--key\``)
      return
    }
    if (this.#signedTo === undefined) {
      this.#tell(
        'unsigned',
        this.#begin.spot,
        head.spot,
        `nobody vouches for the chain of \`${this.writer}\``,
      )
      return
    }
    // The last block of a closed chain holds the checkpoint itself.
    const unsigned = head.block - this.#signedTo - 1
    if (unsigned > 0)
      this.#note('not-signed', head.spot, head.spot, `${unsigned} blocks after the last checkpoint`)
  }

  #finding(kind: FindingKind, from: Spot, to: Spot, what: string): Finding {
    const block = this.currentBlock()
    return { kind, writer: this.writer, blocks: [block, block], from, to, what }
  }

  #tell(kind: FindingKind, from: Spot, to: Spot, what: string): void {
    this.#listener.finding(this.#finding(kind, from, to, what))
  }

  #note(kind: NoteKind, from: Spot, to: Spot, what: string): void {
    const block = this.currentBlock()
    this.#listener.note({ kind, writer: this.writer, blocks: [block, block], from, to, what })
  }
}
