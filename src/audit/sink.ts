// Where the log goes: standard output here, a file in `file-sink.ts`.

/** Takes bytes, one write at a time, in order. */
export interface Sink {
  /**
   * @param bytes one or more
   * @returns how many were taken, at least one; the rest is written again. Rejects where none was.
   */
  write(bytes: Uint8Array): Promise<number>
  /** Opens the path anew, for whoever moved the file away. Rejects where it cannot be, and stays as it was. */
  reopen(): Promise<void>
  /** True where it holds so much that another one should follow. */
  isFull(): boolean
  /** Begins another one, between two writes. Rejects where it cannot, and goes on as it can. */
  rotate(): Promise<void>
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
    isFull: () => false,
    rotate: async () => {},
    close: async () => {},
  }
}
