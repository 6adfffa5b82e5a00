// Sizes as people write them in the configuration: a whole number and one unit.

const UNIT_BYTES: Readonly<Record<string, number>> = {
  KB: 1000,
  MB: 1_000_000,
  GB: 1_000_000_000,
  KiB: 1024,
  MiB: 1_048_576,
  GiB: 1_073_741_824,
}

/** What a size looks like; the groups are number and unit. */
export const BYTE_SIZE = /^([1-9]\d{0,5})(KB|MB|GB|KiB|MiB|GiB)$/

/** Says what a size looks like, for an error. */
export const BYTE_SIZE_HELP =
  'write a whole number above 0 and one unit (KB, MB, GB, KiB, MiB, GiB), such as `100MB`'

/**
 * Reads a size.
 * @param text trusted, e.g. `100MB`
 * @returns bytes, or undefined where it is no size. Never throws.
 */
export const parseByteSize = (text: string): number | undefined => {
  const [, count, unit] = BYTE_SIZE.exec(text) ?? []
  const unitBytes = UNIT_BYTES[unit ?? '']
  return count === undefined || unitBytes === undefined ? undefined : Number(count) * unitBytes
}
