// A whole chain in one piece, for a command that has one line to say: it is appended to a log beside the chain of the
// service that writes there, by one write, so that neither stands in the middle of the other.
import { appendFile, open, stat } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import type { LogFields } from './record.ts'
import { makeAuditWriter } from './writer.ts'
import type { SealedSettings } from './sealed-queue.ts'
import type { Sink } from './sink.ts'

type ChainOf = Pick<SealedSettings, 'writerId' | 'nowMs' | 'signer' | 'checkpointMs'>

/** The text of a chain that begins and ends with these lines. */
export const wholeChain = async (lines: readonly LogFields[], settings: ChainOf): Promise<string> => {
  const parts: Uint8Array[] = []
  const writer = makeAuditWriter(
    gatherInto(parts),
    { ...settings, maxPending: Number.POSITIVE_INFINITY, flushMs: 0, retryMs: 0 },
    () => {},
  )
  for (const line of lines) writer.write(line)
  await writer.close()
  return Buffer.concat(parts).toString('latin1')
}

const gatherInto = (parts: Uint8Array[]): Sink => ({
  write: async (bytes) => {
    parts.push(bytes)
    return bytes.length
  },
  reopen: async () => {},
  isFull: () => false,
  rotate: async () => {},
  close: async () => {},
})

/** Appends it to a log, mode 0600; behind a line that broke off it begins a new one. Rejects where it cannot. */
export const appendChain = async (path: string, chain: string): Promise<void> => {
  const isTorn = await endsWithinLine(path)
  await appendFile(path, isTorn ? `\n${chain}` : chain, { mode: 0o600 })
}

const LOOKS = 5
const LOOK_MS = 20

/** A service in the middle of a write looks like a torn line, too, but not for long. */
const endsWithinLine = async (path: string): Promise<boolean> => {
  for (let look = 0; look < LOOKS; look += 1) {
    if (!(await lacksLineBreak(path))) return false
    await pause(LOOK_MS)
  }
  return true
}

const lacksLineBreak = async (path: string): Promise<boolean> => {
  const found = await stat(path).catch(() => undefined)
  if (found?.isFile() !== true || found.size === 0) return false
  const handle = await open(path, 'r')
  try {
    const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, found.size - 1)
    return buffer[0] !== 10
  } finally {
    await handle.close()
  }
}
