// What the schema has against a configuration, in words that say how to mend it.
import type { z } from 'zod'
import { closest, didYouMean } from '../policy/closest-word.ts'
import { pathText, type Path } from './issue.ts'
import { configSchema } from './schema.ts'
import { quoted } from './schema-fields.ts'
import { descriptionAt, isSecretAt, keysAt } from './schema-walk.ts'

/** One complaint and the part of the file that it is about. */
export interface SchemaFault {
  readonly path: Path
  readonly part: 'key' | 'value'
  readonly message: string
  /** What stands there must not be shown: it may be a secret in the wrong place. */
  readonly hide: boolean
}

interface FoundFault extends SchemaFault {
  readonly isMissing: boolean
  /** The key that an unknown one was probably meant to be: that one is not reported as missing, too. */
  readonly meant: string | undefined
}

type Issue = z.core.$ZodIssue

/** Rewrites the findings of the schema. */
export const schemaFaults = (issues: readonly Issue[], value: unknown): readonly SchemaFault[] => {
  const faults = issues.flatMap((issue) => faultsOf(issue, value))
  const meant = new Set(faults.map((fault) => fault.meant))
  return faults.filter((fault) => !(fault.isMissing && meant.has(pathText(fault.path))))
}

const faultsOf = (issue: Issue, value: unknown): readonly FoundFault[] => {
  const path = issue.path.filter((step) => typeof step !== 'symbol')
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key))
  if (!isGiven(value, path)) return [missing(path)]
  const name = path.length === 0 ? '' : `\`${pathText(path)}\`: `
  return [
    {
      path,
      part: 'value',
      message: name + complaint(issue, valueAt(value, path)),
      hide: isSecretAt(configSchema, path),
      isMissing: false,
      meant: undefined,
    },
  ]
}

const unknownKey = (path: Path, key: string): FoundFault => {
  const known = keysAt(configSchema, path)
  const place = path.length === 0 ? '' : ` in \`${pathText(path)}\``
  const meant = closest(key, known)
  const help = meant === undefined ? `; known are ${known.join(', ')}` : didYouMean(key, known)
  return {
    path: [...path, key],
    part: 'key',
    message: `unknown key ${quoted(key)}${place}${help}`,
    hide: true,
    isMissing: false,
    meant: meant === undefined ? undefined : pathText([...path, meant]),
  }
}

const missing = (path: Path): FoundFault => {
  const description = descriptionAt(configSchema, path)
  const message = `\`${pathText(path)}\` is missing${description === undefined ? '' : `: ${description}`}`
  return { path, part: 'key', message, hide: false, isMissing: true, meant: undefined }
}

const complaint = (issue: Issue, given: unknown): string => {
  switch (issue.code) {
    case 'invalid_type':
      return typeComplaint(issue.expected, given)
    case 'invalid_value':
      return valueComplaint(issue.values.map(String), given)
    case 'too_big':
      return `${quoted(given)} is too large; at most ${String(issue.maximum)}`
    case 'too_small':
      return issue.origin === 'array'
        ? emptyComplaint(issue)
        : `${quoted(given)} is too small; at least ${String(issue.minimum)}`
    case 'invalid_format':
    case 'invalid_union':
    case 'custom':
    case 'unrecognized_keys':
    case 'invalid_key':
    case 'invalid_element':
    case 'not_multiple_of':
      return issue.message
  }
}

/** Lists that say why they must not be empty keep their own words. */
const emptyComplaint = (issue: Issue): string =>
  issue.message.startsWith('Too small') ? 'the list is empty; name at least one' : issue.message

const typeComplaint = (expected: string, given: unknown): string => {
  const wanted = WANTED[expected] ?? expected
  const quote =
    expected === 'string' && (typeof given === 'number' || typeof given === 'boolean') ? '; quote it' : ''
  return `this must be ${wanted}, not ${kindOf(given)}${quote}`
}

const WANTED: Readonly<Record<string, string>> = {
  string: 'a text',
  int: 'a whole number',
  number: 'a number',
  boolean: '`true` or `false`',
  array: 'a list',
  object: 'a map of keys',
  record: 'a map of names',
}

const kindOf = (given: unknown): string => {
  if (given === null || given === undefined) return 'empty'
  if (Array.isArray(given)) return 'a list'
  if (typeof given === 'object') return 'a map'
  return typeof given === 'string'
    ? 'a text'
    : `the ${typeof given === 'number' ? 'number' : 'flag'} ${quoted(given)}`
}

const valueComplaint = (values: readonly string[], given: unknown): string => {
  const meant = typeof given === 'string' ? didYouMean(given, values) : ''
  return `${quoted(given)} is not one of ${values.map((value) => `\`${value}\``).join(', ')}${meant}`
}

/** What a plain value holds at a path; undefined where it holds nothing there. */
export const valueAt = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>(
    (within, step) =>
      typeof within === 'object' && within !== null
        ? new Map(Object.entries(within)).get(String(step))
        : undefined,
    value,
  )

const isGiven = (value: unknown, path: Path): boolean =>
  path.length === 0 || valueAt(value, path) !== undefined
