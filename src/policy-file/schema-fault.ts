// What a schema complains about, in the words of the language and with its place. Messages of the schema are
// "expected; how to write it".
import type { z } from 'zod'
import { closest, didYouMean } from '../policy/closest-word.ts'
import { NOT_BUILT_KEYS } from './schema-rule.ts'
import type { PlacedFault } from './yaml-fault.ts'
import type { DocumentPath, PathKey } from './yaml-range.ts'
import type { YamlTree } from './yaml-tree.ts'

type SchemaIssue = z.core.$ZodIssue

/** Turns the issues of a parse into faults with places. Never throws. */
export const schemaFaults = (
  schema: z.ZodType,
  issues: readonly SchemaIssue[],
  tree: YamlTree,
): readonly PlacedFault[] => issues.flatMap((issue) => faultsOf(schema, issue, [], tree))

const faultsOf = (
  schema: z.ZodType,
  issue: SchemaIssue,
  above: DocumentPath,
  tree: YamlTree,
): readonly PlacedFault[] => {
  const path = [...above, ...issue.path.map(pathKey)]
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => unknownKey(key, path, vocabularyAt(schema, path), tree))
  if (issue.code === 'invalid_key') return issue.issues.map((inner) => keyFault(inner.message, path, tree))
  if (issue.code === 'invalid_union') {
    const meant = issue.errors.find((errors) =>
      errors.every((inner) => inner.path.length > 0 || inner.code === 'unrecognized_keys'),
    )
    if (meant !== undefined) return meant.flatMap((inner) => faultsOf(schema, inner, path, tree))
  }
  return [valueFault(issue.message, path, tree, wordsOf(issue))]
}

/** The words that an enumeration knows. */
const wordsOf = (issue: SchemaIssue): readonly string[] => {
  if (issue.code === 'invalid_union') return issue.errors.flat().flatMap(wordsOf)
  return issue.code === 'invalid_value' ? issue.values.filter((value) => typeof value === 'string') : []
}

const pathKey = (key: PropertyKey): PathKey => (typeof key === 'number' ? key : String(key))

const unknownKey = (
  key: string,
  path: DocumentPath,
  known: readonly string[],
  tree: YamlTree,
): PlacedFault => {
  const meant = closest(key, known)
  return {
    range: tree.rangeOf([...path, key], 'key'),
    fault: {
      code: 'E01',
      what: `unknown key \`${key}\`${meant === undefined ? '' : ` (did you mean \`${meant}\`?)`}`,
      why: 'a key that nobody reads would change nothing, and nobody would notice',
      mend: known.length === 0 ? 'remove it' : `known here: ${known.filter(isBuilt).join(', ')}`,
    },
  }
}

const isBuilt = (key: string): boolean => !NOT_BUILT_KEYS.some((one) => one === key)

const keyFault = (message: string, path: DocumentPath, tree: YamlTree): PlacedFault => {
  const [expected, mend] = halves(message)
  const what = `the key \`${String(path.at(-1))}\` must be ${expected}`
  return { range: tree.rangeOf(path, 'key'), fault: { code: 'E16', what, why: 'its form is fixed', mend } }
}

const valueFault = (
  message: string,
  path: DocumentPath,
  tree: YamlTree,
  words: readonly string[],
): PlacedFault => {
  const [expected, mend] = halves(message)
  const found = valueAt(tree.value, path)
  if (found === undefined) return missing(expected, mend, path, tree)
  const meant = typeof found === 'string' ? didYouMean(found, words) : ''
  return {
    range: tree.rangeOf(path, 'value'),
    fault: {
      code: 'E16',
      what: `${nameOf(path)} must be ${expected}`,
      why: `it is ${described(found)}${meant}`,
      mend,
    },
  }
}

const missing = (expected: string, mend: string, path: DocumentPath, tree: YamlTree): PlacedFault => ({
  range: tree.rangeOf(path.slice(0, -1), 'value'),
  fault: { code: 'E16', what: `${nameOf(path)} is missing`, why: `it must be ${expected}`, mend },
})

const halves = (message: string): readonly [string, string] => {
  const at = message.indexOf('; ')
  return at < 0 ? [message, 'write it so'] : [message.slice(0, at), message.slice(at + 2)]
}

/** The nearest key: `groups`, or `a value of groups` inside a list. */
const nameOf = (path: DocumentPath): string => {
  const key = path.findLast((step) => typeof step === 'string')
  if (key === undefined) return 'the file'
  return typeof path.at(-1) === 'number' ? `each of \`${key}\`` : `\`${key}\``
}

const described = (value: unknown): string => {
  if (value === null) return 'empty'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value === 'object') return 'a mapping'
  if (typeof value === 'string') return `the text \`${value.length > 60 ? `${value.slice(0, 60)}…` : value}\``
  return `the ${typeof value} \`${JSON.stringify(value)}\``
}

const valueAt = (value: unknown, path: DocumentPath): unknown =>
  path.reduce<unknown>(
    (inside, step) => (isObject(inside) && Object.hasOwn(inside, step) ? inside[step] : undefined),
    value,
  )

const isObject = (value: unknown): value is Readonly<Record<PathKey, unknown>> =>
  typeof value === 'object' && value !== null

/** The keys that an object of the schema knows. */
const vocabularyAt = (schema: z.core.$ZodType, path: DocumentPath): readonly string[] => {
  const [step, ...rest] = path
  const { def } = schema._zod as { readonly def: SchemaShape }
  if (def.type === 'optional' && def.innerType !== undefined) return vocabularyAt(def.innerType, path)
  if (def.type === 'union') return (def.options ?? []).flatMap((option) => vocabularyAt(option, path))
  if (def.type === 'array' && def.element !== undefined && step !== undefined)
    return vocabularyAt(def.element, rest)
  if (def.type !== 'object' || def.shape === undefined) return []
  if (step === undefined) return Object.keys(def.shape)
  const inside = def.shape[step]
  return inside === undefined ? [] : vocabularyAt(inside, rest)
}

/** The parts of the library's schema definitions that are read here. */
interface SchemaShape {
  readonly type: string
  readonly innerType?: z.core.$ZodType
  readonly options?: readonly z.core.$ZodType[]
  readonly element?: z.core.$ZodType
  readonly shape?: Readonly<Record<PathKey, z.core.$ZodType>>
}
