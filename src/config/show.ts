// The configuration in force, for a person or a program: every key with its value and, if asked, where that comes from.
// Secrets stay what they are in the settings: a name of a file or a variable.
import { Document, isMap, isScalar, isSeq } from 'yaml'
import { originText, pathText, type Origin, type Path } from './issue.ts'
import type { Settings } from './schema.ts'

/** What `config show` shows. */
export interface Shown {
  readonly settings: Settings
  readonly originOf: (path: Path) => Origin
  /** Who says something else that did not count, the nearest first. */
  readonly replacedAt: (path: Path) => readonly Origin[]
}

/** As YAML that could be the configuration file; `withOrigin` puts a comment behind each value. */
export const showYaml = (shown: Shown, withOrigin: boolean): string => {
  const document = new Document(withoutEmptyMaps(shown.settings))
  if (withOrigin) comment(document.contents, [], shown)
  return document.toString({ lineWidth: 0 })
}

/**
 * As JSON; `withOrigin` adds path → place for each value, and path → places of what did not count. Ends in a line break.
 */
export const showJson = ({ settings, originOf, replacedAt }: Shown, withOrigin: boolean): string => {
  if (!withOrigin) return `${JSON.stringify(settings, undefined, 2)}\n`
  const paths = leafPaths(settings, [])
  const origins = Object.fromEntries(paths.map((path) => [pathText(path), originText(originOf(path))]))
  const replaced = Object.fromEntries(
    paths
      .map((path) => [pathText(path), replacedAt(path).map(originText)] as const)
      .filter(([, places]) => places.length > 0),
  )
  return `${JSON.stringify({ settings, origins, replaced }, undefined, 2)}\n`
}

const comment = (node: unknown, path: Path, shown: Shown): void => {
  if (isMap(node))
    for (const { key, value } of node.items)
      comment(value, [...path, isScalar(key) ? String(key.value) : ''], shown)
  else if (isSeq(node))
    for (const [index, item] of node.items.entries()) comment(item, [...path, index], shown)
  else if (isScalar(node)) node.comment = ` ${provenance(path, shown)}`
}

/** `b.yaml:3:9, over a.yaml:4:9`: a value that somebody wrote and that does not count is a surprise to him. */
const provenance = (path: Path, { originOf, replacedAt }: Shown): string => {
  const replaced = replacedAt(path).map(originText)
  return replaced.length === 0
    ? originText(originOf(path))
    : `${originText(originOf(path))}, over ${replaced.join(', ')}`
}

/** Without the maps in which nothing was set. */
const withoutEmptyMaps = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(withoutEmptyMaps)
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, child]) => [key, withoutEmptyMaps(child)] as const)
      .filter(
        ([, child]) =>
          typeof child !== 'object' || Array.isArray(child) || Object.keys(child ?? {}).length > 0,
      ),
  )
}

const leafPaths = (value: unknown, path: Path): readonly Path[] => {
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0) return [path]
  return Object.entries(value).flatMap(([step, child]) =>
    leafPaths(child, [...path, Array.isArray(value) ? Number(step) : step]),
  )
}
