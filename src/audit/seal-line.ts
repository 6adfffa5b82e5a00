// The two lines that prove the others: what ends a block, and what vouches for the last one. Written and read here, so
// that both sides agree to the byte. Whatever proves a line stands behind the bytes that it proves.
import { hash } from 'node:crypto'
import { jsonString } from './json-text.ts'

/** SHA-256 in lower-case hex. */
export const sha256 = (bytes: string | Uint8Array): string => hash('sha256', bytes, 'hex')

/** What the first block names as the one before it: the hash of nothing. */
export const NOTHING = sha256('')

/** What a block line says. */
export interface BlockSeal {
  readonly ts: string
  /** Counts the blocks of one writer, from 1. */
  readonly block: number
  /** Sequence numbers of the lines between the block before and this line. */
  readonly first: number
  readonly last: number
  readonly lines: number
  /** Of the bytes of these lines, line breaks included. */
  readonly sha256: string
  /** `hash` of the block line before; of nothing in the first. */
  readonly prev: string
  /** The writer was closed: nothing follows. */
  readonly end: boolean
  readonly seq: number
  readonly writer: string
}

const CAUSES = ['start', 'interval', 'rotate', 'stop'] as const

/** When a checkpoint was made. */
export type CheckpointCause = (typeof CAUSES)[number]

/** What a checkpoint says. */
export interface Checkpoint {
  readonly ts: string
  readonly why: CheckpointCause
  /** Longest time between two of them while the writer runs; undefined where it makes none by the clock. */
  readonly everySeconds: number | undefined
  /** Blocks so far, and the sequence number of the last block line. */
  readonly block: number
  readonly last: number
  /** `hash` of the last block line; of nothing where there is none. */
  readonly head: string
  /** SHA-256 of the signed bytes of the checkpoint before; of nothing in the first. */
  readonly prev: string
  readonly key: string
  readonly seq: number
  readonly writer: string
}

/** A line in two parts: the bytes that are proved, and the proof. */
export interface ProvedLine {
  readonly proved: string
  readonly proof: string
}

/** A block line and a checkpoint as they were read. */
export type SealLine = BlockSeal & ProvedLine
export type CheckpointRead = Checkpoint & ProvedLine

/** Writes a block line. @returns its text with a line break, and its own hash */
export const blockLine = (seal: BlockSeal): { readonly text: string; readonly hash: string } => {
  const proved =
    `{"v":1,"type":"log.block","ts":"${seal.ts}","block":${seal.block},"first":${seal.first},"last":${seal.last}` +
    `,"lines":${seal.lines},"sha256":"${seal.sha256}","prev":"${seal.prev}"${seal.end ? ',"end":true' : ''}` +
    `,"seq":${seal.seq},"w":${jsonString(seal.writer)}`
  const own = sha256(proved)
  return { text: `${proved},"hash":"${own}"}\n`, hash: own }
}

/** Writes a checkpoint. @param sign of the bytes that are proved; base64url */
export const checkpointLine = (
  checkpoint: Checkpoint,
  sign: (text: string) => string,
): { readonly text: string; readonly hash: string } => {
  const proved =
    `{"v":1,"type":"log.checkpoint","ts":"${checkpoint.ts}","why":"${checkpoint.why}"` +
    (checkpoint.everySeconds === undefined ? '' : `,"every":${checkpoint.everySeconds}`) +
    `,"block":${checkpoint.block},"last":${checkpoint.last},"head":"${checkpoint.head}","prev":"${checkpoint.prev}","key":"${checkpoint.key}"` +
    `,"seq":${checkpoint.seq},"w":${jsonString(checkpoint.writer)}`
  return { text: `${proved},"sig":"${sign(proved)}"}\n`, hash: sha256(proved) }
}

const TS = '"ts":"([0-9TZ:.-]{20,30})"'
const COUNT = '(0|[1-9]\\d{0,15})'
const HASH = '"([0-9a-f]{64})"'
const WRITER = '"w":("(?:[^"\\\\]|\\\\.)*")'

const BLOCK = new RegExp(
  `^(\\{"v":1,"type":"log\\.block",${TS},"block":${COUNT},"first":${COUNT},"last":${COUNT},"lines":${COUNT}` +
    `,"sha256":${HASH},"prev":${HASH}(,"end":true)?,"seq":${COUNT},${WRITER}),"hash":${HASH}\\}$`,
)
const CHECKPOINT = new RegExp(
  `^(\\{"v":1,"type":"log\\.checkpoint",${TS},"why":"(${CAUSES.join('|')})"(?:,"every":${COUNT})?` +
    `,"block":${COUNT},"last":${COUNT},"head":${HASH},"prev":${HASH},"key":"([0-9a-f]{16})","seq":${COUNT},${WRITER}),"sig":"([\\w-]{86})"\\}$`,
)
const PLAIN_END = new RegExp(`,"seq":${COUNT},${WRITER}\\}$`)
/** Longest end that is looked at: a name of a writer is a host name and a few letters. */
const END_MAX = 1_000

/** Reads a block line without its line break; undefined for any other line. Never throws. */
export const parseBlock = (text: string): SealLine | undefined => {
  const [, proved = '', ts = '', ...rest] = BLOCK.exec(text) ?? []
  if (proved === '') return undefined
  const [block, first, last, lines, digest = '', prev = '', end, seq, name = '', proof = ''] = rest
  return {
    proved,
    proof,
    ts,
    block: Number(block),
    first: Number(first),
    last: Number(last),
    lines: Number(lines),
    sha256: digest,
    prev,
    end: end !== undefined,
    seq: Number(seq),
    writer: name.slice(1, -1),
  }
}

/** Reads a checkpoint without its line break; undefined for any other line. Never throws. */
export const parseCheckpoint = (text: string): CheckpointRead | undefined => {
  const [, proved = '', ts = '', why, every, ...rest] = CHECKPOINT.exec(text) ?? []
  const cause = CAUSES.find((one) => one === why)
  if (cause === undefined) return undefined
  const [block, last, head = '', prev = '', key = '', seq, name = '', proof = ''] = rest
  return {
    proved,
    proof,
    ts,
    why: cause,
    everySeconds: every === undefined ? undefined : Number(every),
    block: Number(block),
    last: Number(last),
    head,
    prev,
    key,
    seq: Number(seq),
    writer: name.slice(1, -1),
  }
}

/** Number and writer of any other line of a log, by its end; undefined where it has none. Never throws. */
export const parseEnd = (text: string): { readonly seq: number; readonly writer: string } | undefined => {
  const [, seq, name = ''] = PLAIN_END.exec(text.slice(-END_MAX)) ?? []
  return seq === undefined || !text.startsWith('{"v":1,"type":"')
    ? undefined
    : { seq: Number(seq), writer: name.slice(1, -1) }
}

const TIME = new RegExp(`^\\{"v":1,"type":"[^"]*",${TS}`)

/** When any line of a log was written, as it says itself; empty where it does not. Never throws. */
export const timeOf = (text: string): string => TIME.exec(text)?.[1] ?? ''

export const isBlockLine = (text: string): boolean => text.startsWith('{"v":1,"type":"log.block",')
export const isCheckpointLine = (text: string): boolean => text.startsWith('{"v":1,"type":"log.checkpoint",')
