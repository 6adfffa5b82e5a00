// What a policy folder looks like from outside: enough to see that it changed, and whether whoever changed it may still be
// writing. Reads no content.
import { readdir, readlink, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'

export type FileRole = 'policy' | 'directory' | 'stages' | 'candidate'

export interface Listed {
  readonly name: string
  readonly role: FileRole
}

const roleOf = (name: string): FileRole | undefined => {
  if (name === 'directory.yaml') return 'directory'
  if (name === 'stages.yaml') return 'stages'
  if (name === 'acks.yaml' || name.startsWith('.') || !name.endsWith('.yaml')) return undefined
  return 'policy'
}

/** Names that count, sorted; `candidate/` with its YAML files. */
const listed = async (folder: string): Promise<readonly Listed[]> => {
  const names = await readdir(folder)
  const candidates = names.includes('candidate') ? await namesInside(join(folder, 'candidate')) : []
  return namesThatCount(names, candidates)
}

const namesInside = async (folder: string): Promise<readonly string[]> =>
  (await stat(folder)).isDirectory() ? readdir(folder) : []

/**
 * Chooses the names that count.
 * @param names in the folder
 * @param candidates names in `candidate/`
 */
export const namesThatCount = (names: readonly string[], candidates: readonly string[]): readonly Listed[] =>
  [
    ...names.flatMap((name): readonly Listed[] => {
      const role = roleOf(name)
      return role === undefined ? [] : [{ name, role }]
    }),
    ...candidates
      .filter((name) => name.endsWith('.yaml') && !name.startsWith('.'))
      .map((name): Listed => ({ name: `candidate/${name}`, role: 'candidate' })),
  ].toSorted((one, other) => (one.name < other.name ? -1 : 1))

interface Times {
  readonly inode: number
  readonly modifiedMs: number
  readonly changedMs: number
}

interface FilePrint extends Times {
  readonly size: number
}

/** One look at a folder. */
export interface FolderPrint {
  /** Two looks with the same text saw the same folder. */
  readonly text: string
  /** The folder behind symlinks, and the version that a ConfigMap volume points at. */
  readonly place: string
  readonly folder: Times
  readonly files: ReadonlyMap<string, FilePrint>
}

/** Looks at a folder: names, sizes, times and the files behind symlinks. Rejects where it cannot be looked at. */
export const folderPrint = async (path: string): Promise<FolderPrint> => {
  const names = (await listed(path)).map(({ name }) => name)
  const rows = await inTurns(names, async (name): Promise<readonly [string, FilePrint]> => {
    const found = await stat(join(path, name))
    return [name, { ...timesOf(found), size: found.size }]
  })
  const folder = timesOf(await stat(path))
  const version = await readlink(join(path, '..data')).catch(() => '')
  return printOf(`${await realpath(path)} ${version}`, folder, rows)
}

/** Puts together what was seen. */
const printOf = (
  place: string,
  folder: Times,
  rows: readonly (readonly [string, FilePrint])[],
): FolderPrint => ({
  // Times of the folder itself tell of files that do not count, too.
  text: JSON.stringify([place, folder.inode, rows]),
  place,
  folder,
  files: new Map(rows),
})

const timesOf = (found: { ino: number; mtimeMs: number; ctimeMs: number }): Times => ({
  inode: found.ino,
  modifiedMs: found.mtimeMs,
  changedMs: found.ctimeMs,
})

/**
 * Tells whether a file may still be under way: written where it stands, not put there whole. A rename, and the swap of a
 * symlink, is one step.
 * @param before what is in force; undefined where there was no folder
 */
export const isWrittenInPlace = (before: FolderPrint | undefined, now: FolderPrint): boolean => {
  if (before !== undefined && before.place !== now.place) return false
  if (before?.folder.inode !== now.folder.inode && isPutThere(now.folder)) return false
  return [...now.files].some(([name, file]) => {
    const old = before?.files.get(name)
    if (old?.inode !== file.inode) return !isPutThere(file)
    return old.size !== file.size || old.modifiedMs !== file.modifiedMs
  })
}

/** A rename touches the inode and not its content; within one tick of the clock the two cannot be told apart. */
const isPutThere = ({ modifiedMs, changedMs }: Times): boolean => changedMs > modifiedMs

const AT_ONCE = 32

/** Runs a task over all items, some at a time: thousands of files must not open thousands of descriptors. */
const inTurns = async <Item, Result>(
  items: readonly Item[],
  task: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> => {
  const results: Result[] = []
  for (let start = 0; start < items.length; start += AT_ONCE)
    results.push(...(await Promise.all(items.slice(start, start + AT_ONCE).map(task))))
  return results
}
