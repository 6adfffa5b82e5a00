// The network labels of the directory in force, for the log: where a caller came from, in the operator's words.
import { basename } from 'node:path'
import { compileDirectory } from '../policy-file/directory.ts'
import type { PolicyFile } from '../policy-file/issue.ts'
import { networkContains, parseIp, type Network } from '../policy/network.ts'

/** The first label of the directory whose network holds an address; undefined where none does. */
export type NetworkOf = (clientIp: string | undefined) => string | undefined

const ADDRESSES_KEPT = 10_000

/**
 * Reads the labels of the loaded files; compiled once for each directory, and looked up once for each address.
 * @param files of the policy set in force: they loaded, so the directory compiles
 */
export const makeNetworkOf = (files: () => readonly PolicyFile[]): NetworkOf => {
  let looked: Looked | undefined
  return (clientIp) => {
    const now = files()
    if (looked?.files !== now) looked = lookAgain(now, looked)
    return looked.labelOf(clientIp)
  }
}

interface Looked {
  readonly files: readonly PolicyFile[]
  readonly directory: PolicyFile | undefined
  readonly labelOf: NetworkOf
}

/** A load keeps the very file that did not change, so that it is not compiled again. */
const lookAgain = (files: readonly PolicyFile[], before: Looked | undefined): Looked => {
  const directory = files.find(({ path }) => basename(path) === 'directory.yaml')
  const isSame = before !== undefined && before.directory === directory
  return { files, directory, labelOf: isSame ? before.labelOf : remembering(labelsOf(directory)) }
}

/** A network with the name that the directory gives it. */
interface LabelledNetwork {
  readonly label: string
  readonly network: Network
}

const labelsOf = (file: PolicyFile | undefined): readonly LabelledNetwork[] => {
  const reading = file === undefined ? undefined : compileDirectory(file)
  if (reading?.kind !== 'compiled') return []
  return [...reading.directory.networks].flatMap(([label, networks]) =>
    networks.map((network) => ({ label, network })),
  )
}

const remembering = (networks: readonly LabelledNetwork[]): NetworkOf => {
  const known = new Map<string, string | undefined>()
  return (clientIp) => {
    if (clientIp === undefined || networks.length === 0) return undefined
    if (known.has(clientIp)) return known.get(clientIp)
    // Whoever sends another address each time must not grow it.
    if (known.size >= ADDRESSES_KEPT) known.clear()
    const label = labelOf(clientIp, networks)
    known.set(clientIp, label)
    return label
  }
}

const labelOf = (clientIp: string, networks: readonly LabelledNetwork[]): string | undefined => {
  const address = parseIp(clientIp)
  return address === undefined
    ? undefined
    : networks.find(({ network }) => networkContains(network, address))?.label
}
