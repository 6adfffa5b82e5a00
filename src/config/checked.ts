// What decoding stands on: values that passed every check, so that what is missing is a fault of Postern, not of the
// configuration.
import type { Secret } from '../policy/secret.ts'
import { parseDurationMs } from './duration.ts'
import type { Secrets } from './secret-source.ts'

/** What decoding needs beside the settings. */
export interface DecodeContext {
  readonly file: string
  /** Absolute; paths in the settings are relative to it. */
  readonly folder: string
  readonly secrets: Secrets
}

/** @throws {TypeError} where a setting was not checked before */
export const sure = <T>(value: T | undefined): T => {
  if (value === undefined) throw new TypeError('a setting was decoded that had not been checked')
  return value
}

/** Milliseconds of a duration. */
export const ms = (duration: string): number => sure(parseDurationMs(duration))
/** Whole seconds of a duration, rounded up. */
export const seconds = (duration: string): number => Math.ceil(ms(duration) / 1000)

/** The secret that was read for a reference. */
export const secret = ({ secrets }: DecodeContext, path: string): Secret => sure(secrets.get(path))
