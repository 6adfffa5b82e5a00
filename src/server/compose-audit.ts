// Opens the decision log where the configuration says.
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { openFileSink, streamSink, type Sink } from '../audit/sink.ts'
import { makeAuditWriter, type AuditWriter } from '../audit/writer.ts'
import type { Config } from '../config/config.ts'
import type { Logger } from '../telemetry/logger.ts'

const SETTINGS = { maxPending: 16 * 1024 * 1024, flushMs: 20, retryMs: 1_000 }

/**
 * Opens the log.
 * @throws {Error} where its file cannot be opened: a service that cannot record does not start
 */
export const openAudit = async (config: Config, logger: Logger): Promise<AuditWriter> => {
  const writerId = `${hostname()}-${randomBytes(4).toString('hex')}`
  return makeAuditWriter(await openSink(config), { ...SETTINGS, writerId }, (what, error) => {
    if (what === 'dropping')
      logger.warn({ queue: SETTINGS.maxPending }, 'the decision log is full: lines are dropped and counted')
    else logger.error(error, 'the decision log cannot be written; it is tried again')
  })
}

const openSink = async (config: Config): Promise<Sink> => {
  const { sink } = config.audit
  if (sink.kind === 'stdout') return streamSink(process.stdout)
  try {
    return await openFileSink(sink.path)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    throw new Error(
      `\`audit.sink\` cannot be opened at \`${sink.path}\` (${code}); make the folder, or change the path`,
      { cause: error },
    )
  }
}
