// What an excerpt of a configuration file must not show: a person may have written a secret where none belongs.
import type { TextRange } from '../policy/text-excerpt.ts'

/** User name and password of every URL in the text, e.g. of `redis://:password@host`. */
export const hiddenUrlSecrets = (text: string): readonly TextRange[] =>
  [...text.matchAll(/:\/\/([^\s/"'@]*(?:@[^\s/"'@]*)*)@/g)].map((match) =>
    rangeOf(match.index + 3, match[1] ?? ''),
  )

/**
 * Everything but keys and punctuation, for a text that is not YAML: nobody can tell what its words were meant to be.
 * @returns ranges in order
 */
export const hiddenInBrokenText = (text: string): readonly TextRange[] => {
  const words = text.matchAll(/[^\s:,{}[\]"'#|>&*!%@`-][^\s,{}[\]"']*/g)
  return [...words]
    .filter((word) => !isKey(text, word.index, word[0]))
    .map((word) => rangeOf(word.index, word[0]))
}

/** A word at the begin of a line or of an entry, with `: ` behind it. */
const isKey = (text: string, index: number, word: string): boolean => {
  const before = text.slice(text.lastIndexOf('\n', index - 1) + 1, index)
  return /^[A-Za-z][A-Za-z0-9_-]{0,30}:$/.test(word) && /(?:^|[-{,])\s*$/.test(before)
}

const rangeOf = (start: number, part: string): TextRange => [start, start + part.length]
