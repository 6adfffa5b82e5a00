// Bytes of one file → a document whose form is right, with the place of every value; or all that is wrong with it.
import type { z } from 'zod'
import type { TextRange } from '../policy/text-excerpt.ts'
import { issueAt, type PolicyFile, type PolicyIssue } from './issue.ts'
import { policySchema, type PolicyEntry } from './schema.ts'
import { schemaFaults } from './schema-fault.ts'
import type { PlacedFault } from './yaml-fault.ts'
import type { DocumentPath } from './yaml-range.ts'
import { readYamlTree } from './yaml-tree.ts'

/** A file in the form that its schema asks for. */
export interface ParsedFile<Entry> {
  readonly file: PolicyFile
  readonly entry: Entry
  /** The place of a value or its key; of the nearest parent where the path does not exist. */
  readonly rangeOf: (path: DocumentPath, part: 'key' | 'value') => TextRange
}

/** One policy file, its form checked, its laws not yet. */
export type PolicyDocument = ParsedFile<PolicyEntry>

export type Parsed<Entry> =
  | { readonly kind: 'parsed'; readonly document: ParsedFile<Entry> }
  | { readonly kind: 'refused'; readonly issues: readonly PolicyIssue[] }

const MAX_ISSUES = 50

/**
 * Parses one policy file.
 * @param file untrusted text
 * @returns the document, or every issue found; never throws
 */
export const parsePolicy = (file: PolicyFile): Parsed<PolicyEntry> => parseFile(file, policySchema)

/** The same for any schema of a policy folder. */
export const parseFile = <Schema extends z.ZodType>(
  file: PolicyFile,
  schema: Schema,
): Parsed<z.output<Schema>> => {
  const reading = readYamlTree(file.text)
  if (reading.kind === 'refused') return refused(file, reading.faults)
  const { tree, faults } = reading
  const result = schema.safeParse(tree.value)
  if (!result.success) return refused(file, joined(faults, schemaFaults(schema, result.error.issues, tree)))
  if (faults.length > 0) return refused(file, faults)
  return { kind: 'parsed', document: { file, entry: result.data, rangeOf: tree.rangeOf } }
}

/** One complaint for each value: what the reader refused, the schema need not refuse again. */
const joined = (first: readonly PlacedFault[], second: readonly PlacedFault[]): readonly PlacedFault[] => {
  const starts = new Set(first.map(({ range }) => range[0]))
  return [...first, ...second.filter(({ range }) => !starts.has(range[0]))]
}

const refused = (file: PolicyFile, faults: readonly PlacedFault[]): Parsed<never> => ({
  kind: 'refused',
  issues: faults.slice(0, MAX_ISSUES).map(({ range, fault }) => issueAt(file, range, fault)),
})
