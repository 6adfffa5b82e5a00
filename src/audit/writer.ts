// The writer of the decision log: one JSON line for each event, in order. It never blocks a decision, never throws at
// one, and counts whatever it could not keep.
import { ChunkQueue, type Later, type QueueSettings } from './chunk-queue.ts'
import type { LogFields } from './record.ts'
import type { Sink } from './sink.ts'

export interface WriterSettings extends QueueSettings {
  /** Names this writer in every line; sequence numbers are unique together with it. */
  readonly writerId: string
  /** Lines beyond this many waiting characters are dropped and counted. */
  readonly maxPending: number
}

export interface WriterStats {
  readonly written: number
  readonly dropped: number
  readonly failedWrites: number
  readonly pending: number
}

export interface AuditWriter {
  /** Takes one event; returns false where it had to be dropped. Never throws. */
  write(fields: LogFields): boolean
  /** True while a line might be lost: the queue is half full, the last write failed, or it is closed. */
  isBehind(): boolean
  stats(): WriterStats
  /** Resolves when everything taken so far is in the sink, or was refused by it. */
  flush(): Promise<void>
  /** Flushes and opens the file anew: somebody moved it away. */
  reopen(): Promise<void>
  /** Flushes and closes; nothing is taken any more. */
  close(): Promise<void>
}

/**
 * Makes a writer over a sink.
 * @param onFault hears of the first of a run of failed writes, and of the first of a run of dropped lines
 */
export const makeAuditWriter = (
  sink: Sink,
  settings: WriterSettings,
  onFault: (what: 'write-failed' | 'dropping', error: unknown) => void,
  later?: Later,
): AuditWriter => {
  const queue = new ChunkQueue(sink, settings, (error) => onFault('write-failed', error), later)
  let sequence = 0
  let dropped = 0
  let dropping = false
  let closed = false
  const drop = (): false => {
    dropped += 1
    if (!dropping) onFault('dropping', undefined)
    dropping = true
    return false
  }
  return {
    write: (fields) => {
      if (closed || queue.pending() >= settings.maxPending) return drop()
      dropping = false
      sequence += 1
      queue.add(`${JSON.stringify({ ...fields, seq: sequence, w: settings.writerId })}\n`)
      return true
    },
    isBehind: () => closed || queue.isFailing() || queue.pending() > settings.maxPending / 2,
    stats: () => ({
      written: sequence,
      dropped,
      failedWrites: queue.failedWrites(),
      pending: queue.pending(),
    }),
    flush: () => queue.flush(),
    reopen: async () => {
      await queue.flush()
      await sink.reopen()
    },
    close: async () => {
      closed = true
      await queue.close()
      await sink.close()
    },
  }
}
