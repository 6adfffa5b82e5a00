// Checks a log line by line: whose chain each line belongs to, what belongs to none, and what each new writer says of
// what it found. The files are one stream, in the order in which they were written. Holds one walk for each writer.
import {
  isBlockLine,
  isCheckpointLine,
  parseBlock,
  parseCheckpoint,
  parseEnd,
  timeOf,
  type SealLine,
} from './seal-line.ts'
import type { Keys } from './verify-checkpoint.ts'
import type { Listener, Spot, WriterReport } from './verify-finding.ts'
import { Fragments, isTear } from './verify-fragments.ts'
import { blockNamedIn, RESUME, StreamTail } from './verify-tail.ts'
import { WriterWalk } from './verify-writer.ts'

/** What somebody knows of the log from elsewhere. */
export type Expected =
  /** The hash of a block line that must be there. */
  | { readonly kind: 'hash'; readonly hash: string }
  /** The number that the sealed lines of a chain must reach; of any writer where none is named. */
  | { readonly kind: 'seq'; readonly seq: number; readonly writer: string | undefined }

export interface VerifyOptions {
  /** By their id; undefined = signatures are not checked. */
  readonly keys: Keys
  readonly expected: readonly Expected[]
}

export interface VerifiedLog {
  readonly lines: number
  readonly writers: readonly WriterReport[]
}

/** A class, since it guards how far it got. Nothing in it throws, whatever the bytes are. */
export class LogVerifier {
  readonly #options: VerifyOptions
  readonly #listener: Listener
  readonly #walks = new Map<string, WriterWalk>()
  /** Number of the last line of each walk. */
  readonly #orders = new Map<WriterWalk, number>()
  readonly #tail = new StreamTail()
  readonly #fragments: Fragments
  readonly #heads: Set<string>
  /** Blocks that a writer found, and that are not there so far, with its name. */
  readonly #sought = new Map<string, string>()
  #spot: Spot = { file: '', line: 0 }
  #lines = 0
  #lastWalk: WriterWalk | undefined
  #lastBlock: { readonly spot: Spot; readonly order: number } | undefined

  /** @param listener hears of each finding and note as soon as it is known */
  constructor(options: VerifyOptions, listener: Listener) {
    this.#options = options
    this.#listener = listener
    this.#fragments = new Fragments(listener)
    this.#heads = new Set(options.expected.flatMap((one) => (one.kind === 'hash' ? [one.hash] : [])))
  }

  /** The lines that come next are of this file. */
  file(name: string): void {
    this.#spot = { file: name, line: 0 }
  }

  /** @param bytes with the line break, where it is complete */
  line(bytes: Buffer, isComplete: boolean): void {
    this.#lines += 1
    this.#spot = { file: this.#spot.file, line: this.#spot.line + 1 }
    const text = bytes.toString('latin1', 0, isComplete ? bytes.length - 1 : bytes.length)
    if (!this.#read(text, bytes)) this.#addFragment(text, isComplete)
    else if (!isComplete) this.#noteNoBreak()
  }

  finish(): VerifiedLog {
    const suspects = [...this.#walks.values()].map((walk) => ({
      order: this.#orders.get(walk) ?? 0,
      isEnded: walk.isEnded(),
    }))
    this.#fragments.finish(suspects, this.#lines)
    const writers = [...this.#walks.values()].map((walk) =>
      walk.finish((this.#orders.get(walk) ?? 0) > (this.#lastBlock?.order ?? 0)),
    )
    for (const one of this.#options.expected) if (!this.#isThere(one)) this.#tellCutOff(one)
    return { lines: this.#lines, writers }
  }

  /** False where it is no line of a log. */
  #read(text: string, bytes: Buffer): boolean {
    if (isBlockLine(text)) return this.#block(text, bytes)
    const isRead = isCheckpointLine(text) ? this.#checkpoint(text, bytes) : this.#plain(text, bytes)
    this.#tail.line(bytes)
    return isRead
  }

  #block(text: string, bytes: Buffer): boolean {
    const seal = parseBlock(text)
    if (seal === undefined) {
      this.#tail.line(bytes)
      return false
    }
    this.#walkOf(seal.writer, seal.seq).block(seal, this.#spot)
    this.#tail.block(seal.proof)
    this.#heads.delete(seal.proof)
    this.#tellSought(seal)
    this.#lastBlock = { spot: this.#spot, order: this.#lines }
    this.#fragments.settle()
    return true
  }

  #checkpoint(text: string, bytes: Buffer): boolean {
    const read = parseCheckpoint(text)
    if (read === undefined) return false
    this.#walkOf(read.writer, read.seq).checkpoint(read, bytes, this.#spot)
    return true
  }

