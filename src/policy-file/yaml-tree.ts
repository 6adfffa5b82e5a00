// YAML text → plain values and the place of each. A small, strict YAML: what two readers could read in two ways (aliases,
// merge keys, tags, tabs, YAML 1.1 words, octal numbers) is refused, never repaired. The only file that calls the parser.
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  parseAllDocuments,
  type Document,
  type ParsedNode,
  type Scalar,
} from 'yaml'
import type { TextRange } from '../policy/text-excerpt.ts'
import type { Fault } from './issue.ts'
import {
  emptyFault,
  hiddenTextFault,
  MAX_FAULTS,
  syntaxFault,
  textFaults,
  yamlFault,
  type PlacedFault,
} from './yaml-fault.ts'
import { keyOf, parsed, rangeOf, rangeOfNode, type DocumentPath } from './yaml-range.ts'
import { scalarFault } from './yaml-scalar.ts'

/** Plain values, and where in the text they stand. */
export interface YamlTree {
  readonly value: unknown
  /** The place of a value or of its key; of the nearest parent where the path does not exist. */
  readonly rangeOf: (path: DocumentPath, part: 'key' | 'value') => TextRange
}

export type TreeReading =
  /** `faults` are single values that are refused; all others were read, so that a schema can judge them too. */
  | { readonly kind: 'read'; readonly tree: YamlTree; readonly faults: readonly PlacedFault[] }
  | { readonly kind: 'refused'; readonly faults: readonly PlacedFault[] }

const MAX_DEPTH = 24

/**
 * Reads one YAML document.
 * @param text untrusted
 * @returns its values, or every fault found; never throws
 */
export const readYamlTree = (text: string): TreeReading => {
  const early = textFaults(text)
  if (early.length > 0) return refused(early)
  try {
    const documents = parseAllDocuments(text, OPTIONS)
    return Array.isArray(documents) ? readDocuments(documents, text) : refused([emptyFault()])
  } catch {
    // The library recurses; a file that is deep enough to end its stack is no policy.
    return refused([yamlFault([0, 1], 'the file cannot be read as YAML', 'it is nested too deeply', NESTED)])
  }
}

const OPTIONS = {
  prettyErrors: false,
  strict: true,
  // Its own check compares every key with every other.
  uniqueKeys: false,
  stringKeys: true,
  schema: 'core',
  merge: false,
  version: '1.2',
  logLevel: 'silent',
  resolveKnownTags: false,
} as const

const NESTED = 'write at most a few levels, as the examples do'

const refused = (faults: readonly PlacedFault[]): TreeReading => ({
  kind: 'refused',
  faults: [...new Map(faults.map((one) => [one.range[0], one])).values()].slice(0, MAX_FAULTS),
})

const readDocuments = (documents: readonly Document.Parsed[], text: string): TreeReading => {
  const [first, second] = documents
  if (first === undefined) return refused([emptyFault()])
  const syntax = documents
    .flatMap((one) => one.errors)
    .map((error) => syntaxFault(error.code, error.pos, text))
  if (syntax.length > 0) return refused(syntax)
  if (second !== undefined) return refused([secondDocument(second, text)])
  if (first.contents === null || (isScalar(first.contents) && first.contents.value === null))
    return refused([emptyFault()])
  const faults: PlacedFault[] = []
  const value = plain(first.contents, { key: undefined, depth: 0 }, (fault) => faults.push(fault))
  const contents = first.contents
  return { kind: 'read', tree: { value, rangeOf: (path, part) => rangeOf(contents, path, part) }, faults }
}

const secondDocument = (document: Document.Parsed, text: string): PlacedFault => {
  const marker = text.lastIndexOf('---', document.contents?.range[0] ?? document.range[1])
  const at = marker < 0 ? document.range[0] : marker
  const what = 'a second document in one file'
  return yamlFault([at, at + 3], what, 'one file holds one application', 'give it a file of its own')
}

