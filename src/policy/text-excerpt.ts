// The place in a text file that an error talks about, and the line it stands on with a caret below. Pure text, so that
// every file that people write is complained about in one way. Never shows what the caller asks to hide.

/** A place in a text: line and column count from 1, lengths are UTF-16 units. */
export interface TextSpot {
  readonly line: number
  readonly column: number
  /** How many characters the caret underlines; at least one is. */
  readonly length: number
}

/** Offsets of a text, from 0; the end is not part of it. */
export type TextRange = readonly [start: number, end: number]

const WIDTH = 110
const HIDDEN = '*'

/**
 * Finds the line and column of a range of offsets.
 * @param text the whole file; lines end in `\n`, `\r\n` or `\r`
 * @returns the spot of its start; offsets beyond the text are moved to its end. Never throws.
 */
export const spotAt = (text: string, [start, end]: TextRange): TextSpot => {
  const from = Math.min(Math.max(start, 0), text.length)
  const lines = text.slice(0, from).split(/\r\n|\n|\r/)
  return {
    line: lines.length,
    column: (lines.at(-1) ?? '').length + 1,
    length: Math.max(1, Math.min(end, text.length) - from),
  }
}

/**
 * Prints the line of a spot and underlines it.
 * @param text the whole file
 * @param spot where; a spot outside the text gives its number and an empty line
 * @param hidden ranges of the text whose characters are shown as `*`, e.g. a secret that stands on the same line
 * @returns two lines without a final line break, such as `3 | publicURL: x` over `  | ^^^^^^^^^`. Control characters are
 *   shown as `?`, tabs as a space, an over-long line as a window around the spot. Never throws.
 */
export const excerpt = (text: string, spot: TextSpot, hidden: readonly TextRange[] = []): string => {
  const line = withoutHidden(text, hidden).split(/\r\n|\n|\r/)[spot.line - 1] ?? ''
  const from = line.length <= WIDTH ? 0 : Math.max(0, Math.min(spot.column - 31, line.length - WIDTH))
  const before = from > 0 ? '…' : ''
  const after = line.length > from + WIDTH ? '…' : ''
  const shown = before + printable(line.slice(from, from + WIDTH)) + after
  const indent = before.length + Math.max(0, spot.column - 1 - from)
  const carets = Math.max(1, Math.min(spot.length, shown.length - after.length - indent))
  const number = String(spot.line)
  return `${number} | ${shown}\n${' '.repeat(number.length)} | ${' '.repeat(indent)}${'^'.repeat(carets)}`
}

/** Line breaks stay, so that the lines keep their numbers. */
const withoutHidden = (text: string, hidden: readonly TextRange[]): string =>
  hidden.reduce(
    (kept, [start, end]) =>
      kept.slice(0, start) + kept.slice(start, end).replaceAll(/[^\r\n]/g, HIDDEN) + kept.slice(end),
    text,
  )

/** Control and format characters (bidirectional overrides among them) must not reach a terminal. */
const printable = (line: string): string =>
  line.replaceAll('\t', ' ').replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '?')
