// Flags over variables over the file: one value, of which every part knows who wrote it. Defaults come later, from the
// schema, and are whatever nobody wrote.
import { pathText, type Origin, type Path } from './issue.ts'
import { assignmentOfFlag, assignmentOfVariable, type Assignment } from './setting.ts'

/** One value that was given outside of the file. */
interface Override extends Assignment {
  readonly origin: Exclude<Origin, { kind: 'file' } | { kind: 'default' }>
  readonly text: string
}

export interface OverrideFault {
  readonly origin: Origin
  readonly message: string
}

export interface Overridden {
  /** Variables that gave way to a flag, the nearest first. */
  readonly earlier: readonly Origin[]
  /** The whole of what was replaced, e.g. the reference to a secret of which one key was given. */
  readonly choice: Path
}

export interface Layers {
  readonly value: unknown
  /** Who overrode this value or something that holds it; undefined = nobody. */
  readonly overriddenBy: (path: Path) => Origin | undefined
  /** Who wrote anything below this path from outside the file; undefined = nobody. */
  readonly writtenBelow: (path: Path) => Origin | undefined
  /** What a variable or flag at this path took the place of; undefined where there is none. */
  readonly overriddenAt: (path: Path) => Overridden | undefined
  readonly faults: readonly OverrideFault[]
}

/** The environment, or a part of it. */
export type Environment = Readonly<Record<string, string | undefined>>

/**
 * Puts variables and flags over what the file says.
 * @param value of the file; is not changed
 * @param env an empty variable counts as not set
 * @param flags flag → text, e.g. `--session-idle` → `30m`. Never throws.
 */
export const layer = (value: unknown, env: Environment, flags: Readonly<Record<string, string>>): Layers => {
  const overrides = [...fromVariables(env), ...fromFlags(flags)]
  const faults: OverrideFault[] = []
  const written = new Map<string, Origin>()
  let layered = value
  for (const override of overrides) {
    const read = valueOf(override)
    if (read.kind === 'bad') faults.push({ origin: override.origin, message: read.why })
    else {
      layered = placed(layered, override, read.value, 0)
      written.set(pathText(override.path), override.origin)
    }
  }
  return {
    value: layered,
    faults,
    overriddenBy: (path) =>
      path
        .map((_, index) => written.get(pathText(path.slice(0, path.length - index))))
        .find((origin) => origin !== undefined),
    overriddenAt: (path) => {
      const over = overrides.filter((one) => one.path.every((step, index) => path[index] === step))
      const [last, ...earlier] = over.toReversed()
      return last === undefined
        ? undefined
        : { earlier: earlier.map(({ origin }) => origin), choice: last.path.slice(0, last.leaf.choiceDepth) }
    },
    writtenBelow: (path) =>
      overrides.find((one) => path.every((step, index) => one.path[index] === step))?.origin,
  }
}

const fromVariables = (env: Environment): readonly Override[] =>
  Object.entries(env)
    .flatMap(([name, text]): readonly Override[] => {
      const assignment = assignmentOfVariable(name)
      if (assignment === undefined || text === undefined || text === '') return []
      return [{ ...assignment, text, origin: { kind: 'variable', name } }]
    })
    .toSorted((a, b) => pathText(a.path).localeCompare(pathText(b.path), 'en', { numeric: true }))

const fromFlags = (flags: Readonly<Record<string, string>>): readonly Override[] =>
  Object.entries(flags).flatMap(([name, text]) => {
    const assignment = assignmentOfFlag(name)
    return assignment === undefined ? [] : [{ ...assignment, text, origin: { kind: 'flag', name } }]
  })

type Read =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'bad'; readonly why: string }

const valueOf = ({ path, leaf, text }: Override): Read => {
  const bad = (wanted: string): Read => ({ kind: 'bad', why: `\`${pathText(path)}\` must be ${wanted}` })
  switch (leaf.kind) {
    case 'text':
      return { kind: 'value', value: text }
    case 'list':
      return { kind: 'value', value: text.split(',').map((part) => part.trim()) }
    case 'number':
      return /^\d{1,15}$/.test(text) ? { kind: 'value', value: Number(text) } : bad('a whole number')
    case 'boolean':
      return text === 'true' || text === 'false'
        ? { kind: 'value', value: text === 'true' }
        : bad('`true` or `false`')
  }
}

/** A copy of the value with one part replaced. What stands in the way and is no map or list stays, to be complained of. */
const placed = (value: unknown, override: Override, part: unknown, depth: number): unknown => {
  const step = override.path[depth]
  if (step === undefined) return part
  // Of several shapes only the new one may remain: `{file: …}` gives way to `{env: …}`.
  const under = depth === override.leaf.choiceDepth ? undefined : (value ?? undefined)
  if (typeof step === 'number') {
    const list: readonly unknown[] | undefined =
      under === undefined ? [] : Array.isArray(under) ? under : undefined
    if (list === undefined || step > list.length) return value
    const next = placed(list[step], override, part, depth + 1)
    return [...list.slice(0, step), next, ...list.slice(step + 1)]
  }
  if (under !== undefined && (typeof under !== 'object' || Array.isArray(under))) return value
  const map: Readonly<Record<string, unknown>> = { ...under }
  return { ...map, [step]: placed(map[step], override, part, depth + 1) }
}
