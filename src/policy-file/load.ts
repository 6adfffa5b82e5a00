// Files of one folder → a policy set, all or nothing. The same load serves the running service, `check`, `test` and
// `explain`; whether a set loads depends on its bytes only.
import { createHash } from 'node:crypto'
import type { PolicySet } from '../policy/policy-set.ts'
import { allSteps } from '../policy/steps.ts'
import { assembleSteps } from './assemble.ts'
import { compileDirectory, NO_DIRECTORY, type Directory, type DirectoryReading } from './directory.ts'
import { readFolder, type FolderFile } from './folder.ts'
import { byPlace, type PolicyFile, type PolicyIssue } from './issue.ts'
import { directoryDigest, fileKey, judgeFile, type JudgedFile } from './judge-file.ts'
import type { PolicyDocument } from './parse.ts'

/** A folder that loads. */
export interface LoadedPolicies {
  readonly kind: 'loaded'
  readonly set: PolicySet
  /** Every file that counts, `directory.yaml` included. */
  readonly files: readonly PolicyFile[]
  /** The same files as they were judged, so that a later load need not judge them again. */
  readonly judged: readonly JudgedFile[]
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
  const read = readFolder(folder)
  if (read.kind === 'refused') return { kind: 'refused', revision: undefined, files: [], issues: read.issues }
  return loadFiles(read.files, folder, read.warnings)
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
    issues,
  })
  const opened = openFiles(files)
  if (opened.kind === 'refused') return refused(opened.issues)
  const { directory } = opened
  const digest = directoryDigest(files)
  const judgements = files.map((file) => judgeFile(file, fileKey(file, digest), directory))
  const judged = judgements.map((one) => one.judged)
  const assembled = allSteps(assembleSteps({ folder, revision, files: judged }, undefined))
  if (assembled.kind === 'refused') return refused(assembled.issues)
  const documents = judgements.flatMap((one) => one.document ?? [])
  return {
    kind: 'loaded',
    set: assembled.set,
    files: judged.map(({ file }) => file),
    judged,
    documents,
    directory,
    warnings,
  }
}

/** The directory that the files are judged by; or what keeps every one of them from being judged. Never throws. */
export const openFiles = (files: readonly FolderFile[]): DirectoryReading => {
  const unreadable = files.flatMap(({ fault }) => fault ?? [])
  if (unreadable.length > 0) return { kind: 'refused', issues: unreadable.toSorted(byPlace) }
  const file = files.find((one) => one.role === 'directory')
  if (file === undefined) return { kind: 'compiled', directory: NO_DIRECTORY }
  const reading = compileDirectory(file)
  return reading.kind === 'refused' ? { ...reading, issues: reading.issues.toSorted(byPlace) } : reading
}

/** Hash over names and bytes, each with its length: moving a byte from one file to the next is another revision. */
export const revisionOf = (files: readonly FolderFile[]): string => {
  const hash = createHash('sha256')
  for (const { name, bytes } of files)
    hash.update(`${Buffer.byteLength(name)}:${name}${bytes.length}:`).update(bytes)
  return `p:${hash.digest('hex').slice(0, 16)}`
}
