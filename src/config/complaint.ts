// Places what is wrong with a configuration where somebody wrote it, and shows that line without the secrets on it.
import type { ConfigIssue, Path } from './issue.ts'
import type { JoinedSource } from './joined-source.ts'
import type { Layers } from './layers.ts'
import type { Place } from './merge.ts'
import { configSchema } from './schema.ts'
import { isSecretAt } from './schema-walk.ts'
import { secretPlaces } from './secret-source.ts'
import type { Part } from './yaml-source.ts'

/** Makes an issue about a part of the configuration. Never throws. */
export type Complain = (path: Path, part: Part, message: string) => ConfigIssue

/**
 * Makes the function that places complaints: where the value was written; one about a missing key, at the closest
 * thing that holds it.
 * @param strangers paths whose values nobody knows the meaning of: never shown
 */
export const makeComplain = (source: JoinedSource, layers: Layers, strangers: readonly Path[]): Complain => {
  const hidden = [
    ...strangers.flatMap(source.placesOf),
    ...source.values.flatMap((value, file) =>
      [...notEvenAMap(value), ...inlineSecrets(value, [])].map((path): Place => ({ file, path })),
    ),
  ]
  const holder = (path: Path, message: string): ConfigIssue => {
    const found = source.issueAbout({ path, part: 'key', first: true }, message, hidden)
    if (found !== undefined) return found
    const origin = layers.writtenBelow(path)
    if (origin !== undefined) return { origin, message, excerpt: undefined }
    return path.length === 0
      ? { origin: { kind: 'default' }, message, excerpt: undefined }
      : holder(path.slice(0, -1), message)
  }
  return (path, part, message) => {
    const origin = layers.overriddenBy(path)
    if (origin !== undefined) return { origin, message, excerpt: undefined }
    return (
      source.issueAbout({ path, part, first: false }, message, hidden) ?? holder(path.slice(0, -1), message)
    )
  }
}

/** Somebody named a key file where the configuration belongs: nothing of it is shown. */
const notEvenAMap = (value: unknown): readonly Path[] =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? [] : [[]]

/** What stands where a reference to a secret belongs, and is none or more than one. */
const inlineSecrets = (value: unknown, path: Path): readonly Path[] => {
  if (isSecretAt(configSchema, path)) return isReference(value, path) ? [] : [path]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([step, child]) =>
    inlineSecrets(child, [...path, Array.isArray(value) ? Number(step) : step]),
  )
}

const REFERENCE_KEYS = new Set(['id', 'file', 'env'])

const isReference = (value: unknown, path: Path): boolean =>
  secretPlaces(value, path).length === 1 &&
  typeof value === 'object' &&
  value !== null &&
  Object.keys(value).every((key) => REFERENCE_KEYS.has(key))
