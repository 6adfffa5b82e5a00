// The writer of the decision log: one JSON line for each event, in order. It never blocks a decision, never throws at
// one, and counts whatever it could not keep; the log itself says where lines are missing.
import type { Later } from './chunk-queue.ts'
import { bodyOf, type LogFields } from './record.ts'
import type { CheckpointCause } from './seal-line.ts'
import { makeSealedQueue, type SealedSettings } from './sealed-queue.ts'
import type { Sink } from './sink.ts'

export interface WriterSettings extends SealedSettings {
  /** Bytes: lines beyond this many waiting ones are dropped and counted. */
  readonly maxPending: number
}

export interface WriterStats {
  /** Lines taken, without those of the chain itself. */
  readonly written: number
  /** Lines that did not fit, came after the close, or were left when it was closed. */
  readonly dropped: number
  readonly failedWrites: number
  /** Bytes that wait. */
  readonly pending: number
}

/** What went wrong; heard once for each run of it. */
export type WriterFault = 'write-failed' | 'dropping' | 'reopen-failed' | 'rotate-failed'

export interface AuditWriter {
  /** Takes one event; returns false where it had to be dropped. Never throws. */
  write(fields: LogFields): boolean
  /** True while a line might be lost: the queue is half full, the last write failed, or it is closed. */
  isBehind(): boolean
  stats(): WriterStats
  /** Resolves when everything taken so far is in the sink, or was refused by it. Never rejects. */
  flush(): Promise<void>
  /** Ends the block and vouches for it; nothing without a key, or after the close. Never throws. */
  checkpoint(why: CheckpointCause): void
  /** Flushes and opens the file anew: somebody moved it away. Where that fails the old one goes on. Never rejects. */
  reopen(): Promise<void>
  /** Flushes and closes; nothing is taken any more. Never rejects. */
  close(): Promise<void>
}

/**
 * Makes a writer over a sink.
 * @param onFault hears of the first of a run of failed writes, and of the first of a run of dropped lines
 */
export const makeAuditWriter = (
  sink: Sink,
  settings: WriterSettings,
  onFault: (what: WriterFault, error: unknown) => void,
  later?: Later,
): AuditWriter => {
  const { queue, add, vouch, end } = makeSealedQueue(sink, settings, onFault, later)
  let written = 0
  let dropped = 0
  let droppedInRun = 0
  let closed = false
  const drop = (): false => {
    dropped += 1
    droppedInRun += 1
    if (droppedInRun === 1 && !closed) onFault('dropping', undefined)
    return false
  }
  const take = (body: string): void => {
    written += 1
    add(body)
  }
  const isFull = (): boolean =>
    // After a run of drops the queue must have emptied by half, else each line that fits would begin a new run.
    queue.pending() >= (droppedInRun === 0 ? settings.maxPending : settings.maxPending / 2)
  return {
    write: (fields) => {
      if (closed || isFull()) return drop()
      const body = attempt(() => bodyOf(fields))
      if (body === undefined) return drop()
      if (droppedInRun > 0) take(bodyOf({ v: 1, type: 'log.dropped', ts: fields.ts, lines: droppedInRun }))
      droppedInRun = 0
      take(body)
      return true
    },
    isBehind: () => closed || queue.isFailing() || queue.pending() > settings.maxPending / 2,
    stats: () => ({ written, dropped, failedWrites: queue.failedWrites(), pending: queue.pending() }),
    flush: () => queue.flush(),
    checkpoint: (why) => {
      vouch(why)
      void queue.flush()
    },
    reopen: async () => {
      vouch('rotate')
      await queue.flush()
      await sink.reopen().catch((error: unknown) => onFault('reopen-failed', error))
    },
    close: async () => {
      closed = true
      end()
      await queue.close()
      dropped += queue.pendingLines()
      await sink.close().catch((error: unknown) => onFault('write-failed', error))
    },
  }
}

/** An event that JSON cannot hold is a fault of whoever made it, and no reason to fail a request. */
const attempt = (make: () => string): string | undefined => {
  try {
    return make()
  } catch {
    return undefined
  }
}
