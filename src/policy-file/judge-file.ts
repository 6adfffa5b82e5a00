// What one file of a policy folder is when it is judged by itself: its route, its faults, and what it claims for itself.
// It depends on the file and the directory alone, so that it can be kept for as long as neither of them changes.
import { createHash } from 'node:crypto'
import type { Route } from '../policy/route.ts'
import { compilePolicy } from './compile.ts'
import type { Directory } from './directory.ts'
import type { FolderFile } from './folder.ts'
import type { PolicyFile, PolicyIssue } from './issue.ts'
import { ownedPlaces, type Claimant } from './ownership.ts'
import { parsePolicy, type PolicyDocument } from './parse.ts'
import { stagingIssues } from './staging-law.ts'

/** Plain data, so that a thread can send it. */
export interface JudgedFile extends Claimant {
  /** Digest of everything that the rest depends on. */
  readonly key: string
  /** Undefined where the file breaks a law, or is no policy. */
  readonly route: Route | undefined
  readonly issues: readonly PolicyIssue[]
}

/** A judged file with its document, for those who judge further. */
export interface FileJudgement {
  readonly judged: JudgedFile
  readonly document: PolicyDocument | undefined
}

/**
 * A key for everything that the judgement of a file depends on: its bytes, its name, its part in the folder, the directory.
 * @param directoryDigest of the folder's `directory.yaml`
 */
export const fileKey = ({ path, role, bytes }: FolderFile, directoryDigest: string): string =>
  createHash('sha256')
    .update(`${directoryDigest} ${role} ${Buffer.byteLength(path)}:${path}`)
    .update(bytes)
    .digest('base64url')

/** Digest of the directory of a folder; another one where the folder has none. */
export const directoryDigest = (files: readonly FolderFile[]): string => {
  const file = files.find((one) => one.role === 'directory')
  return file === undefined ? 'none' : createHash('sha256').update(file.bytes).digest('base64url')
}

/**
 * Judges one file by every law that looks at one file.
 * @param file readable text, untrusted
 * @param key its `fileKey`
 * @returns its route, or every issue; never throws
 */
export const judgeFile = (file: FolderFile, key: string, directory: Directory): FileJudgement => {
  // The bytes are not kept.
  const text: PolicyFile = { path: file.path, text: file.text }
  const outcome = (
    issues: readonly PolicyIssue[],
    document?: PolicyDocument,
    route?: Route,
  ): FileJudgement => ({
    judged: { key, file: text, route, issues, owned: document === undefined ? [] : ownedPlaces(document) },
    document,
  })
  if (file.role !== 'policy') return outcome(stagingIssues([file]))
  const parsed = parsePolicy(text)
  if (parsed.kind === 'refused') return outcome(parsed.issues)
  const compiled = compilePolicy(parsed.document, directory)
  return compiled.kind === 'refused'
    ? outcome(compiled.issues, parsed.document)
    : outcome([], parsed.document, compiled.route)
}
