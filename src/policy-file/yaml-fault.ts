// What is refused in the text of a YAML file before its values are looked at, and how that is said.
import type { TextRange } from '../policy/text-excerpt.ts'
import type { Fault } from './issue.ts'

export interface PlacedFault {
  readonly range: TextRange
  readonly fault: Fault
}

export const MAX_FILE_BYTES = 1_048_576
export const MAX_FAULTS = 50

/** YAML that is refused. */
export const yamlFault = (range: TextRange, what: string, why: string, mend: string): PlacedFault => ({
  range,
  fault: { code: 'E15', what, why, mend },
})

/** A value of the wrong form. */
export const valueFault = (range: TextRange, what: string, why: string, mend: string): PlacedFault => ({
  range,
  fault: { code: 'E16', what, why, mend },
})

/** A file without a document. */
export const emptyFault = (): PlacedFault =>
  valueFault(
    [0, 1],
    'the file is empty',
    'a policy names its route, hosts and sections',
    'write it, or remove the file',
  )

/** What no policy file may hold anywhere, comments included. */
export const textFaults = (text: string): readonly PlacedFault[] => {
  if (text.length > MAX_FILE_BYTES)
    return [yamlFault([0, 1], 'the file is longer than 1 MiB', 'one file holds one application', 'split it')]
  if (text.startsWith('\uFEFF'))
    return [
      yamlFault(
        [0, 1],
        'the file starts with a byte order mark',
        'it is invisible',
        'save it as UTF-8 without BOM',
      ),
    ]
  const directive = /^(?:[ ]*(?:#[^\n]*)?\r?\n)*%/.exec(text)
  if (directive !== null) {
    const at = directive[0].length - 1
    return [yamlFault([at, at + 1], 'a YAML directive', 'files are YAML 1.2, always', 'remove the line')]
  }
  return [...text.matchAll(UNSEEN)].slice(0, MAX_FAULTS).map((found) => unseenFault(found[0], found.index))
}

// Tabs, control characters, and format characters that reorder or hide text (CVE-2021-42574).
const UNSEEN =
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  /[\u0000-\u0009\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|\r(?!\n)/gu

const unseenFault = (character: string, at: number): PlacedFault => {
  if (character === '\t')
    return yamlFault([at, at + 1], 'a tab', 'tabs look like any number of spaces', 'use spaces')
  return hiddenFault(character, [at, at + 1])
}

const hiddenFault = (character: string, range: TextRange): PlacedFault => {
  const name = `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
  return yamlFault(range, `the invisible character ${name}`, 'a reader would not see it', 'remove it')
}

// Characters that show nothing, or look like a space: format characters, fillers, variation selectors, tags, spaces of
// other widths. In comments people write some of them; in a value they make a name that nobody has.
const HIDDEN_IN_VALUES =
  /[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u2800]|(?![\n\r])\p{Cc}|(?! )\p{Zs}/u

/** Nearly every value of ten thousand files. */
const PLAIN = /^[ -~]*$/

/** What no value and no key may hold, an escape in quotes included; line breaks are the schema's business. Never throws. */
export const hiddenTextFault = (text: string, range: TextRange): PlacedFault | undefined => {
  if (PLAIN.test(text)) return undefined
  const [character] = HIDDEN_IN_VALUES.exec(text) ?? []
  return character === undefined ? undefined : hiddenFault(character, range)
}

/** What the library's codes mean to somebody who writes a policy. */
const SYNTAX: Readonly<Record<string, readonly [what: string, mend: string]>> = {
  BAD_ALIAS: ['a bare `*`', 'quote it: `"*"`'],
  BAD_INDENT: [
    'the indentation is off, or a bracket is not closed',
    'align the line with its neighbours, close `}` and `]`',
  ],
  BAD_SCALAR_START: ['a value starts with a reserved character', 'put the value in quotes'],
  BAD_DQ_ESCAPE: ['an unknown escape in a double-quoted value', 'use single quotes'],
  BLOCK_AS_IMPLICIT_KEY: ['two keys on one line', 'write one key per line, or use `{a: 1, b: 2}`'],
  BLOCK_IN_FLOW: ['a block inside brackets', 'close the bracket first'],
  MISSING_CHAR: ['a quote, bracket, comma or colon is missing', 'add it'],
  MULTILINE_IMPLICIT_KEY: [
    'a key that spans lines',
    'check that the line before is complete and the colon is there',
  ],
  NON_STRING_KEY: ['a key that is not plain text', 'keys are single words'],
  TAB_AS_INDENT: ['a tab', 'use spaces'],
  UNEXPECTED_TOKEN: ['something that does not belong here', 'check commas, colons and indentation'],
}

/** What the library's parser complained about, by its code. */
export const syntaxFault = (code: string, pos: readonly [number, number], text: string): PlacedFault => {
  const [what, mend] = SYNTAX[code] ?? ['this is not YAML', 'check quotes, brackets and indentation']
  const at = Math.min(pos[0], Math.max(0, text.length - 1))
  return yamlFault([at, Math.max(at + 1, pos[1])], what, `YAML cannot be read here (${code})`, mend)
}
