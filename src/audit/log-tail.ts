// What a log file ended with before a writer began: the first line of the new writer names it, so that it cannot be cut
// or changed any more without a trace. That holds for lines, too, that a killed writer left without the end of a block.
import { open, stat, type FileHandle } from 'node:fs/promises'
import { parseBlock, sha256 } from './seal-line.ts'

/** The end of a log. */
export interface LogTail {
  /** `hash` of the last block line; undefined where none was found. */
  readonly after: string | undefined
  /** What follows it, or the whole file where there is none. */
  readonly bytes: number
  readonly sha256: string
}

const FIRST_LOOK = 262_144
/** More than a queue can hold: what is longer was never a block. */
export const TAIL_MAX = 67_108_864

/**
 * Reads the end of a log.
 * @returns undefined where there is nothing, or it cannot be read, or its last block is too far away. Never rejects.
 */
export const readLogTail = async (path: string): Promise<LogTail | undefined> => {
  // A pipe is not opened: its reader is somebody else.
  const found = await stat(path).catch(() => undefined)
  if (found?.isFile() !== true || found.size === 0) return undefined
  const handle = await open(path, 'r').catch(() => undefined)
  if (handle === undefined) return undefined
  try {
    return await tailOf(handle, (await handle.stat()).size)
  } catch {
    // It can be opened and not be read: the new chain begins without a link.
    return undefined
  } finally {
    await handle.close().catch(() => {})
  }
}

const tailOf = async (handle: FileHandle, size: number): Promise<LogTail | undefined> => {
  for (let look = FIRST_LOOK; look <= TAIL_MAX; look *= 4) {
    const length = Math.min(look, size)
    const buffer = Buffer.alloc(length)
    const { bytesRead } = await handle.read(buffer, 0, length, size - length)
    const tail = afterLastBlock(buffer.subarray(0, bytesRead), length === size)
    if (tail !== undefined) return tail
    if (length === size) return undefined
  }
  return undefined
}

const MARK = '{"v":1,"type":"log.block",'

/** @param isWhole the bytes are the whole file, so that their first line is one */
const afterLastBlock = (bytes: Buffer, isWhole: boolean): LogTail | undefined => {
  for (let at = bytes.lastIndexOf(MARK); at >= 0; at = at === 0 ? -1 : bytes.lastIndexOf(MARK, at - 1)) {
    const end = bytes.indexOf('\n', at)
    const isLine = end >= 0 && (at === 0 ? isWhole : bytes[at - 1] === 10)
    const block = isLine ? parseBlock(bytes.toString('latin1', at, end)) : undefined
    if (block !== undefined) return tail(block.proof, bytes.subarray(end + 1))
  }
  return isWhole ? tail(undefined, bytes) : undefined
}

const tail = (after: string | undefined, rest: Buffer): LogTail => ({
  after,
  bytes: rest.length,
  sha256: sha256(rest),
})
