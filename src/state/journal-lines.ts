// The lines of a state file, read back: each opens only in its own file and at its own place.
import type { JournalSeal } from './journal.ts'

/** Context of the line that names the file. */
export const FIRST_LINE: readonly string[] = ['first']

/** Context of every other line: the file it belongs to, and its place there, counted from 1. */
export const lineContext = (fileId: string, index: number): readonly string[] => [fileId, String(index)]

export type JournalContent =
  | {
      readonly kind: 'read'
      readonly rows: readonly { readonly line: number; readonly row: unknown }[]
      /** Bytes after the last whole line: a write that a crash cut off, and that nobody was told was done. */
      readonly tornBytes: number
    }
  /** `line` counts from 1, as an editor does. */
  | { readonly kind: 'unreadable'; readonly line: number }

/**
 * Opens every line of a state file.
 * @param content untrusted bytes
 * @returns the rows in order, or the first line that does not open. An empty file is unreadable: none is ever written
 *   empty. Never throws.
 */
export const readLines = (content: Buffer, seal: JournalSeal): JournalContent => {
  const end = content.lastIndexOf(0x0a)
  const [first, ...others] = content.subarray(0, Math.max(end, 0)).toString('latin1').split('\n')
  const head = rowsOf(seal, first ?? '', FIRST_LINE)
  const fileId = head?.[0]
  if (typeof fileId !== 'string') return { kind: 'unreadable', line: 1 }
  const rows: { readonly line: number; readonly row: unknown }[] = []
  for (const [index, text] of others.entries()) {
    const found = rowsOf(seal, text, lineContext(fileId, index + 1))
    if (found === undefined) return { kind: 'unreadable', line: index + 2 }
    for (const row of found) rows.push({ line: index + 2, row })
  }
  return { kind: 'read', rows, tornBytes: content.length - end - 1 }
}

const rowsOf = (
  seal: JournalSeal,
  line: string,
  context: readonly string[],
): readonly unknown[] | undefined => {
  const plain = seal.open(line, context)
  if (plain === undefined) return undefined
  try {
    const rows: unknown = JSON.parse(plain)
    return Array.isArray(rows) ? rows : undefined
  } catch {
    return undefined
  }
}
