// What decoding stands on: values that passed every check, so that what is missing is a fault of Postern, not of the
// configuration.
import { resolve } from 'node:path'
import type { Secret } from '../policy/secret.ts'
import { parseDurationMs } from './duration.ts'
import type { Path } from './issue.ts'
import type { Secrets } from './secret-source.ts'

/** What decoding needs beside the settings. */
export interface DecodeContext {
  /** The files as the operator named them. */
  readonly file: string
  /** Absolute folder that a path at this place of the settings is relative to. */
  readonly folderOf: (path: Path) => string
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

/** The absolute path that a setting names, from the folder of the file in which it stands. */
export const absolute = ({ folderOf }: DecodeContext, path: Path, text: string): string =>
  resolve(folderOf(path), text)

/** The secret that was read for a reference. */
export const secret = ({ secrets }: DecodeContext, path: string): Secret => sure(secrets.get(path))
