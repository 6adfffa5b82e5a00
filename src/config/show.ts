// The configuration in force, for a person or a program: every key with its value and, if asked, where that comes from.
// Secrets stay what they are in the settings: a name of a file or a variable.
import { Document, isMap, isScalar, isSeq } from 'yaml'
import { originText, pathText, type Origin, type Path } from './issue.ts'
import type { Settings } from './schema.ts'

/** What `config show` shows. */
export interface Shown {
  readonly settings: Settings
  readonly originOf: (path: Path) => Origin
}

/** As YAML that could be the configuration file; `withOrigin` puts a comment behind each value. */
export const showYaml = ({ settings, originOf }: Shown, withOrigin: boolean): string => {
  const document = new Document(withoutEmptyMaps(settings))
  if (withOrigin) comment(document.contents, [], originOf)
  return document.toString({ lineWidth: 0 })
}

/** As JSON; `withOrigin` adds path → place for each value. Ends in a line break. */
export const showJson = ({ settings, originOf }: Shown, withOrigin: boolean): string => {
  const origins = Object.fromEntries(
    leafPaths(settings, []).map((path) => [pathText(path), originText(originOf(path))]),
  )
  return `${JSON.stringify(withOrigin ? { settings, origins } : settings, undefined, 2)}\n`
}

const comment = (node: unknown, path: Path, originOf: (path: Path) => Origin): void => {
  if (isMap(node))
    for (const { key, value } of node.items)
      comment(value, [...path, isScalar(key) ? String(key.value) : ''], originOf)
  else if (isSeq(node))
    for (const [index, item] of node.items.entries()) comment(item, [...path, index], originOf)
  else if (isScalar(node)) node.comment = ` ${originText(originOf(path))}`
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
