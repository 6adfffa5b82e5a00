// In which order the files of a log were written: the chain says it where it goes on from one to the next, the times of
// their first lines say the rest. Reads a little of both ends of each file, never the whole.
import { open } from 'node:fs/promises'
import { parseBlock, parseCheckpoint, parseEnd, timeOf } from './seal-line.ts'
import { blockNamedIn } from './verify-tail.ts'

const LOOK = 262_144

/** Both ends of a file, as far as they can be read. */
export interface FileEnds {
  readonly path: string
  /** Tells one file from another, whatever they are called. */
  readonly identity: string
  readonly first: LineName | undefined
  readonly last: LineName | undefined
  /** `hash` of its last block line. */
  readonly lastBlock: string | undefined
}

interface LineName {
  readonly writer: string
  readonly seq: number
  readonly ts: string
  /** Of the first line of a writer that found a log: the block line that it ended with. */
  readonly after: string | undefined
}

/** Reads the ends of a file; rejects where it cannot be read. */
export const readEnds = async (path: string): Promise<FileEnds> => {
  const handle = await open(path, 'r')
  try {
    const { size, dev, ino } = await handle.stat()
    const length = Math.min(LOOK, size)
    const head = await handle.read(Buffer.alloc(length), 0, length, 0)
    const tail = await handle.read(Buffer.alloc(length), 0, length, size - length)
    const lastLines = linesOf(tail.buffer, tail.bytesRead)
    return {
      path,
      identity: `${dev}:${ino}`,
      first: linesOf(head.buffer, head.bytesRead)
        .map(nameOf)
        .find((name) => name !== undefined),
      last: lastLines.map(nameOf).findLast((name) => name !== undefined),
      lastBlock: lastLines.map(parseBlock).findLast((block) => block !== undefined)?.proof,
    }
  } finally {
    await handle.close()
  }
}

const linesOf = (bytes: Buffer, length: number): readonly string[] =>
  bytes.toString('latin1', 0, length).split('\n')

const nameOf = (line: string): LineName | undefined => {
  const end = parseBlock(line) ?? parseCheckpoint(line) ?? parseEnd(line)
  const ts = timeOf(line)
  return end === undefined || ts === ''
    ? undefined
    : { writer: end.writer, seq: end.seq, ts, after: blockNamedIn(line) }
}

/**
 * Orders files.
 * @param files in the order in which they were named: it holds where nothing else says more. Never throws.
 */
export const inOrderOfWriting = (files: readonly FileEnds[]): readonly FileEnds[] => {
  const follows = (next: FileEnds, file: FileEnds): boolean => next !== file && goesOn(next.first, file)
  const isBegin = (file: FileEnds): boolean => !files.some((other) => follows(file, other))
  const runFrom = (file: FileEnds, before: readonly FileEnds[]): readonly FileEnds[] => {
    const run = [...before, file]
    const next = files.find((other) => follows(other, file) && !run.includes(other))
    return next === undefined ? run : runFrom(next, run)
  }
  const runs = files.filter(isBegin).map((file) => runFrom(file, []))
  const ordered = runs.toSorted(([one], [other]) => compareTimes(one?.first?.ts, other?.first?.ts)).flat()
  // Files that follow each other in a circle are no log; they are checked as they were named.
  return [...ordered, ...files.filter((file) => !ordered.includes(file))]
}

/** The chain goes on there, or a writer begins there that found this file. */
const goesOn = (first: LineName | undefined, { last, lastBlock }: FileEnds): boolean =>
  first !== undefined &&
  ((first.writer === last?.writer && first.seq === last.seq + 1) ||
    (first.after !== undefined && first.after === lastBlock))

const compareTimes = (one: string | undefined, other: string | undefined): number =>
  one === undefined || other === undefined || one === other ? 0 : one < other ? -1 : 1
