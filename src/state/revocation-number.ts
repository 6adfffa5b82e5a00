// The state's rising number, read from its file without opening it for writing: for a command that mints a session
// while the service runs.
import { readFile } from 'node:fs/promises'
import type { JournalSeal } from './journal.ts'
import { readLines } from './journal-lines.ts'
import { makeRevocationTable } from './revocations.ts'
import { fromRow } from './state-record.ts'

export type NumberReading =
  | { readonly kind: 'number'; readonly number: number }
  /** The file is there and cannot be trusted. */
  | { readonly kind: 'unreadable'; readonly why: string }

/**
 * Reads the number.
 * @param path of the state file; one that is not there yet has number 0
 * @param seal of the state's purpose. Never rejects.
 */
export const readRevocationNumber = async (
  path: string,
  seal: JournalSeal,
  nowSeconds: () => number,
): Promise<NumberReading> => {
  let content: Buffer
  try {
    content = await readFile(path)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    return code === 'ENOENT'
      ? { kind: 'number', number: 0 }
      : { kind: 'unreadable', why: `it cannot be read (${code})` }
  }
  const lines = readLines(content, seal)
  if (lines.kind === 'unreadable')
    return { kind: 'unreadable', why: `line ${lines.line} does not open with these session keys` }
  const table = makeRevocationTable(
    { entriesMax: Number.MAX_SAFE_INTEGER, keepSeconds: 0, keepBearerSeconds: 0 },
    nowSeconds,
  )
  for (const { row } of lines.rows) {
    const record = fromRow(row)
    if (record !== undefined) table.apply(record)
  }
  return { kind: 'number', number: table.number() }
}
