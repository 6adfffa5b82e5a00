// Stages and candidates are not built yet. A folder that asks for them is refused: a candidate that is silently not
// applied would look like a rollout that went well.
import type { FolderFile } from './folder.ts'
import { issueOfFile, type PolicyIssue } from './issue.ts'
import { readYamlTree } from './yaml-tree.ts'

/** What of a folder would be ignored if it loaded. Never throws. */
export const stagingIssues = (files: readonly FolderFile[]): readonly PolicyIssue[] =>
  files.flatMap((file) => {
    if (file.role === 'candidate')
      return [
        issueOfFile(
          file.path,
          notBuilt('candidate policies are', 'the live policy would go on to answer alone'),
        ),
      ]
    if (file.role !== 'stages' || saysNothing(file.text)) return []
    return [
      issueOfFile(file.path, notBuilt('stages are', 'every route would be answered by its live policy')),
    ]
  })

const notBuilt = (subject: string, why: string) =>
  ({ code: 'E18', what: `${subject} not built yet`, why, mend: 'remove the file until they are' }) as const

/** Empty, or a heading without routes. */
const saysNothing = (text: string): boolean => {
  if (text.split('\n').every((line) => /^\s*(?:#|$)/.test(line))) return true
  const reading = readYamlTree(text)
  if (reading.kind === 'refused' || reading.faults.length > 0) return false
  const { value } = reading.tree
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.entries(value).every(
    ([key, inside]) => key === 'apiVersion' || (key === 'routes' && isEmpty(inside)),
  )
}

const isEmpty = (value: unknown): boolean =>
  value === null || (typeof value === 'object' && value !== null && Object.keys(value).length === 0)
