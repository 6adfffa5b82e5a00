// Durations as people write them in the configuration: a whole number and one unit.

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** What a duration looks like; the groups are number and unit. */
export const DURATION = /^([1-9]\d{0,8})(ms|s|m|h|d)$/

/** Says what a duration looks like, for an error. */
export const DURATION_HELP =
  'write a whole number above 0 and one unit (ms, s, m, h, d), such as `10m` or `90d`'

/**
 * Reads a duration.
 * @param text trusted, e.g. `12h`
 * @returns milliseconds, or undefined where it is no duration. Never throws.
 */
export const parseDurationMs = (text: string): number | undefined => {
  const [, count, unit] = DURATION.exec(text) ?? []
  const unitMs = UNIT_MS[unit ?? '']
  return count === undefined || unitMs === undefined ? undefined : Number(count) * unitMs
}
