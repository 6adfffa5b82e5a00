// Two files may own one host when their section paths differ; the same host and path in two files, or one route twice, is
// refused: which of the two would answer?
import { hostPatternText, parseHostPattern } from '../policy/host-pattern.ts'
import { foldPath } from '../policy/path-views.ts'
import type { Steps } from '../policy/steps.ts'
import type { TextRange } from '../policy/text-excerpt.ts'
import { issueAt, type PolicyFile, type PolicyIssue } from './issue.ts'
import type { PolicyDocument } from './parse.ts'

/** Something that one file alone may claim, and where it does. */
export interface OwnedPlace {
  readonly key: string
  readonly name: string
  readonly range: TextRange
}

/** A file with what it claims for itself. */
export interface Claimant {
  readonly file: PolicyFile
  readonly owned: readonly OwnedPlace[]
}

/** What a document claims for itself: its route, and each path on each host. Never throws. */
export const ownedPlaces = (document: PolicyDocument): readonly OwnedPlace[] => {
  const { entry, rangeOf } = document
  const hosts = entry.hosts.map(parseHostPattern).filter((pattern) => pattern !== undefined)
  const route = `route ${entry.route}`
  return [
    { key: route, name: `the ${route}`, range: rangeOf(['route'], 'value') },
    ...entry.sections.flatMap((section, index) => {
      const range = rangeOf(['sections', index, 'path'], 'value')
      return hosts.map((host): OwnedPlace => {
        const key = `${hostPatternText(host)}${foldPath(section.path)}`
        return { key, name: `\`${key}\``, range }
      })
    }),
  ]
}

/** Everything that two of these files claim for themselves. Never throws. */
export function* ownershipIssues(claimants: readonly Claimant[]): Steps<readonly PolicyIssue[]> {
  const owners = new Map<string, PolicyFile>()
  const issues: PolicyIssue[] = []
  for (const { file, owned } of claimants) {
    for (const place of owned) {
      const owner = owners.get(place.key)
      if (owner === undefined) owners.set(place.key, file)
      else if (owner !== file) issues.push(clash(file, place, owner))
    }
    yield
  }
  return issues
}

const clash = (file: PolicyFile, { name, range }: OwnedPlace, owner: PolicyFile): PolicyIssue =>
  issueAt(file, range, {
    code: 'E02',
    what: `${name} is owned by ${owner.path} already`,
    why: 'only one of the two could answer',
    mend: 'remove it from one of the two files',
  })
