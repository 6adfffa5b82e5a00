// Two files may own one host when their section paths differ; the same host and path in two files, or one route twice, is
// refused: which of the two would answer?
import { hostPatternText, parseHostPattern } from '../policy/host-pattern.ts'
import { foldPath } from '../policy/path-views.ts'
import type { PolicyIssue } from './issue.ts'
import type { PolicyDocument } from './parse.ts'
import { placed } from './placed.ts'
import type { DocumentPath } from './yaml-range.ts'

/** Everything that two of these documents claim for themselves. Never throws. */
export const ownershipIssues = (documents: readonly PolicyDocument[]): readonly PolicyIssue[] => {
  const owners = new Map<string, PolicyDocument>()
  return documents.flatMap((document) => [
    ...clashes(
      owners,
      document,
      [{ key: `route ${document.entry.route}`, path: ['route'] }],
      (key) => `the ${key}`,
    ),
    ...clashes(owners, document, placesOf(document), (key) => `\`${key}\``),
  ])
}

interface OwnedPlace {
  readonly key: string
  readonly path: DocumentPath
}

const placesOf = (document: PolicyDocument): readonly OwnedPlace[] => {
  const hosts = document.entry.hosts.map(parseHostPattern).filter((pattern) => pattern !== undefined)
  return document.entry.sections.flatMap((section, index) =>
    hosts.map((host) => ({
      key: `${hostPatternText(host)}${foldPath(section.path)}`,
      path: ['sections', index, 'path'],
    })),
  )
}

const clashes = (
  owners: Map<string, PolicyDocument>,
  document: PolicyDocument,
  places: readonly OwnedPlace[],
  nameOf: (key: string) => string,
): readonly PolicyIssue[] =>
  places.flatMap(({ key, path }) => {
    const owner = owners.get(key)
    if (owner === undefined) owners.set(key, document)
    if (owner === undefined || owner === document) return []
    const what = `${nameOf(key)} is owned by ${owner.file.path} already`
    const why = 'only one of the two could answer'
    return placed(document, [
      { path, part: 'value', fault: { code: 'E02', what, why, mend: 'remove it from one of the two files' } },
    ])
  })
