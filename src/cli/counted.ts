// A number and what it counts, in words.

/** `1 file`, `2 files`. */
export const counted = (number: number, word: string): string => `${number} ${word}${number === 1 ? '' : 's'}`
