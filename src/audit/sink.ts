// Where the log goes: standard output, or a file that only its owner reads.
import { open, type FileHandle } from 'node:fs/promises'

/** Takes bytes, one write at a time, in order. */
export interface Sink {
  /**
   * @param bytes one or more
   * @returns how many were taken, at least one; the rest is written again. Rejects where none was.
   */
  write(bytes: Uint8Array): Promise<number>
  /** Opens the path anew, for whoever moved the file away. Rejects where it cannot be, and stays as it was. */
  reopen(): Promise<void>
  close(): Promise<void>
}

/** Writes to a stream that is not ours to close. A write ends when the stream handed the bytes on. */
export const streamSink = (stream: NodeJS.WritableStream): Sink => {
  // A reader that went away is told by the write; unheard, the event would end the process.
  stream.on('error', () => {})
  return {
    write: (bytes) =>
      new Promise((resolve, reject) => {
        stream.write(bytes, (error) =>
          error === undefined || error === null ? resolve(bytes.length) : reject(error),
        )
      }),
    reopen: async () => {},
    close: async () => {},
  }
}

/** Appends to a file with mode 0600; rejects where the path cannot be opened. */
export const openFileSink = async (path: string): Promise<Sink> => {
  let handle: FileHandle = await open(path, 'a', 0o600)
  return {
    write: async (bytes) => {
      const { bytesWritten } = await handle.write(bytes)
      return bytesWritten
    },
    reopen: async () => {
      const next = await open(path, 'a', 0o600)
      const last = handle
      handle = next
      await last.close()
    },
    close: () => handle.close(),
  }
}
