// The names of files that were full: `decisions.ndjson` becomes `decisions.000001.ndjson`. Numbers only rise, whatever
// the clock does, so that names sort as the files were written, the open one last.
import { readdir, rename, unlink } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { codeOf } from './error-code.ts'

const DIGITS = 6

/** One file that was full. */
interface RotatedFile {
  readonly path: string
  readonly number: number
}

/** Names of the files in a folder; rejects where it cannot be read. */
type List = (folder: string) => Promise<readonly string[]>

/** The full files of a log, oldest first; rejects where the folder cannot be read: that is not the same as none. */
export const rotatedFiles = async (path: string, list: List = readdir): Promise<readonly RotatedFile[]> => {
  const folder = dirname(path)
  const names = await list(folder)
  return names
    .map((name) => ({ path: join(folder, name), number: numberOf(name, basename(path)) }))
    .filter((file): file is RotatedFile => file.number !== undefined)
    .toSorted((one, other) => one.number - other.number)
}

const numberOf = (name: string, base: string): number | undefined => {
  const extension = extname(base)
  const stem = `${base.slice(0, base.length - extension.length)}.`
  if (!name.startsWith(stem) || !name.endsWith(extension)) return undefined
  const middle = name.slice(stem.length, name.length - extension.length)
  return /^\d{6,15}$/.test(middle) ? Number(middle) : undefined
}

/**
 * Gives the file the next number; nothing where it is gone already: an earlier try moved it, or somebody else did.
 * Rejects where its number cannot be found out, or it cannot be renamed.
 */
export const moveAside = async (path: string, list: List = readdir): Promise<void> => {
  const last = (await rotatedFiles(path, list)).at(-1)?.number ?? 0
  const extension = extname(path)
  const number = String(last + 1).padStart(DIGITS, '0')
  const moved = `${path.slice(0, path.length - extension.length)}.${number}${extension}`
  await rename(path, moved).catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw error
  })
}

/** Deletes the oldest full files but for the last `keep`; rejects where one cannot be deleted. */
export const deleteOldest = async (path: string, keep: number): Promise<void> => {
  const files = await rotatedFiles(path)
  for (const file of files.slice(0, Math.max(0, files.length - keep))) await unlink(file.path)
}
