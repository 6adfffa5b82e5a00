// Several files as one value: maps are joined key by key, lists whose entries have an `id` entry by entry, anything else
// is replaced by what the later file says. Of each part it is known which file wrote it, and what it replaced.
import { isDeepStrictEqual } from 'node:util'
import type { Path } from './issue.ts'
import { configSchema } from './schema.ts'
import { isSecretAt, keysAt } from './schema-walk.ts'

/** A part of one of the files. */
export interface Place {
  /** Index of the file, in the order in which they are read. */
  readonly file: number
  /** Within that file: an index of a list may be another one there. */
  readonly path: Path
}

interface Replaced extends Place {
  /** False where the later file says the same again. */
  readonly differs: boolean
}

type Content =
  | { readonly kind: 'map'; readonly entries: ReadonlyMap<string, MergedNode> }
  | { readonly kind: 'list'; readonly items: readonly MergedNode[] }
  | { readonly kind: 'leaf'; readonly value: unknown }

/** A part of the joined value. */
export interface MergedNode {
  readonly content: Content
  /** Who wrote what is in force, in the order of the files; several where they make up a map or list together. */
  readonly places: readonly Place[]
  /** What stood here and gave way, in the order of the files. */
  readonly replaced: readonly Replaced[]
}

/**
 * Joins the values of files, of which later ones win.
 * @param values of the files in their order; undefined = an empty one. Never throws.
 */
export const mergeFiles = (values: readonly unknown[]): MergedNode | undefined =>
  values
    .flatMap((value, file) => (value === undefined || value === null ? [] : [nodeOf(value, file, [])]))
    .reduce<MergedNode | undefined>(
      (earlier, later) => (earlier === undefined ? later : joined(earlier, later, [])),
      undefined,
    )

const nodeOf = (value: unknown, file: number, path: Path): MergedNode => ({
  content: contentOf(value, file, path),
  places: [{ file, path }],
  replaced: [],
})

const contentOf = (value: unknown, file: number, path: Path): Content => {
  if (typeof value !== 'object' || value === null) return { kind: 'leaf', value }
  if (Array.isArray(value))
    return { kind: 'list', items: value.map((item, index) => nodeOf(item, file, [...path, index])) }
  const entries = Object.entries(value).map(
    ([key, child]) => [key, nodeOf(child, file, [...path, key])] as const,
  )
  return { kind: 'map', entries: new Map(entries) }
}

/** @param path of both in the joined value */
const joined = (earlier: MergedNode, later: MergedNode, path: Path): MergedNode => {
  const [one, other] = [earlier.content, later.content]
  const both = {
    places: [...earlier.places, ...later.places],
    replaced: [...earlier.replaced, ...later.replaced],
  }
  if (one.kind === 'map' && other.kind === 'map')
    return { ...both, content: { kind: 'map', entries: joinedMaps(one.entries, other.entries, path) } }
  if (one.kind === 'list' && other.kind === 'list' && hasIds(path))
    return { ...both, content: { kind: 'list', items: joinedLists(one.items, other.items, path) } }
  return replacing([earlier], later)
}

const replacing = (earlier: readonly MergedNode[], later: MergedNode): MergedNode => ({
  ...later,
  replaced: [
    ...earlier.flatMap((node) => {
      const differs = !isDeepStrictEqual(valueOf(node), valueOf(later))
      return [...node.replaced, ...node.places.map((place) => ({ ...place, differs }))]
    }),
    ...later.replaced,
  ],
})

type Entries = ReadonlyMap<string, MergedNode>

const joinedMaps = (earlier: Entries, later: Entries, path: Path): Entries => {
  const kept = new Map(earlier)
  const places = [...later.keys()].filter((key) => SECRET_KEYS.has(key) && isSecretAt(configSchema, path))
  const givenWay = places.length === 0 ? [] : [...earlier].filter(([key]) => SECRET_KEYS.has(key))
  // A secret is in one place: `{file: …}` gives way to `{env: …}`.
  for (const [key] of givenWay) kept.delete(key)
  for (const [key, node] of later) {
    const before = kept.get(key)
    if (places.includes(key)) kept.set(key, replacingSecret(givenWay, key, node))
    else kept.set(key, before === undefined ? node : joined(before, node, [...path, key]))
  }
  return kept
}