interface Spot {
  /** The nearest key above. */
  readonly key: string | undefined
  readonly depth: number
}

type Complain = (fault: PlacedFault) => void

/** Nodes → plain values on null-prototype objects; each refusal is reported once. */
const plain = (node: ParsedNode | null, spot: Spot, complain: Complain): unknown => {
  if (node === null) return null
  if (isAlias(node)) {
    complain(aliasFault(node.source, rangeOfNode(node)))
    return `*${node.source}`
  }
  for (const fault of propertyFaults(node)) complain(fault)
  if (spot.depth > MAX_DEPTH) {
    complain(yamlFault(rangeOfNode(node), 'a value nested too deeply', 'no policy is this deep', NESTED))
    return undefined
  }
  if (isMap(node)) return plainMap(node.items, spot, complain)
  if (isSeq(node)) {
    const inside: Spot = { key: spot.key, depth: spot.depth + 1 }
    return node.items.map((item) => plain(parsed(item), inside, complain))
  }
  const fault = scalarFault(node, spot.key) ?? textFault(node)
  if (fault !== undefined) complain(fault)
  return node.value
}

const textFault = (node: Scalar.Parsed): PlacedFault | undefined =>
  typeof node.value === 'string' ? hiddenTextFault(node.value, rangeOfNode(node)) : undefined

const plainMap = (
  items: readonly { readonly key: unknown; readonly value: unknown }[],
  spot: Spot,
  complain: Complain,
): unknown => {
  const map: Record<string, unknown> = Object.create(null)
  for (const item of items) {
    const key = keyOf(item.key)
    const keyNode = parsed(item.key)
    const range: TextRange = keyNode === null ? [0, 1] : rangeOfNode(keyNode)
    if (keyNode !== null) for (const fault of propertyFaults(keyNode)) complain(fault)
    const fault = keyFault(key, range, map)
    if (fault !== undefined) complain(fault)
    else if (key !== undefined) map[key] = plain(parsed(item.value), { key, depth: spot.depth + 1 }, complain)
  }
  return map
}

const keyFault = (
  key: string | undefined,
  range: TextRange,
  map: Readonly<Record<string, unknown>>,
): PlacedFault | undefined => {
  if (key === '<<')
    return yamlFault(range, 'a merge key', 'what it merges in is not to be seen here', 'write it out')
  if (key === undefined || key === '' || key === '__proto__')
    return yamlFault(range, 'a key that is not plain text', 'keys are single words', 'name it otherwise')
  const hidden = hiddenTextFault(key, range)
  if (hidden !== undefined || !Object.hasOwn(map, key)) return hidden
  const what = `\`${key}\` stands twice`
  const fault: Fault = { code: 'E01', what, why: 'only one of the two could count', mend: 'join the two' }
  return { range, fault }
}

const aliasFault = (source: string, range: TextRange): PlacedFault =>
  source.startsWith('.')
    ? yamlFault(
        range,
        `\`*${source}\` without quotes`,
        'YAML reads a leading `*` as an alias',
        `quote it: \`"*${source}"\``,
      )
    : yamlFault(
        range,
        'an alias',
        'what it stands for is not to be seen here',
        'write it out (text that starts with `*` needs quotes)',
      )

const propertyFaults = (node: Exclude<ParsedNode, null>): readonly PlacedFault[] => {
  const range = rangeOfNode(node)
  const faults: PlacedFault[] = []
  if (node.tag !== undefined)
    faults.push(
      yamlFault(range, `the tag \`${shortTag(node.tag)}\``, 'types are not chosen by tags', 'remove the tag'),
    )
  if (!isAlias(node) && node.anchor !== undefined)
    faults.push(
      yamlFault(range, `the anchor \`&${node.anchor}\``, 'aliases are not used', 'remove the anchor'),
    )
  return faults
}

const shortTag = (tag: string): string => tag.replace('tag:yaml.org,2002:', '!!')
