// The configuration file as a value of which every part knows its place. Says what YAML cannot be read in our own
// words; the library's contain pieces of the file, and a piece may be a secret.
import { isAlias, isMap, isNode, isSeq, parseDocument, type Document, type Node } from 'yaml'
import { excerpt, spotAt, type TextRange } from '../policy/text-excerpt.ts'
import type { ConfigIssue, Origin, Path } from './issue.ts'
import { hiddenInBrokenText, hiddenUrlSecrets } from './hidden-text.ts'

/** A part of the file: the key that names it, or what it holds. */
export type Part = 'key' | 'value'

export interface YamlSource {
  /** Plain data; undefined where the file is not YAML or has no content. */
  readonly value: unknown
  readonly issues: readonly ConfigIssue[]
  /** The offsets of a part; undefined where the file does not have it. */
  readonly rangeOf: (path: Path, part: Part) => TextRange | undefined
  /** Where a value begins; undefined where the file does not have it. */
  readonly originOf: (path: Path) => Origin | undefined
  /** Makes an issue at offsets of the file, hiding what must not be shown. */
  readonly issueAt: (range: TextRange, message: string, hidden?: readonly TextRange[]) => ConfigIssue
}

const ALIASES_MAX = 100

/**
 * Parses the text of a configuration file.
 * @param text trusted to be the operator's, not to be YAML
 * @param file as the operator named it, for messages. Never throws.
 */
export const readYaml = (text: string, file: string): YamlSource => {
  const document = parseDocument(text, { prettyErrors: false, stringKeys: true, version: '1.2' })
  const urlSecrets = hiddenUrlSecrets(text)
  const originAt = (range: TextRange): Origin => {
    const { line, column } = spotAt(text, range)
    return { kind: 'file', file, line, column }
  }
  const issueAt = (range: TextRange, message: string, hidden: readonly TextRange[] = []): ConfigIssue => {
    const shown = excerpt(text, spotAt(text, range), [...urlSecrets, ...hidden])
    return { origin: originAt(range), message, excerpt: shown }
  }
  const broken = hiddenInBrokenText(text)
  const issues = firstOfEachLine(
    [...document.errors, ...document.warnings].map(({ code, pos }) =>
      issueAt(pos, FAULTS[code] ?? OTHER_FAULT, broken),
    ),
  )
  const plain = issues.length === 0 ? plainOf(document) : NOTHING
  return {
    value: plain.kind === 'plain' ? plain.value : undefined,
    issues:
      plain.kind === 'plain' ? issues : [issueAt([0, 1], 'too many aliases; write the values out', broken)],
    rangeOf: (path, part) => rangeOf(document, path, part),
    originOf: (path) => {
      const range = rangeOf(document, path, 'value')
      return range === undefined ? undefined : originAt(range)
    },
    issueAt,
  }
}

const OTHER_FAULT = 'this is not YAML'

const FAULTS: Readonly<Record<string, string>> = {
  BAD_ALIAS: 'this alias (`*`) names nothing; quote a text that begins with `*`',
  BAD_DQ_ESCAPE: 'this is no escape of a text in double quotes; use single quotes to write a backslash',
  BAD_INDENT: 'this is indented in another way than the lines around it, or a bracket is not closed',
  BAD_SCALAR_START: 'a text that begins with this character must be quoted',
  BLOCK_AS_IMPLICIT_KEY: 'a second `: ` on one line; put a text that holds `: ` into quotes',
  BLOCK_IN_FLOW: 'a list or map in brackets cannot hold an indented one',
  DUPLICATE_KEY: 'this key is there twice; keep one of them',
  MISSING_CHAR: 'a quote, bracket, comma or `:` is missing here',
  MULTILINE_IMPLICIT_KEY: 'a key must stand on one line; is a `:` or a quote missing?',
  MULTIPLE_DOCS: 'the file must hold one document; remove what follows `---`',
  NON_STRING_KEY: 'a key must be a text; quote it',
  TAB_AS_INDENT: 'indent with spaces, not with tabs',
  TAG_RESOLVE_FAILED: 'tags (`!`) have no meaning here; quote a text that begins with `!`',
  UNEXPECTED_TOKEN: 'this does not belong here; is a quote, bracket or `:` missing before it?',
}

type Plain = { readonly kind: 'plain'; readonly value: unknown } | { readonly kind: 'too-many-aliases' }

const NOTHING: Plain = { kind: 'plain', value: undefined }

/** What the parser says about the rest of a line is mostly a consequence. */
const firstOfEachLine = (issues: readonly ConfigIssue[]): readonly ConfigIssue[] =>
  [
    ...new Map(
      issues
        .toReversed()
        .map((issue) => [issue.origin.kind === 'file' ? issue.origin.line : 0, issue] as const),
    ).values(),
  ].toReversed()

const plainOf = (document: Document.Parsed): Plain => {
  try {
    return { kind: 'plain', value: document.toJS({ maxAliasCount: ALIASES_MAX }) }
  } catch (error) {
    if (error instanceof ReferenceError) return { kind: 'too-many-aliases' }
    throw error
  }
}

const rangeOf = (document: Document.Parsed, path: Path, part: Part): TextRange | undefined => {
  let node: unknown = document.contents
  let key: unknown
  for (const step of path) {
    const within: Node | undefined = isAlias(node) ? node.resolve(document) : isNode(node) ? node : undefined
    if (isMap(within)) {
      const pair = within.items.find((one) => keyText(one.key) === String(step))
      if (pair === undefined) return undefined
      key = pair.key
      node = pair.value
    } else if (isSeq(within) && typeof step === 'number') {
      if (step >= within.items.length) return undefined
      node = within.items[step]
      key = node
    } else return undefined
  }
  return (part === 'value' ? offsetsOf(node) : undefined) ?? offsetsOf(key)
}

const keyText = (key: unknown): string | undefined =>
  isNode(key) && 'value' in key ? String(key.value) : undefined

const offsetsOf = (node: unknown): TextRange | undefined => {
  const range = isNode(node) ? node.range : undefined
  return range === undefined || range === null || range[1] === range[0] ? undefined : [range[0], range[1]]
}
