// Reads secrets from where the configuration says they are. A missing one stops the start: a service that runs without
// its key would be open, or closed to everybody.
import { readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { Secret } from '../policy/secret.ts'
import type { Path } from './issue.ts'
import { configSchema } from './schema.ts'
import { isSecretAt } from './schema-walk.ts'
import type { Environment } from './layers.ts'

/** Where one secret is said to be. */
export interface SecretPlace {
  readonly path: Path
  readonly by: 'file' | 'env'
  readonly where: string
}

export type SecretReading =
  | { readonly kind: 'secret'; readonly secret: Secret }
  | { readonly kind: 'bad'; readonly why: string }

const SECRET_BYTES_MAX = 65_536

/**
 * Finds every well-formed reference to a secret.
 * @param value the configuration before it is known to fit the schema
 */
export const secretPlaces = (value: unknown, path: Path = []): readonly SecretPlace[] => {
  if (typeof value !== 'object' || value === null) return []
  const children: readonly (readonly [string | number, unknown])[] = Array.isArray(value)
    ? value.map((child, index) => [index, child] as const)
    : Object.entries(value)
  if (!isSecretAt(configSchema, path))
    return children.flatMap(([step, child]) => secretPlaces(child, [...path, step]))
  const named = children.filter(
    ([step, where]) => (step === 'file' || step === 'env') && typeof where === 'string',
  )
  const [only] = named
  if (named.length !== 1 || only === undefined) return []
  return [{ path, by: only[0] === 'file' ? 'file' : 'env', where: String(only[1]) }]
}

/**
 * Reads one secret; a line break at its end is dropped.
 * @param folder paths are relative to it. Never throws.
 */
export const readSecret = ({ by, where }: SecretPlace, folder: string, env: Environment): SecretReading => {
  if (by === 'env') {
    const text = env[where]
    if (text === undefined || text === '') return bad(`the variable \`${where}\` is not set`)
    return { kind: 'secret', secret: new Secret(text) }
  }
  const path = resolve(folder, where)
  try {
    if (statSync(path).size > SECRET_BYTES_MAX) return bad(`the file \`${path}\` is too large to be a secret`)
    const text = readFileSync(path, 'utf8').replace(/\r?\n$/, '')
    return text.trim() === ''
      ? bad(`the file \`${path}\` is empty`)
      : { kind: 'secret', secret: new Secret(text) }
  } catch (error) {
    return bad(`cannot read the file \`${path}\`: ${faultOf(error)}`)
  }
}

/** The words for why a file cannot be read, by the system's code. */
export const faultOf = (error: unknown): string => {
  const code =
    error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown'
  return FAULTS[code] ?? `the system says ${code}`
}

const FAULTS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'this user may not read it',
  EPERM: 'this user may not read it',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is not a folder',
  ELOOP: 'its symbolic links lead in a circle',
}

const bad = (why: string): SecretReading => ({ kind: 'bad', why })

/** Secrets by the path of their reference, as `pathText` writes it. */
export type Secrets = ReadonlyMap<string, Secret>
