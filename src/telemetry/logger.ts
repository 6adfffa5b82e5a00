// The service log: what the service did, for whoever runs it. Decisions have a log of their own. Nobody hands it a
// token, a cookie or a header; errors are written by what is known to be safe of them.
import pino, { type Logger as PinoLogger } from 'pino'
import { withoutCredentials } from './credential-net.ts'
import { terminalLine } from './terminal-line.ts'

export type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'

/** A line of the service log: an event with plain fields. */
export interface Logger {
  info(fields: Readonly<Record<string, unknown>>, message: string): void
  warn(fields: Readonly<Record<string, unknown>>, message: string): void
  /** `error` is written by name, code and message, never with what it carries. */
  error(error: unknown, message: string, fields?: Readonly<Record<string, unknown>>): void
}

/** Takes whole lines. */
export interface LineTaker {
  write(line: string): void
}

/**
 * Makes the service log on standard error, so that standard output can carry the decision log: JSON for machines, and
 * where somebody looks at it, text.
 * @param destination takes lines of JSON; standard error without it
 */
export const makeLogger = (level: Level, destination?: LineTaker): Logger => {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    messageKey: 'msg',
    formatters: { level: (label: string) => ({ level: label }) },
  }
  const log: PinoLogger = pino(options, destination ?? standardError())
  return {
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (error, message, fields) => log.error({ ...fields, ...errorFields(error) }, message),
  }
}

const standardError = (): LineTaker =>
  process.stderr.isTTY
    ? { write: (line) => void process.stderr.write(terminalLine(line)) }
    : // Without a buffer: the last line before an end is the one that is needed.
      pino.destination({ dest: 2, sync: true })

const DETAIL_MAX = 300

/**
 * Name, code, message and place of an error, as fields of a log line. Nothing else of it: its cause may hold a request,
 * and a request a secret. Never throws.
 */
export const errorFields = (error: unknown): Readonly<Record<string, unknown>> => {
  if (!(error instanceof Error)) return { error: typeof error }
  return {
    error: error.name,
    code: codeOf(error),
    cause: codeOf(error.cause),
    detail: detailOf(error),
    at: error.stack
      ?.split('\n')
      .find((line) => /^\s+at /.test(line))
      ?.trim(),
  }
}

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined

/** `JSON.parse` quotes what it was given; of any other message a net takes out what looks like a credential. */
const detailOf = (error: Error): string | undefined =>
  error instanceof SyntaxError ? undefined : withoutCredentials(error.message).slice(0, DETAIL_MAX)
