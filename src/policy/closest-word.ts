// "Did you mean": the one word of a vocabulary that a misspelt word was probably meant to be.

/**
 * Finds the closest of several words, ASCII case and `-`/`_` apart.
 * @param word what somebody wrote; untrusted, of any length
 * @param candidates the vocabulary, in the order of preference
 * @returns the candidate with the fewest edits (insert, drop, change, swap of neighbours), if they are at most a third
 *   of the word; else undefined. Never throws.
 */
export const closest = (word: string, candidates: Iterable<string>): string | undefined => {
  const wanted = folded(word)
  if (wanted.length > 64) return undefined
  let best: string | undefined
  // A word of which nothing is left resembles nothing.
  let fewest = Math.min(wanted.length, Math.max(1, Math.floor(wanted.length / 3)) + 1)
  for (const candidate of candidates) {
    const edits = distance(wanted, folded(candidate))
    if (edits >= fewest) continue
    fewest = edits
    best = candidate
  }
  return best
}

/** The sentence part that names it: ` (did you mean \`x\`?)`, or nothing. */
export const didYouMean = (word: string, candidates: Iterable<string>): string => {
  const meant = closest(word, candidates)
  return meant === undefined ? '' : ` (did you mean \`${meant}\`?)`
}

const folded = (word: string): string => word.toLowerCase().replaceAll(/[-_]/g, '')

/** Optimal string alignment distance. */
const distance = (a: string, b: string): number => {
  let beforeLast: readonly number[] = []
  let last: readonly number[] = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1]
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const edits = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + (same ? 0 : 1))
      row.push(swapped ? Math.min(edits, at(beforeLast, j - 2) + 1) : edits)
    }
    beforeLast = last
    last = row
  }
  return at(last, b.length)
}

const at = (row: readonly number[], index: number): number => row[index] ?? Number.POSITIVE_INFINITY
