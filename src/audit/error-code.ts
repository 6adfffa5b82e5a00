// The code that the system gave an error, for texts that must not hold more of it.

/** `ENOENT` and the like; `unknown` where there is none. Never throws. */
export const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown'
