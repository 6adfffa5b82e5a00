// The chain and the queue of one writer, joined: lines get their numbers, blocks their ends, and checkpoints blocks of
// their own, so that whatever goes to the sink in one write ends with a block line.
import { Chain, type ChainSettings, type Vouched } from './chain.ts'
import { ChunkQueue, type Later, type QueuePorts, type QueueSettings } from './chunk-queue.ts'
import { jsonString } from './json-text.ts'
import type { CheckpointCause } from './seal-line.ts'
import type { Sink } from './sink.ts'

/** `writerId` names the writer in every line; sequence numbers are unique together with it. */
export interface SealedSettings extends QueueSettings, ChainSettings {
  /** Hears of each checkpoint, for whoever keeps it where the log is not. */
  readonly onCheckpoint?: (vouched: Vouched) => void
}

export interface SealedQueue {
  readonly queue: ChunkQueue
  /** @param body a JSON object without its closing brace, ASCII */
  readonly add: (body: string) => void
  /** Ends the block and vouches for it; nothing without a key. */
  readonly vouch: (why: CheckpointCause) => void
  /** The last block says that it is the last one: what is cut off behind it is missed. Nothing where no line was. */
  readonly end: () => void
}

/** Joins them. */
export const makeSealedQueue = (
  sink: Sink,
  settings: SealedSettings,
  onFault: (what: 'write-failed' | 'rotate-failed', error: unknown) => void,
  later?: Later,
): SealedQueue => {
  const chain = new Chain(settings)
  let isEnding = false
  const vouch = (why: CheckpointCause): void => {
    if (!chain.isSigned() || isEnding) return
    queue.endBlock()
    const checkpoint = chain.checkpoint(why)
    if (checkpoint === undefined) return
    isEnding = why === 'stop'
    queue.endBlockWith(checkpoint.text, 0)
    settings.onCheckpoint?.(checkpoint.vouched)
  }
  const ports: QueuePorts = {
    onFailure: (error) => onFault('write-failed', error),
    onRotateFailure: (error) => onFault('rotate-failed', error),
    seal: (bytes) => chain.seal(bytes, isEnding),
    onFull: () => vouch('rotate'),
  }
  const queue = new ChunkQueue(sink, settings, ports, later)
  const tail = `,"w":${jsonString(settings.writerId)}}\n`
  return {
    queue,
    add: (body) => queue.add(`${body},"seq":${chain.next()}${tail}`),
    vouch,
    end: () => {
      if (chain.isEmpty() || isEnding) return
      if (chain.isSigned()) return vouch('stop')
      isEnding = true
      queue.endBlockWith('', 0)
    },
  }
}
