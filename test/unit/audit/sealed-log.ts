// Logs for tests, made by the real writer over a sink in memory; and the verifier's word on any bytes.
import { generateKeyPairSync } from 'node:crypto'
import { makeLogSigner, readLogKey, type LogKey } from '../../../src/audit/log-key.ts'
import type { Sink } from '../../../src/audit/sink.ts'
import type { Finding, Note } from '../../../src/audit/verify-finding.ts'
import { LogVerifier, type Expected, type VerifiedLog } from '../../../src/audit/verify.ts'
import { makeAuditWriter, type AuditWriter, type WriterSettings } from '../../../src/audit/writer.ts'

export const NOW = Date.UTC(2026, 10, 24, 10)
const PAIR = generateKeyPairSync('ed25519')
export const PRIVATE_PEM = PAIR.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
export const PUBLIC_PEM = PAIR.publicKey.export({ type: 'spki', format: 'pem' }).toString()
export const SIGNER = makeLogSigner(PRIVATE_PEM)

export const keysOf = (...pems: readonly string[]): ReadonlyMap<string, LogKey> =>
  new Map(
    pems.map((pem) => {
      const key = readLogKey(pem)
      if (key === undefined) throw new Error('no key')
      return [key.keyId, key]
    }),
  )

/** A sink in memory, which fails when it is told to. */
export class MemorySink implements Sink {
  text = ''
  /** Bytes of files that were full, oldest first. */
  readonly full: string[] = []
  fullAt = Number.POSITIVE_INFINITY
  async write(bytes: Uint8Array): Promise<number> {
    await Promise.resolve()
    this.text += Buffer.from(bytes).toString('latin1')
    return bytes.length
  }
  async reopen(): Promise<void> {}
  isFull(): boolean {
    return this.text.length >= this.fullAt
  }
  async rotate(): Promise<void> {
    this.full.push(this.text)
    this.text = ''
  }
  async close(): Promise<void> {}
}

export const writerOver = (sink: Sink, writerId: string, more: Partial<WriterSettings> = {}): AuditWriter =>
  makeAuditWriter(
    sink,
    { writerId, nowMs: () => NOW, maxPending: 10_000_000, flushMs: 60_000, retryMs: 60_000, ...more },
    () => {},
  )

export const event = (n: number, more: Readonly<Record<string, unknown>> = {}) =>
  ({ v: 1, type: 'login', ts: '2026-11-24T10:00:00.000Z', n, ...more }) as const

/** A closed log of one writer with a block for each number, of that many lines. */
export const logOf = async (
  writerId: string,
  blocks: readonly number[],
  more: Partial<WriterSettings> = {},
): Promise<string> => {
  const sink = new MemorySink()
  const writer = writerOver(sink, writerId, more)
  writer.checkpoint('start')
  for (const lines of blocks) {
    for (let n = 0; n < lines; n += 1) writer.write(event(n))
    await writer.flush()
  }
  await writer.close()
  return sink.text
}

export interface Judged extends VerifiedLog {
  readonly findings: readonly Finding[]
  readonly notes: readonly Note[]
}

export interface JudgeOptions {
  readonly keys?: ReadonlyMap<string, LogKey>
  readonly expected?: readonly Expected[]
}

/** What the verifier says of files, in their order. */
export const judge = (
  files: Readonly<Record<string, string>> | string,
  { keys, expected = [] }: JudgeOptions = {},
): Judged => {
  const findings: Finding[] = []
  const notes: Note[] = []
  const verifier = new LogVerifier(
    { keys, expected },
    { finding: (one) => findings.push(one), note: (one) => notes.push(one) },
  )
  for (const [name, text] of Object.entries(typeof files === 'string' ? { log: files } : files)) {
    verifier.file(name)
    for (const line of text.match(/[^\n]*\n|[^\n]+$/g) ?? [])
      verifier.line(Buffer.from(line, 'latin1'), line.endsWith('\n'))
  }
  return { ...verifier.finish(), findings, notes }
}

/** `edited 2-2 log:4-7`, one for each finding. */
export const brief = (judged: Pick<Judged, 'findings'>): readonly string[] =>
  judged.findings.map(
    ({ kind, blocks, from, to }) =>
      `${kind} ${blocks === undefined ? '-' : blocks.join('-')} ${from.file}:${from.line}-${to.file === from.file ? to.line : `${to.file}:${to.line}`}`,
  )
