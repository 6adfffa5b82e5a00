// Checks the files of a log as they lie on a disk, or as they come by a pipe. Reads each once, a piece at a time.
import { createReadStream } from 'node:fs'
import { codeOf } from './error-code.ts'
import { inOrderOfWriting, readEnds, type FileEnds } from './file-order.ts'
import { forEachLine } from './read-lines.ts'
import type { Listener } from './verify-finding.ts'
import { LogVerifier, type VerifiedLog, type VerifyOptions } from './verify.ts'

/** Standard input, as a name of a file. */
export const STANDARD_INPUT = '-'

export type FileVerdict =
  | { readonly kind: 'read'; readonly files: readonly string[]; readonly log: VerifiedLog }
  /** A file that cannot be read, or files that are no log together. */
  | { readonly kind: 'unreadable'; readonly why: string }

/**
 * Verifies a log.
 * @param files in any order: the log itself says in which one they were written
 * @param listener hears of findings and notes while the files are read. Never rejects.
 */
export const verifyFiles = async (
  files: readonly string[],
  options: VerifyOptions,
  listener: Listener,
  input: AsyncIterable<Uint8Array>,
): Promise<FileVerdict> => {
  const ordered = files.includes(STANDARD_INPUT) ? inputAlone(files) : await orderFiles(files)
  if (typeof ordered === 'string') return { kind: 'unreadable', why: ordered }
  const verifier = new LogVerifier(options, listener)
  for (const file of ordered) {
    verifier.file(file)
    const source = file === STANDARD_INPUT ? input : createReadStream(file, { highWaterMark: 1_048_576 })
    try {
      await forEachLine(source, (bytes, isComplete) => {
        verifier.line(bytes, isComplete)
        return undefined
      })
    } catch (error) {
      return { kind: 'unreadable', why: `cannot read \`${file}\`: ${codeOf(error)}` }
    }
  }
  return { kind: 'read', files: ordered, log: verifier.finish() }
}

const inputAlone = (files: readonly string[]): readonly string[] | string =>
  files.length === 1 ? files : '`-` is standard input, and stands alone'

/** The files in their order, or why they have none. */
const orderFiles = async (files: readonly string[]): Promise<readonly string[] | string> => {
  const ends: FileEnds[] = []
  for (const file of files) {
    try {
      ends.push(await readEnds(file))
    } catch (error) {
      return `cannot read \`${file}\`: ${codeOf(error)}`
    }
  }
  const twice = ends.find((one, index) => ends.findIndex(({ identity }) => identity === one.identity) < index)
  if (twice !== undefined) return `\`${twice.path}\` was named twice`
  return inOrderOfWriting(ends).map(({ path }) => path)
}
