// JSON of which every character is printable ASCII: one line stays one line, no terminal is taken in, and characters
// are bytes. Anything else is written as an escape of JSON, so that whoever parses the line gets back what was there.

/** Nothing in here needs an escape: printable ASCII but `"` and `\`. */
const PLAIN = /^[ !#-[\]-~]*$/
const BEYOND_ASCII = /[^ -~]/

/** A text as a JSON string. Lone surrogates stay what they are, as escapes. Never throws. */
export const jsonString = (text: string): string =>
  PLAIN.test(text) ? `"${text}"` : asciiJson(JSON.stringify(text))

/** JSON with each character beyond printable ASCII escaped; it must not be indented. Never throws. */
export const asciiJson = (json: string): string =>
  BEYOND_ASCII.test(json) ? json.replaceAll(/[^ -~]/g, unicodeEscape) : json

/** Without the `u` flag a match is one UTF-16 unit, which is what an escape of JSON stands for. */
const unicodeEscape = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`

/**
 * The same text in one piece. The engine keeps a joined text as its parts, and walks through them at each use: worth it
 * for what goes into many lines.
 * @param text ASCII
 */
export const flat = (text: string): string => Buffer.from(text, 'latin1').toString('latin1')
