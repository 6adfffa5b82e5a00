// Questions that are put to the schema itself, so that variables, flags, suggestions and secrets need no second list.
import { z } from 'zod'
import type { Path } from './issue.ts'

type Schema = z.core.$ZodType

/** A key that takes one text, number, flag or list of texts. */
export interface Leaf {
  /** `'*'` stands for any index of a list. */
  readonly path: readonly string[]
  readonly kind: 'text' | 'number' | 'boolean' | 'list'
  /** How many steps of the path lead to the choice between several shapes that this leaf belongs to, if any. */
  readonly choiceDepth: number | undefined
}

/** What is inside of optional, default and the like. */
const bare = (schema: Schema): Schema => {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault)
    return bare(schema.unwrap())
  return schema
}

/** The schemas that a value at a path may have; several where the schema leaves a choice. */
const schemasAt = (schema: Schema, path: Path): readonly Schema[] => {
  const here = bare(schema)
  const [step, ...rest] = path
  if (step === undefined) return [here]
  if (here instanceof z.ZodUnion) return here.options.flatMap((option) => schemasAt(option, path))
  if (here instanceof z.ZodArray) return schemasAt(here.element, rest)
  if (!(here instanceof z.ZodObject)) return []
  const next = Object.hasOwn(here.shape, step) ? here.shape[String(step)] : undefined
  return next === undefined ? [] : schemasAt(next, rest)
}

/** The keys that a map at this path may have. */
export const keysAt = (schema: Schema, path: Path): readonly string[] =>
  schemasAt(schema, path).flatMap((found) => (found instanceof z.ZodObject ? Object.keys(found.shape) : []))

/** What the schema says about a path, in words. */
export const descriptionAt = (schema: Schema, path: Path): string | undefined => {
  const [last] = path.slice(-1)
  for (const parent of schemasAt(schema, path.slice(0, -1))) {
    const child = parent instanceof z.ZodObject ? parent.shape[String(last)] : undefined
    const text = child === undefined ? undefined : descriptionOf(child)
    if (text !== undefined) return text
  }
  return undefined
}

const descriptionOf = (schema: Schema): string | undefined => {
  const own = z.globalRegistry.get(schema)?.description
  const inner = bare(schema)
  return own ?? (inner === schema ? undefined : z.globalRegistry.get(inner)?.description)
}

/** True for the schema of `{file: …}` or `{env: …}`. */
const isSecretReference = (schema: Schema): boolean =>
  schema instanceof z.ZodUnion &&
  schema.options
    .map((option) => (option instanceof z.ZodObject ? Object.keys(option.shape).join() : ''))
    .join() === 'file,env'

/** True where a value at this path says where a secret is, by `file` or `env`. */
export const isSecretAt = (schema: Schema, path: Path): boolean =>
  schemasAt(schema, path).some(
    (found) =>
      isSecretReference(found) ||
      (found instanceof z.ZodObject && 'file' in found.shape && 'env' in found.shape),
  )

/** Every leaf of the schema, in its order. Maps with free keys have none. */
export const leavesOf = (
  schema: Schema,
  path: readonly string[] = [],
  choiceDepth?: number,
): readonly Leaf[] => {
  const here = bare(schema)
  if (here instanceof z.ZodObject)
    return Object.entries(here.shape).flatMap(([key, child]) => leavesOf(child, [...path, key], choiceDepth))
  if (here instanceof z.ZodUnion)
    return here.options.flatMap((option) => leavesOf(option, path, choiceDepth ?? path.length))
  if (here instanceof z.ZodArray) {
    return bare(here.element) instanceof z.ZodObject || isSecretReference(bare(here.element))
      ? leavesOf(here.element, [...path, '*'], choiceDepth)
      : [{ path, kind: 'list', choiceDepth }]
  }
  const kind = leafKind(here)
  return kind === undefined ? [] : [{ path, kind, choiceDepth }]
}

const leafKind = (schema: Schema): Leaf['kind'] | undefined => {
  if (schema instanceof z.ZodString || schema instanceof z.ZodEnum || schema instanceof z.ZodLiteral)
    return 'text'
  if (schema instanceof z.ZodNumber) return 'number'
  return schema instanceof z.ZodBoolean ? 'boolean' : undefined
}
