// The files that make up a configuration: those that were named, and of a named folder the YAML files in it, by name.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { ConfigIssue } from './issue.ts'
import type { NamedSource } from './joined-source.ts'
import { faultOf } from './secret-source.ts'
import { readYaml } from './yaml-source.ts'

export type FilesReading =
  | { readonly kind: 'read'; readonly sources: readonly NamedSource[] }
  /** Never empty; in the order of the files. */
  | { readonly kind: 'unreadable'; readonly issues: readonly ConfigIssue[] }

/**
 * Reads every file.
 * @param names paths of files and folders, as the operator named them, in the order in which later ones win
 * @returns their sources, or everything that keeps them from being read. Never throws.
 */
export const readFiles = (names: readonly string[]): FilesReading => {
  const readings = names.flatMap(filesOf).map((one) => (one.kind === 'file' ? readOne(one.file) : one))
  const issues = readings.flatMap((one) => (one.kind === 'bad' ? one.issues : []))
  const sources = readings.flatMap((one) => (one.kind === 'source' ? [one.source] : []))
  const strays = sources.length > 1 ? sources.filter(isNoMap).map(strayIssue) : []
  return issues.length + strays.length > 0
    ? { kind: 'unreadable', issues: [...issues, ...strays] }
    : { kind: 'read', sources }
}

type Bad = { readonly kind: 'bad'; readonly issues: readonly ConfigIssue[] }

const filesOf = (name: string): readonly ({ readonly kind: 'file'; readonly file: string } | Bad)[] => {
  try {
    if (!statSync(name).isDirectory()) return [{ kind: 'file', file: name }]
    const inside = readdirSync(name)
      .filter((one) => /^[^.].*\.ya?ml$/.test(one))
      .toSorted()
    return inside.length === 0
      ? [bad(name, 'this folder holds no configuration; put files into it whose names end in `.yaml`')]
      : inside.map((one) => ({ kind: 'file' as const, file: join(name, one) }))
  } catch (error) {
    return [unreadable(name, error)]
  }
}

const readOne = (file: string): { readonly kind: 'source'; readonly source: NamedSource } | Bad => {
  try {
    const source = readYaml(readFileSync(file, 'utf8'), file)
    return source.issues.length > 0
      ? { kind: 'bad', issues: source.issues }
      : { kind: 'source', source: { file, source } }
  } catch (error) {
    return unreadable(file, error)
  }
}

const unreadable = (file: string, error: unknown): Bad =>
  bad(file, `cannot read the configuration: ${faultOf(error)}; name another one with \`-c FILE\``)

const bad = (file: string, message: string): Bad => ({
  kind: 'bad',
  issues: [{ origin: { kind: 'file', file, line: 1, column: 1 }, message, excerpt: undefined }],
})

/** Between others it would replace all that stands before it, or give way without a word. */
const isNoMap = ({ source: { value } }: NamedSource): boolean =>
  value !== undefined && value !== null && (typeof value !== 'object' || Array.isArray(value))

const strayIssue = ({ file }: NamedSource): ConfigIssue => ({
  origin: { kind: 'file', file, line: 1, column: 1 },
  message: 'this file is no map of keys; is it one of the configuration?',
  excerpt: undefined,
})
