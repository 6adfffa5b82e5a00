// The network labels of the directory in force, for the log: where a caller came from, in the operator's words.
import { basename } from 'node:path'
import { compileDirectory } from '../policy-file/directory.ts'
import type { PolicyFile } from '../policy-file/issue.ts'
import type { LabelledNetwork } from './observe.ts'

/**
 * Reads the labels of the loaded files; compiled once for each list of files.
 * @param files of the policy set in force: they loaded, so the directory compiles
 */
export const makeNetworkLabels = (files: () => readonly PolicyFile[]): (() => readonly LabelledNetwork[]) => {
  const known = new WeakMap<readonly PolicyFile[], readonly LabelledNetwork[]>()
  return () => {
    const now = files()
    const labels = known.get(now) ?? labelsOf(now)
    known.set(now, labels)
    return labels
  }
}

const labelsOf = (files: readonly PolicyFile[]): readonly LabelledNetwork[] => {
  const file = files.find(({ path }) => basename(path) === 'directory.yaml')
  const reading = file === undefined ? undefined : compileDirectory(file)
  if (reading?.kind !== 'compiled') return []
  return [...reading.directory.networks].flatMap(([label, networks]) =>
    networks.map((network) => ({ label, network })),
  )
}