const SECRET_KEYS: ReadonlySet<string> = new Set(['file', 'env'])

const replacingSecret = (
  earlier: readonly (readonly [string, MergedNode])[],
  key: string,
  later: MergedNode,
): MergedNode => {
  const replaced = replacing(
    earlier.map(([, node]) => node),
    later,
  )
  const isOther = earlier.some(([name]) => name !== key)
  return isOther
    ? { ...replaced, replaced: replaced.replaced.map((one) => ({ ...one, differs: true })) }
    : replaced
}

/** True for a list whose entries are told apart by their `id`. */
const hasIds = (path: Path): boolean => keysAt(configSchema, [...path, 0]).includes('id')

/** Entries with an id that is there already are joined at its place; others follow in their order. */
const joinedLists = (
  earlier: readonly MergedNode[],
  later: readonly MergedNode[],
  path: Path,
): readonly MergedNode[] =>
  later.reduce<readonly MergedNode[]>((items, node, position) => {
    const id = idOf(node)
    // An id twice in one file is the same mistake as in the first one, and told as that.
    const isSecond = later.slice(0, position).some((one) => idOf(one) === id)
    const index = id === undefined || isSecond ? -1 : earlier.findIndex((item) => idOf(item) === id)
    const known = items[index]
    return known === undefined ? [...items, node] : items.with(index, joined(known, node, [...path, index]))
  }, earlier)

const idOf = ({ content }: MergedNode): string | undefined => {
  const id = content.kind === 'map' ? content.entries.get('id')?.content : undefined
  return id?.kind === 'leaf' && typeof id.value === 'string' ? id.value : undefined
}

/** The plain value of a node. */
export const valueOf = ({ content }: MergedNode): unknown => {
  switch (content.kind) {
    case 'map':
      return Object.fromEntries([...content.entries].map(([key, node]) => [key, valueOf(node)]))
    case 'list':
      return content.items.map(valueOf)
    case 'leaf':
      return content.value
  }
}

/** The nodes from the top to a path; shorter than that where nothing is there. */
export const nodesTo = (top: MergedNode | undefined, path: Path): readonly MergedNode[] => {
  const nodes: MergedNode[] = []
  let node = top
  for (const step of [undefined, ...path]) {
    if (step !== undefined) node = childOf(node, step)
    if (node === undefined) return nodes
    nodes.push(node)
  }
  return nodes
}

/** The node at a path; undefined where no file has it. */
export const nodeAt = (top: MergedNode | undefined, path: Path): MergedNode | undefined =>
  nodesTo(top, path)[path.length]

const childOf = (node: MergedNode | undefined, step: string | number): MergedNode | undefined => {
  if (node?.content.kind === 'map') return node.content.entries.get(String(step))
  return node?.content.kind === 'list' && typeof step === 'number' ? node.content.items[step] : undefined
}

/** A part that took the place of others which say something else. */
export interface Overruling {
  /** In the joined value. */
  readonly path: Path
  /** What gave way, in the order of the files. */
  readonly replaced: readonly Place[]
}

/** Every such part below a node, itself included. */
export const overrulingsWithin = ({ content, replaced }: MergedNode, path: Path): readonly Overruling[] => {
  const differing = replaced.filter(({ differs }) => differs)
  const below = childrenOf(content).flatMap(([step, child]) => overrulingsWithin(child, [...path, step]))
  return differing.length === 0 ? below : [{ path, replaced: differing }, ...below]
}

const childrenOf = (content: Content): readonly (readonly [string | number, MergedNode])[] => {
  switch (content.kind) {
    case 'map':
      return [...content.entries]
    case 'list':
      return [...content.items.entries()]
    case 'leaf':
      return []
  }
}

/** Every place below a node, itself included, that gave way to a later file. */
export const replacedWithin = ({ content, replaced }: MergedNode): readonly Place[] => [
  ...replaced,
  ...childrenOf(content).flatMap(([, child]) => replacedWithin(child)),
]
