// What the callers were told, held against what had to be and against what the log holds.
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'

export interface Told {
  readonly who: string
  readonly path: string
  readonly status: number
  readonly id: string
}

export interface Ledger {
  /** Takes an answer. @param expected the statuses that are right; anything else is a finding */
  readonly take: (told: Told, expected: readonly number[]) => void
  readonly note: (finding: string) => void
  readonly answers: () => number
  readonly byStatus: () => Readonly<Record<string, number>>
  readonly findings: () => readonly string[]
  /** Reads the log: every answer must have its one line, and no number may be missing. @returns what is wrong */
  readonly compareWith: (files: readonly string[]) => Promise<readonly string[]>
}

const FINDINGS_MAX = 50

export const makeLedger = (): Ledger => {
  const ids = new Set<string>()
  const counts: Record<string, number> = {}
  const found: string[] = []
  const note = (finding: string): void => {
    if (found.length < FINDINGS_MAX) found.push(finding)
  }
  return {
    note,
    take: (told, expected) => {
      if (ids.has(told.id)) note(`the id ${told.id} was given twice`)
      ids.add(told.id)
      counts[told.status] = (counts[told.status] ?? 0) + 1
      if (!expected.includes(told.status))
        note(`${told.who} got ${told.status} for ${told.path} (${told.id}), not ${expected.join(' or ')}`)
    },
    answers: () => ids.size,
    byStatus: () => ({ ...counts }),
    findings: () => found,
    compareWith: async (files) => {
      const wrong: string[] = []
      const missing = new Set(ids)
      let last = 0
      for (const file of files) {
        for await (const line of createInterface({ input: createReadStream(file) })) {
          const record = JSON.parse(line) as Readonly<Record<string, unknown>>
          if (record['type'] === 'decision') missing.delete(String(record['id']))
          if (typeof record['seq'] !== 'number') continue
          if (record['seq'] !== last + 1) wrong.push(`after line ${last} comes ${String(record['seq'])}`)
          last = record['seq']
        }
      }
      if (missing.size > 0) wrong.push(`${missing.size} decisions have no line, e.g. ${[...missing][0]}`)
      return wrong
    },
  }
}
