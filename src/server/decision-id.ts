// Ids of decisions: unique over writers and restarts, sortable by time, cheap to make. Not a secret.
import { randomBytes } from 'node:crypto'

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/**
 * Makes a generator of decision ids: 10 characters of time, 8 of this process, then a counter.
 * @param nowMs epoch milliseconds
 */
export const makeDecisionIds = (nowMs: () => number): (() => string) => {
  const process = [...randomBytes(8)].map((byte) => ALPHABET[byte % 32]).join('')
  let counter = 0
  let stampedMs = -1
  let stamp = ''
  return () => {
    const now = nowMs()
    if (now !== stampedMs) {
      stampedMs = now
      stamp = base32(now, 10)
    }
    counter = (counter + 1) % 1_073_741_824
    return stamp + process + base32(counter, 6)
  }
}

const base32 = (value: number, length: number): string => {
  let text = ''
  for (let rest = value; text.length < length; rest = Math.floor(rest / 32)) text = ALPHABET[rest % 32] + text
  return text
}
