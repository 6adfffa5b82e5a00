// Text from a claim as the value of a header: printable ASCII, never a line break, never split in two. The encoding can
// be undone, so that no two subjects share one value: `%` itself is encoded too.

const PLAIN = /^[\x21-\x24\x26-\x7e](?:[\x20-\x24\x26-\x7e]*[\x21-\x24\x26-\x7e])?$/

/**
 * Encodes a value: percent-encoded UTF-8 beyond printable ASCII, for `%`, and for a blank at either end, which HTTP
 * would drop (RFC 9110 §5.5).
 * @param text untrusted. Never throws; a lone surrogate becomes U+FFFD.
 */
export const headerText = (text: string): string =>
  text === '' || PLAIN.test(text)
    ? text
    : text.toWellFormed().replaceAll(/[^\x20-\x24\x26-\x7e]|^ | $/gu, encodeURIComponent)

/**
 * Joins values so that splitting at the separator and decoding each part gives them back.
 * @param values untrusted; empty ones are left out
 * @param separator trusted, without `%`; each of its characters is encoded inside a value. Never throws.
 */
export const headerList = (values: readonly string[], separator: string): string =>
  values
    .filter((value) => value !== '')
    .map((value) => escapeSeparator(headerText(value), separator))
    .join(separator)

const escapeSeparator = (text: string, separator: string): string => {
  let escaped = text
  for (const character of separator) escaped = escaped.replaceAll(character, hexEscape)
  return escaped
}

const hexEscape = (character: string): string =>
  `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
