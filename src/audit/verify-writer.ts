// One writer's chain, walked: each block against its seal, each seal against the one before, each checkpoint in its
// place. A class, since it guards how far it got. It holds a hash and counters, never lines.
import { createHash, type Hash } from 'node:crypto'
import { NOTHING, sha256, type CheckpointRead, type SealLine } from './seal-line.ts'
import { blockFault, type BlockView, type Head } from './verify-block.ts'
import { Vouching, type Keys } from './verify-checkpoint.ts'
import type { Finding, FindingKind, Listener, NoteKind, Spot, WriterReport } from './verify-finding.ts'
import { countOf, rangesText, SequenceOrder } from './verify-order.ts'

interface OpenBlock {
  readonly hash: Hash
  readonly firstSeq: number
  readonly from: Spot
  to: Spot
  lines: number
  /** It is to hold nothing else. */
  checkpoint: CheckpointRead | undefined
}

export class WriterWalk {
  readonly writer: string
  readonly #listener: Listener
  readonly #vouching: Vouching
  readonly #order = new SequenceOrder()
  readonly #begin: { readonly seq: number; readonly spot: Spot }
  #head: Head | undefined
  #open: OpenBlock | undefined
  #ended = false
  #blocks = 0
  /** The lines that no block seals were there when the next writer began. */
  #tailIsSealed = false
  #last: Spot

  constructor(writer: string, seq: number, spot: Spot, listener: Listener, keys: Keys) {
    this.writer = writer
    this.#listener = listener
    this.#vouching = new Vouching(keys)
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

  /** @param ts of the line, as it says itself */
  plain(seq: number, ts: string, bytes: Uint8Array, spot: Spot): void {
    this.#order.take(seq)
    this.#vouching.saw(ts)
    this.#last = spot
    if (this.#isAfterEnd(seq)) {
      this.#tell('foreign', spot, spot, `a line after the end of \`${this.writer}\``)
      return
    }
    this.#open ??= newBlock(seq, spot)
    const open = this.#open
    if (open.checkpoint !== undefined && !this.#order.hasFaults())
      this.#tell('edited', open.from, spot, 'the checkpoint is not alone in its block')
    open.checkpoint = undefined
    open.hash.update(bytes)
    open.lines += 1
    open.to = spot
  }

  block(seal: SealLine, spot: Spot): void {
    this.#order.take(seal.seq)
    this.#vouching.saw(seal.ts)
    this.#last = spot
    const view = this.#view(seal, spot)
    const fault = this.#isAfterEnd(seal.seq)
      ? this.#finding('foreign', view.from, spot, `a block after the end of \`${this.writer}\``)
      : (blockFault(view) ?? this.#stopFault(seal, spot))
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

  /** Nothing may follow the checkpoint that was made at the end. */
  #stopFault(seal: SealLine, spot: Spot): Finding | undefined {
    const checkpoint = this.#open?.checkpoint
    return checkpoint?.why !== 'stop' || seal.end
      ? undefined
      : this.#finding('edited', spot, spot, 'its checkpoint says that the chain ends here, and it goes on')
  }

  checkpoint(line: CheckpointRead, bytes: Uint8Array, spot: Spot): void {
    const head = this.#head
    const isFirst = this.#open === undefined
    const isInOrder = !this.#order.hasFaults() && (this.#order.next() ?? line.seq) === line.seq
    const place = { head, isFirst, isInOrder, beginsLate: this.#begin.seq !== 1 }
    for (const { kind, what, isOfHead } of this.#vouching.take(line, place))
      this.#tell(kind, isOfHead ? (head?.spot ?? spot) : spot, spot, what)
    this.plain(line.seq, line.ts, bytes, spot)
    if (isFirst && this.#open !== undefined) this.#open.checkpoint = line
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
      checkpoints: this.#vouching.count(),
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
    const end = this.#vouching.end(this.#head, this.#ended, this.#open?.lines ?? 0)
    if (end === undefined) return
    const to = this.#head?.spot ?? this.#last
    if (end.is === 'note') this.#note(end.kind, to, to, end.what)
    else this.#tell(end.kind, this.#begin.spot, this.#last, end.what)
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

const newBlock = (seq: number, spot: Spot): OpenBlock => ({
  hash: createHash('sha256'),
  firstSeq: seq,
  from: spot,
  to: spot,
  lines: 0,
  checkpoint: undefined,
})
