// The variable and the flag of each key of the configuration, derived from the schema: `session.idle` is
// `POSTERN_SESSION_IDLE` and `--session-idle`; entries of a list count from 0, `POSTERN_PROVIDERS_0_CLIENT_ID`.
import { closest } from '../policy/closest-word.ts'
import type { Path } from './issue.ts'
import { configSchema } from './schema.ts'
import { leavesOf, type Leaf } from './schema-walk.ts'

export interface Setting {
  readonly leaf: Leaf
  /** `N` in angle brackets stands for an index: `POSTERN_PROVIDERS_<N>_ID`. */
  readonly variable: string
  readonly flag: string
}

const PREFIX = 'POSTERN_'

const words = (step: string): string =>
  step === '*' ? '<N>' : step.replaceAll(/[A-Z]/g, '_$&').toUpperCase()

const settingOf = (leaf: Leaf): Setting => {
  const name = leaf.path.map(words).join('_')
  return {
    leaf,
    variable: PREFIX + name,
    flag: `--${name.replace('<N>', 'n').toLowerCase().replaceAll('_', '-')}`,
  }
}

/** Every key that a variable or a flag can set, in the order of the schema. */
export const SETTINGS: readonly Setting[] = [
  ...new Map(
    leavesOf(configSchema)
      .filter((leaf) => leaf.path[0] !== 'apiVersion')
      // A choice between one text and a list of them is a list.
      .toSorted((a, b) => Number(a.kind === 'list') - Number(b.kind === 'list'))
      .map((leaf) => [leaf.path.join('.'), leaf]),
  ).values(),
].map(settingOf)

/** Every flag that sets a key; entries of lists have none. */
export const FLAGS: readonly string[] = SETTINGS.filter(({ leaf }) => !leaf.path.includes('*')).map(
  ({ flag }) => flag,
)

/** What a variable or flag means: a place of the configuration, its kind, and the choice that it takes the place of. */
export interface Assignment {
  readonly path: Path
  readonly leaf: Leaf
}

const PATTERNS = SETTINGS.map((setting) => ({
  leaf: setting.leaf,
  variable: new RegExp(`^${setting.variable.replaceAll('<N>', String.raw`(0|[1-9]\d?)`)}$`),
}))

/** The place that a variable sets; undefined where none of ours has this name. */
export const assignmentOfVariable = (name: string): Assignment | undefined => {
  for (const { leaf, variable } of PATTERNS) {
    const indexes = variable.exec(name)?.slice(1)
    if (indexes === undefined) continue
    const rest = indexes.values()
    return { leaf, path: leaf.path.map((step) => (step === '*' ? Number(rest.next().value) : step)) }
  }
  return undefined
}

/** The place that a flag such as `--session-idle` sets; entries of lists have none. */
export const assignmentOfFlag = (flag: string): Assignment | undefined => {
  const leaf = SETTINGS.find((setting) => setting.flag === flag)?.leaf
  return leaf === undefined || leaf.path.includes('*') ? undefined : { leaf, path: leaf.path }
}

/** Variables that Kubernetes sets for a Service whose name begins with `postern`. */
const SERVICE_LINK =
  /_SERVICE_(?:HOST|PORT)(?:_[A-Z0-9_]+)?$|_PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?$/

export type StrangeVariable = { readonly name: string; readonly meant: string }

/**
 * Finds variables that look like ours and set nothing.
 * @param names of the environment
 * @param known names that something else reads, e.g. those of `{env: …}`
 * @returns each with ` (did you mean …?)`, or an empty text where it resembles none of ours
 */
export const strangeVariables = (
  names: readonly string[],
  known: ReadonlySet<string>,
): readonly StrangeVariable[] =>
  names
    .filter((name) => name.startsWith(PREFIX) && !known.has(name) && !SERVICE_LINK.test(name))
    .filter((name) => assignmentOfVariable(name) === undefined)
    .map((name) => ({ name, meant: meantBy(name) }))

/** What follows the prefix is compared: that all of them share it makes none of them alike. */
const meantBy = (name: string): string => {
  const word = name.slice(PREFIX.length).replaceAll(/(?<=_)\d{1,2}(?=_)/g, '<N>')
  const meant = closest(
    word,
    SETTINGS.map((setting) => setting.variable.slice(PREFIX.length)),
  )
  return meant === undefined ? '' : ` (did you mean \`${PREFIX}${meant}\`?)`
}
