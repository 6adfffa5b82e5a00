// A log file: appended to, read by its owner alone, changed for a new one when it is full or somebody moved it away.
import { open, type FileHandle } from 'node:fs/promises'
import { deleteOldest, moveAside } from './rotated-files.ts'
import type { Sink } from './sink.ts'

/** When a file is full, and what becomes of full ones. */
export interface Rotation {
  readonly bytes: number
  /** Full files that are kept; undefined = all. */
  readonly keep: number | undefined
}

interface OpenFile {
  readonly handle: FileHandle
  readonly bytes: number
}

const LINE_BREAK = 10

/**
 * Opens for appending, mode 0600. A last line that broke off gets its line break: the next one must not be glued to it.
 */
const openFile = async (path: string): Promise<OpenFile> => {
  const handle = await open(path, 'a', 0o600)
  try {
    const stats = await handle.stat()
    if (!stats.isFile() || stats.size === 0) return { handle, bytes: 0 }
    const isTorn = (await lastByte(path, stats.size)) !== LINE_BREAK
    if (isTorn) await handle.write('\n')
    return { handle, bytes: stats.size + (isTorn ? 1 : 0) }
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** A file that may be written and not read keeps what it ends with to itself. */
const lastByte = async (path: string, size: number): Promise<number> => {
  const reader = await open(path, 'r').catch(() => undefined)
  if (reader === undefined) return LINE_BREAK
  try {
    const { buffer } = await reader.read(Buffer.alloc(1), 0, 1, size - 1)
    return buffer[0] ?? LINE_BREAK
  } finally {
    await reader.close()
  }
}

/**
 * Opens a log file.
 * @param rotation undefined = it grows until somebody moves it away
 * @returns the sink; rejects where the path cannot be opened
 */
export const openFileSink = async (path: string, rotation?: Rotation): Promise<Sink> => {
  let file = await openFile(path)
  let fullAt = rotation?.bytes ?? Number.POSITIVE_INFINITY
  let changing: Promise<void> = Promise.resolve()
  const change = (step: () => Promise<void>): Promise<void> => {
    // One after the other, whatever became of the one before: that was told to whoever asked for it.
    changing = changing.then(step, step)
    return changing
  }
  const replace = async (): Promise<void> => {
    const last = file.handle
    file = await openFile(path)
    fullAt = rotation?.bytes ?? Number.POSITIVE_INFINITY
    await last.close()
  }
  return {
    write: async (bytes) => {
      const { bytesWritten } = await file.handle.write(bytes)
      file = { ...file, bytes: file.bytes + bytesWritten }
      return bytesWritten
    },
    reopen: () => change(replace),
    isFull: () => file.bytes >= fullAt,
    rotate: () =>
      change(async () => {
        // Where it fails, it is tried again after as many bytes, not after each block.
        fullAt = file.bytes + (rotation?.bytes ?? 0)
        await moveAside(path)
        await replace()
        if (rotation?.keep !== undefined) await deleteOldest(path, rotation.keep)
      }),
    close: () => change(() => file.handle.close()),
  }
}