  #plain(text: string, bytes: Buffer): boolean {
    const end = parseEnd(text)
    if (end === undefined) return false
    const isFirst = end.seq === 1 && !this.#walks.has(end.writer)
    if (isFirst && text.startsWith(RESUME)) this.#resume(text, end.writer)
    this.#walkOf(end.writer, end.seq).plain(end.seq, timeOf(text), bytes, this.#spot)
    return true
  }

  #walkOf(writer: string, seq: number): WriterWalk {
    const walk =
      this.#walks.get(writer) ?? new WriterWalk(writer, seq, this.#spot, this.#listener, this.#options.keys)
    this.#walks.set(writer, walk)
    this.#orders.set(walk, this.#lines)
    this.#lastWalk = walk
    return walk
  }

  #addFragment(text: string, isComplete: boolean): void {
    this.#fragments.add({
      spot: this.#spot,
      order: this.#lines,
      writer: this.#lastWalk?.writer,
      block: this.#lastWalk?.currentBlock() ?? 1,
      isTear: isTear(text, !isComplete),
    })
  }

  /** The whole line is there: a kill between it and its line break. */
  #noteNoBreak(): void {
    const block = Math.max(1, (this.#lastWalk?.currentBlock() ?? 2) - 1)
    this.#listener.note({
      kind: 'torn',
      writer: this.#lastWalk?.writer,
      blocks: [block, block],
      from: this.#spot,
      to: this.#spot,
      what: 'the line break at the end is not there',
    })
  }

  /** Compares what a new writer found at its start with what stands before its first line. */
  #resume(text: string, writer: string): void {
    switch (this.#tail.check(text)) {
      case 'same':
        for (const walk of this.#walks.values()) walk.sealTail()
        this.#fragments.vouchedFor(this.#lastBlock?.order ?? 0)
        return
      case 'not-known':
        this.#sought.set(blockNamedIn(text) ?? '', writer)
        this.#listener.note({
          kind: 'begins-late',
          writer,
          blocks: undefined,
          from: this.#spot,
          to: this.#spot,
          what: `what \`${writer}\` found at its start is not in these files`,
        })
        return
      case 'other-block':
        this.#tellOtherEnd(`\`${writer}\` found another block at the end of the log when it began`)
        return
      case 'other-lines':
        this.#tellOtherEnd(`\`${writer}\` found other lines after the last block when it began`)
    }
  }

  #tellOtherEnd(what: string): void {
    const block = this.#lastWalk?.currentBlock()
    this.#listener.finding({
      kind: 'cut-off',
      writer: this.#lastWalk?.writer,
      blocks: block === undefined ? undefined : [Math.max(1, block - 1), block],
      from: this.#lastBlock?.spot ?? this.#spot,
      to: this.#spot,
      what,
    })
  }

  /** What a writer found when it began cannot come behind it. */
  #tellSought({ proof, writer, block }: SealLine): void {
    const finder = this.#sought.get(proof)
    if (finder === undefined) return
    this.#listener.finding({
      kind: 'reordered',
      writer,
      blocks: [block, block],
      from: this.#spot,
      to: this.#spot,
      what: `\`${finder}\` found it at its start, and stands before it`,
    })
  }

  #isThere(one: Expected): boolean {
    if (one.kind === 'hash') return !this.#heads.has(one.hash)
    const reached = [...this.#walks.values()].filter(
      ({ writer }) => one.writer === undefined || one.writer === writer,
    )
    return reached.some((walk) => walk.headSeq() >= one.seq)
  }

  #tellCutOff(one: Expected): void {
    const what =
      one.kind === 'hash'
        ? `no block has the hash \`${one.hash}\``
        : `no block${one.writer === undefined ? '' : ` of \`${one.writer}\``} reaches line number ${one.seq}`
    const about = { writer: one.kind === 'seq' ? one.writer : undefined, blocks: undefined }
    this.#listener.finding({ ...about, kind: 'cut-off', from: this.#spot, to: this.#spot, what })
  }
}
