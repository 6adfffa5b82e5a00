// Where the log goes: standard output, or a file that only its owner reads.
import { open, type FileHandle } from 'node:fs/promises'

/** Takes whole chunks, one at a time, in order. Each call may reject; the writer keeps the chunk then. */
export interface Sink {
  write(chunk: string): Promise<void>
  /** Opens the path anew, for whoever moved the file away. */
  reopen(): Promise<void>
  close(): Promise<void>
}

/** Writes to a stream that is not ours to close. */
export const streamSink = (stream: NodeJS.WritableStream): Sink => ({
  write: (chunk) =>
    new Promise((resolve, reject) => {
      stream.write(chunk, (error) => (error === undefined || error === null ? resolve() : reject(error)))
    }),
  reopen: async () => {},
  close: async () => {},
})

/** Appends to a file with mode 0600; rejects where the path cannot be opened. */
export const openFileSink = async (path: string): Promise<Sink> => {
  let handle: FileHandle = await open(path, 'a', 0o600)
  return {
    write: async (chunk) => {
      await handle.appendFile(chunk)
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
