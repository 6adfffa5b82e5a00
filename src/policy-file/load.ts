// Files of one folder → a policy set, all or nothing. The same load serves the running service, `check`, `test` and
// `explain`; whether a set loads depends on its bytes only.
import { createHash } from 'node:crypto'
import type { PolicySet } from '../policy/policy-set.ts'
import { indexRoutes } from '../policy/policy-set.ts'
import type { Route } from '../policy/route.ts'
import { compilePolicy } from './compile.ts'
import { compileDirectory, NO_DIRECTORY, type Directory } from './directory.ts'
import { readFolder, type FolderFile } from './folder.ts'
import { byPlace, issueOfFile, type PolicyFile, type PolicyIssue } from './issue.ts'
import { ownershipIssues } from './ownership.ts'
import { parsePolicy, type PolicyDocument } from './parse.ts'
import { stagingIssues } from './staging-law.ts'

/** A folder that loads. */
export interface LoadedPolicies {
  readonly kind: 'loaded'
  readonly set: PolicySet
  /** Every file that counts, `directory.yaml` included. */
  readonly files: readonly PolicyFile[]
  readonly documents: readonly PolicyDocument[]
  readonly directory: Directory
  readonly warnings: readonly PolicyIssue[]
}

export interface RefusedPolicies {
  readonly kind: 'refused'
  /** Content hash of what was refused; undefined where the folder could not be read. */
  readonly revision: string | undefined
  readonly files: readonly PolicyFile[]
  readonly issues: readonly PolicyIssue[]
}

export type Load = LoadedPolicies | RefusedPolicies

/**
 * Loads a policy folder.
 * @param folder path of the folder; shown in front of file names as given
 * @returns the whole set, or every issue that keeps it from loading; never throws, never rejects
 */
export const loadPolicies = async (folder: string): Promise<Load> => {
  const read = await readFolder(folder)
  if (read.kind === 'refused') return { kind: 'refused', revision: undefined, files: [], issues: read.issues }
  return loadFiles(read.files, folder, read.warnings)
}

/**
 * The same, unless the folder holds a known revision.
 * @param known revision that need not be compiled again
 */
export const loadFolder = async (
  folder: string,
  known: string | undefined,
): Promise<Load | { readonly kind: 'unchanged'; readonly revision: string }> => {
  const read = await readFolder(folder)
  if (read.kind === 'refused') return { kind: 'refused', revision: undefined, files: [], issues: read.issues }
  const revision = revisionOf(read.files)
  return revision === known ? { kind: 'unchanged', revision } : loadFiles(read.files, folder, read.warnings)
}

/**
 * Loads files that were read already.
 * @param files untrusted bytes, in the order of their names
 * @param folder what a complaint about the folder as a whole names
 * @returns the whole set, or every issue that keeps it from loading; never throws
 */
export const loadFiles = (
  files: readonly FolderFile[],
  folder: string,
  warnings: readonly PolicyIssue[] = [],
): Load => {
  const revision = revisionOf(files)
  const texts = files.map(({ path, text }): PolicyFile => ({ path, text }))
  const refused = (issues: readonly PolicyIssue[]): RefusedPolicies => ({
    kind: 'refused',
    revision,
    files: texts,
    issues: issues.toSorted(byPlace),
  })
  const early = files.flatMap((file) => file.fault).filter((issue) => issue !== undefined)
  if (early.length > 0) return refused(early)
  const directory = directoryOf(files)
  if (directory.kind === 'refused') return refused(directory.issues)
  const parsed = files.filter((file) => file.role === 'policy').map(parsePolicy)
  const documents = parsed.flatMap((one) => (one.kind === 'parsed' ? [one.document] : []))
  const compiled = documents.map((document) => compilePolicy(document, directory.directory))
  const issues = [
    ...stagingIssues(files),
    ...[...parsed, ...compiled].flatMap((one) => (one.kind === 'refused' ? one.issues : [])),
    ...ownershipIssues(documents),
  ]
  if (issues.length > 0) return refused(issues)
  const routes = compiled.flatMap((one): readonly Route[] => (one.kind === 'compiled' ? [one.route] : []))
  if (routes.length === 0) return refused([emptyFolder(folder)])
  const set = indexRoutes(routes, revision)
  return { kind: 'loaded', set, files: texts, documents, directory: directory.directory, warnings }
}

const emptyFolder = (folder: string): PolicyIssue =>
  issueOfFile(folder, {
    code: 'E00',
    what: 'no policy file',
    why: 'without a route every request is denied',
    mend: 'write one file per application, like `grafana.yaml`',
  })

const directoryOf = (
  files: readonly FolderFile[],
):
  | { readonly kind: 'compiled'; readonly directory: Directory }
  | { readonly kind: 'refused'; readonly issues: readonly PolicyIssue[] } => {
  const file = files.find((one) => one.role === 'directory')
  return file === undefined ? { kind: 'compiled', directory: NO_DIRECTORY } : compileDirectory(file)
}

/** Hash over names and bytes, each with its length: moving a byte from one file to the next is another revision. */
export const revisionOf = (files: readonly FolderFile[]): string => {
  const hash = createHash('sha256')
  for (const { name, bytes } of files)
    hash.update(`${Buffer.byteLength(name)}:${name}${bytes.length}:`).update(bytes)
  return `p:${hash.digest('hex').slice(0, 16)}`
}
