// Opens the decision log where the configuration says, and has its chain signed from time to time.
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { openFileSink } from '../audit/file-sink.ts'
import { makeLogSigner } from '../audit/log-key.ts'
import { readLogTail, type LogTail } from '../audit/log-tail.ts'
import { rotatedFiles } from '../audit/rotated-files.ts'
import { streamSink, type Sink } from '../audit/sink.ts'
import { makeAuditWriter, type AuditWriter, type WriterFault } from '../audit/writer.ts'
import type { Config } from '../config/config.ts'
import type { Logger } from '../telemetry/logger.ts'

const SETTINGS = { maxPending: 16 * 1024 * 1024, flushMs: 20, retryMs: 1_000 }

/** Calls `run` again and again. @returns what stops it */
type Every = (intervalMs: number, run: () => void) => () => void

/**
 * Opens the log: a chain of its own, whose first line names what the file ended with.
 * @throws {Error} where its file cannot be opened: a service that cannot record does not start
 */
export const openAudit = async (
  config: Config,
  logger: Logger,
  nowMs: () => number,
  every: Every,
): Promise<AuditWriter> => {
  const { sink, chain } = config.audit
  const opened = await openSink(config)
  const tail = sink.kind === 'file' ? await endOfLog(sink.path, sink.rotation !== undefined) : undefined
  const writerId = `${hostname()}-${randomBytes(4).toString('hex')}`
  const settings = {
    ...SETTINGS,
    writerId,
    nowMs,
    signer: chain === undefined ? undefined : makeLogSigner(chain.key.reveal()),
    checkpointMs: chain?.checkpointMs,
    // A copy where the log is not: whoever cuts the log does not cut this one with it.
    onCheckpoint: (vouched: object) =>
      logger.info({ ...vouched, w: writerId }, 'checkpoint of the decision log'),
  }
  const writer = makeAuditWriter(opened, settings, (what, error) => tell(logger, what, error))
  if (tail !== undefined)
    writer.write({ v: 1, type: 'log.resume', ts: new Date(nowMs()).toISOString(), ...tail })
  writer.checkpoint('start')
  await writer.flush()
  return chain === undefined ? writer : withCheckpoints(writer, chain.checkpointMs, every)
}

const withCheckpoints = (writer: AuditWriter, intervalMs: number, every: Every): AuditWriter => {
  const stop = every(intervalMs, () => writer.checkpoint('interval'))
  return {
    ...writer,
    close: () => {
      stop()
      return writer.close()
    },
  }
}

/** What the log ended with; of one that was changed for a new file at the very end, the last full file. */
const endOfLog = async (path: string, isRotated: boolean): Promise<LogTail | undefined> => {
  const tail = await readLogTail(path)
  if (tail !== undefined || !isRotated) return tail
  // A folder that may be written and not read: the new chain begins without a link.
  const full = (await rotatedFiles(path).catch(() => [])).at(-1)
  return full === undefined ? undefined : readLogTail(full.path)
}

const tell = (logger: Logger, what: WriterFault, error: unknown): void => {
  switch (what) {
    case 'dropping':
      logger.warn({ queue: SETTINGS.maxPending }, 'the decision log is full: lines are dropped and counted')
      return
    case 'rotate-failed':
      logger.error(error, 'the decision log cannot be changed for a new file, or an old one not be deleted')
      return
    case 'write-failed':
    case 'reopen-failed':
      logger.error(error, 'the decision log cannot be written; it is tried again')
  }
}

const openSink = async (config: Config): Promise<Sink> => {
  const { sink } = config.audit
  if (sink.kind === 'stdout') return streamSink(process.stdout)
  try {
    return await openFileSink(sink.path, sink.rotation)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    throw new Error(
      `\`audit.sink\` cannot be opened at \`${sink.path}\` (${code}); make the folder, or change the path`,
      { cause: error },
    )
  }
}
