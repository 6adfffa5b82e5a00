// A policy folder on disk → the bytes of the files that count. Read as one moment: a folder that changes while it is read
// is read again. ConfigMap volumes (names that start with `..`) are seen through their symlinks. It waits for the disk: a
// service that is running reads in a thread of its own.
import { isUtf8 } from 'node:buffer'
import { readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { namesThatCount, type FileRole, type Listed } from './folder-print.ts'
import { issueOfFile, type Fault, type PolicyFile, type PolicyIssue } from './issue.ts'
import { MAX_FILE_BYTES } from './yaml-fault.ts'

/** One file that counts. */
export interface FolderFile extends PolicyFile {
  /** The name inside the folder, which the revision covers. */
  readonly name: string
  readonly bytes: Uint8Array
  readonly role: FileRole
  /** What keeps the file from being read as text. */
  readonly fault: PolicyIssue | undefined
}

export type FolderReading =
  | {
      readonly kind: 'read'
      readonly files: readonly FolderFile[]
      readonly warnings: readonly PolicyIssue[]
    }
  | { readonly kind: 'refused'; readonly issues: readonly PolicyIssue[] }

const ATTEMPTS = 5

/**
 * Reads every file of a policy folder that counts, in the order of their names.
 * @param folder path as given
 * @returns bytes and texts, or why the folder cannot be read; never throws
 */
export const readFolder = (folder: string): FolderReading => {
  try {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const before = lookOf(folder)
      const reading = readOnce(folder)
      if (lookOf(folder) === before) return reading
    }
    return unreadable(folder, 'it changes while it is read', 'write it at once, and reload')
  } catch (error) {
    // Whatever the file system says: a folder that cannot be read whole is not read at all.
    return unreadable(folder, reasonOf(error), 'check the path and its permissions')
  }
}

const CODE_MEANING: Readonly<Record<string, string>> = {
  ENOENT: 'it is not there',
  ENOTDIR: 'it is not a folder',
  EACCES: 'its permissions forbid it',
  EPERM: 'its permissions forbid it',
  EISDIR: 'one of its files is a folder',
  ELOOP: 'its symlinks lead in a circle',
}

const reasonOf = (error: unknown): string => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
  return CODE_MEANING[code] ?? `the file system answers ${code}`
}

const unreadable = (folder: string, why: string, mend: string): FolderReading => ({
  kind: 'refused',
  issues: [issueOfFile(folder, { code: 'E00', what: 'the policy folder cannot be read', why, mend })],
})

const listed = (folder: string): readonly Listed[] => {
  const names = readdirSync(folder)
  const inside = join(folder, 'candidate')
  const candidates = names.includes('candidate') && statSync(inside).isDirectory() ? readdirSync(inside) : []
  return namesThatCount(names, candidates)
}

/** Two equal looks saw the same folder: names, sizes, times, and the files behind symlinks. */
const lookOf = (folder: string): string => {
  const rows = listed(folder).map(({ name }) => {
    const { ino, mtimeMs, ctimeMs, size } = statSync(join(folder, name))
    return [name, ino, mtimeMs, ctimeMs, size]
  })
  return JSON.stringify([realpathSync(folder), versionOf(folder), statSync(folder).ino, rows])
}

/** Where a ConfigMap volume points at; empty for any other folder. */
const versionOf = (folder: string): string => {
  try {
    return readlinkSync(join(folder, '..data'))
  } catch {
    return ''
  }
}

const readOnce = (folder: string): FolderReading => {
  const files = listed(folder).map((one) => fileOf(folder, one))
  const misspelt = readdirSync(folder).filter(
    (name) => /\.ya?ml$/i.test(name) && !name.endsWith('.yaml') && !name.startsWith('.'),
  )
  return { kind: 'read', files, warnings: misspelt.map((name) => issueOfFile(join(folder, name), NOT_READ)) }
}

const NOT_READ: Fault = {
  code: 'W24',
  what: 'this file is not read',
  why: 'only names that end in `.yaml` are',
  mend: 'rename it, or move it out of the folder',
}

const fileOf = (folder: string, { name, role }: Listed): FolderFile => {
  const path = join(folder, name)
  const { size } = statSync(path)
  // Longer files are refused unread.
  const bytes = size > MAX_FILE_BYTES ? new Uint8Array() : new Uint8Array(readFileSync(path))
  return folderFile(path, name, role, bytes, size)
}

/** Makes a file of the bytes that were read. Never throws. */
export const folderFile = (
  path: string,
  name: string,
  role: FileRole,
  bytes: Uint8Array,
  size = bytes.length,
): FolderFile => {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
  return { path, name, role, bytes, text, fault: bytesFault(path, text, bytes, size) }
}

const bytesFault = (path: string, text: string, bytes: Uint8Array, size: number): PolicyIssue | undefined => {
  if (size > MAX_FILE_BYTES)
    return issueOfFile(path, {
      code: 'E15',
      what: 'the file is longer than 1 MiB',
      why: 'one file holds one application',
      mend: 'split it',
    })
  if (isUtf8(bytes)) return undefined
  const lines = text.slice(0, text.indexOf('\uFFFD')).split('\n')
  const [line, col] = [lines.length, (lines.at(-1) ?? '').length + 1]
  const fault: Fault = {
    code: 'E15',
    what: 'the file is not UTF-8',
    why: 'its bytes could be read in several ways',
    mend: 'save it as UTF-8',
  }
  return { ...issueOfFile(path, fault), line, col, length: 1 }
}
