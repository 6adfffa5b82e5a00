// The state file: sealed lines, appended and synced before anybody is told "done", compacted by rename. Each line is
// bound to its file and place, so none can be edited, dropped, moved or brought back. What does not open stops the
// start: a revocation that nobody can read must not end quietly.
import { randomBytes } from 'node:crypto'
import { open, readFile, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { FIRST_LINE, lineContext, readLines } from './journal-lines.ts'

/** Hides and binds lines; the seal of sessions under a purpose of its own fits. */
export interface JournalSeal {
  readonly seal: (plain: string, context: readonly string[]) => string
  readonly open: (text: string, context: readonly string[]) => string | undefined
}

export interface JournalSettings {
  readonly path: string
  readonly seal: JournalSeal
  /** Takes one row that the file held. @returns false where it has no meaning, which refuses the file. */
  readonly accept: (row: unknown) => boolean
  /** All rows that are still needed, whenever the file is rewritten. */
  readonly snapshot: () => readonly unknown[]
  /** A file shorter than this is not rewritten while it grows. */
  readonly compactFromBytes: number
}

export type Appended = { readonly kind: 'durable' } | { readonly kind: 'failed'; readonly why: string }

export interface Journal {
  /**
   * Writes rows down. Rows of calls that come while a sync is under way share the next one.
   * @returns once they are on disk, or why they are not. Never rejects.
   */
  readonly append: (rows: readonly unknown[]) => Promise<Appended>
  /** Why the last write failed; the next one that succeeds makes up for it. */
  readonly fault: () => string | undefined
  /** Waits for what was appended. Later appends fail. Never rejects. */
  readonly close: () => Promise<void>
}

export type JournalOpening =
  | { readonly kind: 'opened'; readonly journal: Journal; readonly notice: string | undefined }
  | { readonly kind: 'refused'; readonly why: string }

interface Writable {
  readonly handle: FileHandle
  readonly inode: number
  readonly fileId: string
  /** Lines and bytes that are known to be good. */
  lines: number
  bytes: number
  readonly bytesAtStart: number
}

interface Waiting {
  readonly rows: readonly unknown[]
  readonly done: (result: Appended) => void
}

const ROWS_PER_LINE = 500
const DURABLE: Appended = { kind: 'durable' }

/**
 * Reads the state file, or begins one, and rewrites it without what is no longer needed.
 * @returns `opened`, with a notice where a write had been cut off by a crash and was dropped; `refused` where the file
 *   cannot be read, opened or written. Never rejects.
 */
export const openJournal = async (settings: JournalSettings): Promise<JournalOpening> => {
  try {
    const content = await readFile(settings.path).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return undefined
      throw error
    })
    const notice = content === undefined ? undefined : takeOver(content, settings)
    if (notice?.kind === 'refused') return notice
    return {
      kind: 'opened',
      journal: writeJournal(settings, await rewrite(settings)),
      notice: notice?.notice,
    }
  } catch (error) {
    return {
      kind: 'refused',
      why: `state file \`${settings.path}\`: ${codeOf(error)}; its folder must be writable for this process`,
    }
  }
}

type Taken =
  | { readonly kind: 'taken'; readonly notice: string | undefined }
  | { readonly kind: 'refused'; readonly why: string }

const takeOver = (content: Buffer, settings: JournalSettings): Taken => {
  const refused = (line: number, what: string): Taken => ({
    kind: 'refused',
    why:
      `state file \`${settings.path}\`: line ${line} ${what}; restore the file or the key it was written under, ` +
      `or move it away and revoke again what it had revoked`,
  })
  const read = readLines(content, settings.seal)
  if (read.kind === 'unreadable') return refused(read.line, 'does not open: edited, or sealed by another key')
  for (const { line, row } of read.rows) {
    if (!settings.accept(row)) return refused(line, 'holds something unknown')
  }
  const notice =
    read.tornBytes === 0
      ? undefined
      : `state file \`${settings.path}\`: the last write was cut off and is dropped (${read.tornBytes} bytes)`
  return { kind: 'taken', notice }
}

