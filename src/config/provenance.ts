// Who wrote each value of a configuration, and who wrote another one that did not count.
import { isDeepStrictEqual } from 'node:util'
import type { Origin, Path } from './issue.ts'
import type { JoinedSource } from './joined-source.ts'
import type { Layers } from './layers.ts'
import { valueAt } from './schema-issues.ts'

export interface Provenance {
  readonly originOf: (path: Path) => Origin
  /** Who says something else that did not count, the nearest first. */
  readonly replacedAt: (path: Path) => readonly Origin[]
}

/** Answers from the files and what was laid over them. Never throws. */
export const makeProvenance = (source: JoinedSource, layers: Layers): Provenance => ({
  originOf: (path) => layers.overriddenBy(path) ?? source.originOf(path) ?? { kind: 'default' },
  replacedAt: (path) => {
    const over = layers.overriddenAt(path)
    if (over === undefined) return source.replacedAt(path)
    const own = source.originOf(over.choice)
    const isSame = isDeepStrictEqual(valueAt(source.value, over.choice), valueAt(layers.value, over.choice))
    return [...over.earlier, ...(own === undefined || isSame ? [] : [own]), ...source.replacedAt(over.choice)]
  },
})
