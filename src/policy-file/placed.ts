// A fault of a document at the path of a value, before and after it has a line and column.
import { issueAt, type Fault, type PolicyIssue } from './issue.ts'
import type { PolicyDocument } from './parse.ts'
import type { DocumentPath } from './yaml-range.ts'

/** A fault with its place in the document. */
export interface DocumentFault {
  readonly path: DocumentPath
  readonly part: 'key' | 'value'
  readonly fault: Fault
}

/** A finding with the document that it is about. */
export interface Finding extends DocumentFault {
  readonly document: PolicyDocument
}

/** Places faults of a document. */
export const placed = (document: PolicyDocument, faults: readonly DocumentFault[]): readonly PolicyIssue[] =>
  faults.map(({ path, part, fault }) => issueAt(document.file, document.rangeOf(path, part), fault))
