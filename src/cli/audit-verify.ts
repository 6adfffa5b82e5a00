// `postern audit verify`: 0 the log is whole, or its writer was killed · 1 it was changed, cut, or nobody vouches for it ·
// 2 a file or key cannot be read.
import { readFileSync } from 'node:fs'
import { readLogKey, type LogKey } from '../audit/log-key.ts'
import type { Finding, Note } from '../audit/verify-finding.ts'
import { verifyFiles } from '../audit/verify-files.ts'
import type { Expected } from '../audit/verify.ts'
import { faultOf } from '../config/secret-source.ts'
import { complain } from './complain.ts'
import { auditJson, auditText, findingText, type AuditReport } from './report-audit.ts'

export interface VerifyCommandOptions {
  readonly key: readonly string[]
  readonly expect: readonly string[]
  readonly output: 'text' | 'json'
}

/** More are counted, not kept: a log of another form has one for each line. */
const KEPT_MAX = 1_000

/** Prints what it finds; returns the exit code. */
export const verifyAudit = async (
  files: readonly string[],
  options: VerifyCommandOptions,
): Promise<number> => {
  const keys = readKeys(options.key)
  if (typeof keys === 'string') return complain(keys)
  const expected = readExpected(options.expect)
  if (typeof expected === 'string') return complain(expected)
  const findings: Finding[] = []
  const notes: Note[] = []
  let more = 0
  const isText = options.output === 'text'
  const listener = {
    finding: (finding: Finding) => {
      if (findings.length >= KEPT_MAX) more += 1
      else {
        findings.push(finding)
        if (isText) process.stdout.write(`${findingText(finding)}\n`)
      }
    },
    note: (note: Note) => {
      // One of each kind in any case: the verdict rests on them.
      if (notes.length < KEPT_MAX || !notes.some(({ kind }) => kind === note.kind)) notes.push(note)
    },
  }
  const verdict = await verifyFiles(files, { keys, expected }, listener, process.stdin)
  if (verdict.kind === 'unreadable') return complain(verdict.why)
  const report: AuditReport = { files: verdict.files, log: verdict.log, findings, notes, more }
  process.stdout.write(isText ? auditText(report) : `${JSON.stringify(auditJson(report), undefined, 2)}\n`)
  return findings.length === 0 ? 0 : 1
}

/** Keys by their id, undefined where none was named; or what is wrong with one. */
const readKeys = (paths: readonly string[]): ReadonlyMap<string, LogKey> | undefined | string => {
  const keys = new Map<string, LogKey>()
  for (const path of paths) {
    let pem: string
    try {
      pem = readFileSync(path, 'utf8')
    } catch (error) {
      return `option \`--key\`: cannot read \`${path}\`: ${faultOf(error)}`
    }
    const key = readLogKey(pem)
    if (key === undefined)
      return `option \`--key\`: \`${path}\` is no Ed25519 key in PEM; \`openssl pkey -in audit.pem -pubout\` prints the public one`
    keys.set(key.keyId, key)
  }
  return paths.length === 0 ? undefined : keys
}

const readExpected = (texts: readonly string[]): readonly Expected[] | string => {
  const expected: Expected[] = []
  for (const text of texts) {
    const one = expectedOf(text)
    if (one === undefined)
      return `option \`--expect\`: \`${text}\` is neither a hash (64 hex digits) nor a line number, such as \`1200\` or \`WRITER:1200\``
    expected.push(one)
  }
  return expected
}

const expectedOf = (text: string): Expected | undefined => {
  if (/^[0-9a-f]{64}$/.test(text)) return { kind: 'hash', hash: text }
  const [, writer, seq] = /^(?:(.+):)?([1-9]\d{0,14})$/.exec(text) ?? []
  return seq === undefined ? undefined : { kind: 'seq', seq: Number(seq), writer }
}