/** Writes all that is needed into a new file and puts it in the place of the old one. */
const rewrite = async (settings: JournalSettings): Promise<Writable> => {
  const fileId = randomBytes(16).toString('base64url')
  const { seal, path } = settings
  const lines = [seal.seal(JSON.stringify([fileId]), FIRST_LINE)]
  const rows = settings.snapshot()
  for (let start = 0; start < rows.length; start += ROWS_PER_LINE) {
    const part = JSON.stringify(rows.slice(start, start + ROWS_PER_LINE))
    lines.push(seal.seal(part, lineContext(fileId, lines.length)))
  }
  const temporary = `${path}.new`
  await rm(temporary, { force: true })
  const handle = await open(temporary, 'wx', 0o600)
  try {
    const bytes = Buffer.from(`${lines.join('\n')}\n`)
    await writeAll(handle, bytes, 0)
    await handle.sync()
    await rename(temporary, path)
    await syncFolder(path)
    const { ino } = await handle.stat()
    return {
      handle,
      inode: ino,
      fileId,
      lines: lines.length,
      bytes: bytes.length,
      bytesAtStart: bytes.length,
    }
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** A rename is only durable with its folder. */
const syncFolder = async (path: string): Promise<void> => {
  const folder = await open(dirname(path), 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

const writeJournal = (settings: JournalSettings, opened: Writable): Journal => {
  let file = opened
  let closed = false
  let fault: string | undefined
  let waiting: Waiting[] = []
  let running: Promise<void> | undefined

  const flush = async (): Promise<void> => {
    while (waiting.length > 0) {
      const group = waiting
      waiting = []
      // One after another on purpose: the order of lines is what binds them.
      // oxlint-disable-next-line no-await-in-loop
      const result = await attempt(group.flatMap((one) => one.rows))
      for (const one of group) one.done(result)
    }
    running = undefined
  }

  const attempt = async (rows: readonly unknown[]): Promise<Appended> => {
    try {
      await mustBeOurs(settings.path, file)
      if (fault === undefined && file.bytes < Math.max(settings.compactFromBytes, 4 * file.bytesAtStart)) {
        await writeLine(settings.seal, file, rows)
      } else {
        // The tables already know the waiting rows, and those that failed, so the snapshot holds them.
        const before = file
        file = await rewrite(settings)
        await before.handle.close()
      }
      fault = undefined
      return DURABLE
    } catch (error) {
      fault = `state file \`${settings.path}\` was not written: ${codeOf(error)}`
      return { kind: 'failed', why: fault }
    }
  }

  return {
    append: (rows) => {
      if (closed) return Promise.resolve({ kind: 'failed', why: 'the state file is closed' })
      return new Promise((resolve) => {
        waiting.push({ rows, done: resolve })
        running ??= flush()
      })
    },
    fault: () => fault,
    close: async () => {
      closed = true
      await running
      await file.handle.close().catch(() => undefined)
    },
  }
}

const writeLine = async (seal: JournalSeal, file: Writable, rows: readonly unknown[]): Promise<void> => {
  const line = seal.seal(JSON.stringify(rows), lineContext(file.fileId, file.lines))
  const bytes = Buffer.from(`${line}\n`)
  try {
    await writeAll(file.handle, bytes, file.bytes)
    await file.handle.datasync()
  } catch (error) {
    // Half a line in front of the next one would make both unreadable.
    await file.handle.truncate(file.bytes).catch(() => undefined)
    throw error
  }
  file.lines += 1
  file.bytes += bytes.length
}

/** A full disk may take a part without an error. */
const writeAll = async (handle: FileHandle, bytes: Buffer, position: number): Promise<void> => {
  let written = 0
  while (written < bytes.length) {
    // oxlint-disable-next-line no-await-in-loop -- each write starts where the last one ended
    const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, position + written)
    written += bytesWritten
  }
}

/** Two writers would each bind lines to places that the other one took. */
const mustBeOurs = async (path: string, file: Writable): Promise<void> => {
  const found = await stat(path)
  if (found.ino === file.inode && found.size === file.bytes) return
  throw Object.assign(new Error('another writer'), { code: 'another process writes to it' })
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown fault'
