// Where in the text a value of a document stands.
import { isMap, isScalar, isSeq, type ParsedNode } from 'yaml'
import type { TextRange } from '../policy/text-excerpt.ts'

export type PathKey = string | number
export type DocumentPath = readonly PathKey[]

/** An item of a parsed collection: the library types it loosely, but in a parsed document it is a parsed node. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
export const parsed = (item: unknown): ParsedNode | null => (item ?? null) as ParsedNode | null

/** The text of a key, where it is text. */
export const keyOf = (key: unknown): string | undefined =>
  isScalar(key) && typeof key.value === 'string' ? key.value : undefined

/** The text of a node, at least one character. */
export const rangeOfNode = (node: Exclude<ParsedNode, null>): TextRange => {
  const [start, end] = node.range
  return [start, Math.max(start + 1, end)]
}

/** The place of a value or of its key below a root; of the nearest parent where the path does not exist. */
export const rangeOf = (root: ParsedNode, path: DocumentPath, part: 'key' | 'value'): TextRange => {
  let node: ParsedNode = root
  let key: ParsedNode | undefined
  for (const [index, step] of path.entries()) {
    const found = childOf(node, step)
    if (found === undefined) return head(node)
    key = found.key ?? undefined
    if (found.value === null) return key === undefined ? head(node) : rangeOfNode(key)
    if (index === path.length - 1 && part === 'key' && key !== undefined) return rangeOfNode(key)
    node = found.value
  }
  return head(node)
}

interface Child {
  readonly key: ParsedNode | null
  readonly value: ParsedNode | null
}

const childOf = (node: ParsedNode, step: PathKey): Child | undefined => {
  if (isSeq(node)) {
    const value = parsed(typeof step === 'number' ? node.items[step] : undefined)
    return value === null ? undefined : { key: null, value }
  }
  if (!isMap(node)) return undefined
  const pair = node.items.find((item) => keyOf(item.key) === String(step))
  return pair === undefined ? undefined : { key: parsed(pair.key), value: parsed(pair.value) }
}

/** A collection is pointed at by its first item: a caret under forty lines helps nobody. */
const head = (node: ParsedNode): TextRange => {
  const range = rangeOfNode(node)
  if (!isMap(node)) return range
  const first = parsed(node.items[0]?.key)
  return first === null ? range : rangeOfNode(first)
}
