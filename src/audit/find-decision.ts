// Finds one decision in the files of a log, by its id, without holding more of them than a piece.
import { createReadStream } from 'node:fs'
import { codeOf } from './error-code.ts'
import { forEachLine } from './read-lines.ts'
import { readLine, type DecisionLine } from './read.ts'

export type DecisionSearch =
  | { readonly kind: 'found'; readonly line: DecisionLine; readonly file: string; readonly number: number }
  | { readonly kind: 'not-found' }
  /** A file that cannot be read, or a line with this id that is no whole decision. */
  | { readonly kind: 'unreadable'; readonly why: string }

/**
 * Looks for the first decision with an id.
 * @param files one after the other. Never rejects.
 */
export const findDecision = async (files: readonly string[], id: string): Promise<DecisionSearch> => {
  for (const file of files) {
    const search = await findInFile(file, id)
    if (search.kind !== 'not-found') return search
  }
  return { kind: 'not-found' }
}

const findInFile = async (file: string, id: string): Promise<DecisionSearch> => {
  const mark = `"id":${JSON.stringify(id)}`
  let number = 0
  let search: DecisionSearch = { kind: 'not-found' }
  try {
    await forEachLine(createReadStream(file, { highWaterMark: 1_048_576 }), (bytes) => {
      number += 1
      // Most lines are others': none of them is parsed.
      if (!bytes.includes(mark)) return undefined
      search = searchOf(bytes.toString('utf8').trimEnd(), id, file, number)
      return search.kind === 'not-found' ? undefined : 'stop'
    })
  } catch (error) {
    return { kind: 'unreadable', why: `cannot read \`${file}\`: ${codeOf(error)}` }
  }
  return search
}

const searchOf = (text: string, id: string, file: string, number: number): DecisionSearch => {
  const read = readLine(text, number)
  switch (read.kind) {
    case 'decision':
      return read.line.id === id ? { kind: 'found', line: read.line, file, number } : { kind: 'not-found' }
    case 'event':
      return { kind: 'not-found' }
    case 'foreign':
      return { kind: 'unreadable', why: `${file}:${number}: ${read.why}` }
  }
}
