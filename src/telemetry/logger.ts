// The service log: what the service did, for whoever runs it. Decisions have a log of their own. Nobody hands it a
// token, a cookie or a header; errors are written by name and message.
import pino, { type Logger as PinoLogger } from 'pino'

export type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'

/** A line of the service log: an event with plain fields. */
export interface Logger {
  info(fields: Readonly<Record<string, unknown>>, message: string): void
  warn(fields: Readonly<Record<string, unknown>>, message: string): void
  /** `error` is written by name, code and message, never with what it carries. */
  error(error: unknown, message: string, fields?: Readonly<Record<string, unknown>>): void
}

/** What may be said of an error: a cause may hold a request, and a request may hold a secret. */
export const errorFields = (error: unknown): Readonly<Record<string, unknown>> => {
  if (!(error instanceof Error)) return { error: typeof error }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  return { error: error.name, code, detail: error.message, at: error.stack?.split('\n')[1]?.trim() }
}

/**
 * Makes the service log on standard error, so that standard output can carry the decision log.
 * @param destination takes whole lines; standard error without it
 */
export const makeLogger = (level: Level, destination?: { write(line: string): void }): Logger => {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    messageKey: 'msg',
    formatters: { level: (label: string) => ({ level: label }) },
  }
  const log: PinoLogger = pino(options, destination ?? pino.destination({ dest: 2, sync: true }))
  return {
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (error, message, fields) => log.error({ ...fields, ...errorFields(error) }, message),
  }
}
