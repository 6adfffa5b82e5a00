// How a command says that it cannot go on: one line on standard error, and the exit code.

/** What was asked for, or a file, is not as it must be. */
export const EXIT_INVALID = 2

/** Writes the line; returns the exit code. */
export const complain = (text: string, code: number = EXIT_INVALID): number => {
  process.stderr.write(`error: ${text}\n`)
  return code
}
