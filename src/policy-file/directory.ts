// `directory.yaml`: the names that policies of one folder may use: known groups, machine owners, network labels.
import { didYouMean } from '../policy/closest-word.ts'
import { parseNetwork, type Network } from '../policy/network.ts'
import { issueAt, type PolicyFile, type PolicyIssue } from './issue.ts'
import { parseFile } from './parse.ts'
import { directorySchema, type DirectoryEntry } from './schema.ts'

/** Who answers for a machine, and until when it may be used. */
export interface Machine {
  readonly owner: string
  readonly expires: string | undefined
}

export interface Directory {
  /** Undefined: the folder keeps no list, so every group is fine. */
  readonly groups: ReadonlySet<string> | undefined
  readonly machines: ReadonlyMap<string, Machine>
  readonly networks: ReadonlyMap<string, readonly Network[]>
}

/** What holds where a folder has no `directory.yaml`. */
export const NO_DIRECTORY: Directory = { groups: undefined, machines: new Map(), networks: new Map() }

export type DirectoryReading =
  | { readonly kind: 'compiled'; readonly directory: Directory }
  | { readonly kind: 'refused'; readonly issues: readonly PolicyIssue[] }

/**
 * Compiles `directory.yaml`.
 * @param file untrusted text
 * @returns the directory, or every issue found; never throws
 */
export const compileDirectory = (file: PolicyFile): DirectoryReading => {
  const parsed = parseFile(file, directorySchema)
  if (parsed.kind === 'refused') return parsed
  const { entry, rangeOf } = parsed.document
  const issues = networkRows(entry).flatMap(({ label, index, text, network }) =>
    network === undefined
      ? [issueAt(file, rangeOf(['networks', label, index], 'value'), badNetwork(text))]
      : [],
  )
  return issues.length > 0 ? { kind: 'refused', issues } : { kind: 'compiled', directory: directoryOf(entry) }
}

const badNetwork = (text: string) =>
  ({
    code: 'E16',
    what: `\`${text}\` is no address and no CIDR block`,
    why: 'addresses are plain, without leading zeros, and a block has no bits beyond its prefix',
    mend: 'write it like `10.8.0.0/16`, `192.0.2.7` or `2001:db8::/32`',
  }) as const

const networkRows = (entry: DirectoryEntry) =>
  Object.entries(entry.networks ?? {}).flatMap(([label, blocks]) =>
    blocks.map((text, index) => ({ label, index, text, network: parseNetwork(text) })),
  )

const directoryOf = (entry: DirectoryEntry): Directory => {
  const byLabel = Map.groupBy(networkRows(entry), (row) => row.label)
  return {
    groups: entry.groups === undefined ? undefined : new Set(entry.groups),
    machines: new Map(
      Object.entries(entry.machines ?? {}).map(([id, { owner, expires }]) => [id, { owner, expires }]),
    ),
    networks: new Map(
      [...byLabel].map(([label, rows]) => [
        label,
        rows.map((row) => row.network).filter((network) => network !== undefined),
      ]),
    ),
  }
}

/**
 * The blocks that an entry of `from_networks` stands for: a label of the directory, or a CIDR block.
 * @returns undefined where it is neither
 */
export const networksNamed = (directory: Directory, name: string): readonly Network[] | undefined => {
  const labelled = directory.networks.get(name)
  if (labelled !== undefined) return labelled
  const network = parseNetwork(name)
  return network === undefined ? undefined : [network]
}

/** ` (did you mean \`vpn\`?)` for a label that is not there. */
export const meantNetwork = (directory: Directory, name: string): string =>
  didYouMean(name, directory.networks.keys())
