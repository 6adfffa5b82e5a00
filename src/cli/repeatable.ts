// An option that may be given as often as there are values.
import { Option } from 'commander'

/** All its values in order; an empty list without it. */
export const repeatable = (flags: string, description: string): Option =>
  new Option(flags, `${description} (repeatable)`)
    .default([], 'none')
    .argParser((value, earlier: readonly string[]) => [...earlier, value])
