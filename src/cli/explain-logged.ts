// `postern explain --id`: a decision of the log, decided again. 0: allowed, for certain, and as it was logged · 1: denied,
// another answer than logged, or not certain · 2: no such decision, or nothing to decide by.
import { existsSync } from 'node:fs'
import { findDecision, type DecisionSearch } from '../audit/find-decision.ts'
import { rotatedFiles } from '../audit/rotated-files.ts'
import { issueText } from '../config/issue.ts'
import { loadConfig } from '../config/load.ts'
import { explainLogged, type LoggedExplanation } from '../rehearse/explain-logged.ts'
import { loggedJson, loggedLine, loggedText, type LoggedPlace } from '../rehearse/explain-logged-text.ts'
import { complain } from './complain.ts'
import { DEFAULT_FILES, flagsOf } from './config-options.ts'
import { choosePolicies, tellRefusal, type FolderOptions } from './policy-source.ts'

export interface LoggedOptions extends FolderOptions {
  readonly id: string
  /** Without it, the log of the configuration. */
  readonly log?: readonly string[]
  readonly output: 'text' | 'line' | 'json'
  readonly at?: number
}

/** Prints the explanation; returns the exit code. */
export const explainFromLog = async (dir: string | undefined, options: LoggedOptions): Promise<number> => {
  const files = options.log ?? (await filesOfConfiguration(options))
  if (typeof files === 'string') return complain(files)
  const search = await findDecision(files, options.id)
  if (search.kind !== 'found') return complain(faultOfSearch(search, files, options.id))
  const choice = await choosePolicies(dir, options)
  if (choice.kind !== 'loaded') {
    tellRefusal(choice)
    return 2
  }
  const { sources, loaded } = choice
  const believed =
    sources === undefined
      ? undefined
      : (id: string) => sources.some((source) => source.id === id && source.isDefault)
  const logged = explainLogged(loaded.set, search.line, believed, options.at)
  const place = { file: search.file, number: search.number }
  process.stdout.write(printed(logged, place, loaded.set.revision, options.output))
  return isAsLogged(logged) ? 0 : 1
}

/** The newest first, since most questions are about today; a text says why there is none. */
const filesOfConfiguration = async (options: LoggedOptions): Promise<readonly string[] | string> => {
  const loaded = loadConfig({
    file: options.config ?? DEFAULT_FILES,
    env: process.env,
    flags: flagsOf(options),
  })
  if (loaded.kind === 'refused') return loaded.issues.map(issueText).join('\n')
  const { sink } = loaded.config.audit
  if (sink.kind === 'stdout')
    return 'option `--id`: the decision log goes to standard output (`audit.sink`); name the files that keep it with `--log`'
  const full = (await rotatedFiles(sink.path)).map(({ path }) => path).toReversed()
  // Between a full file and the next one there is none of that name.
  return full.length > 0 && !existsSync(sink.path) ? full : [sink.path, ...full]
}

const faultOfSearch = (
  search: Exclude<DecisionSearch, { kind: 'found' }>,
  files: readonly string[],
  id: string,
): string =>
  search.kind === 'unreadable'
    ? search.why.replace(/EISDIR$/, 'it is a folder; name the files in it')
    : `no decision \`${id}\` in ${files.join(', ')}; it may be in an older file, or be counted only (\`log: changes\`)`

const printed = (
  logged: LoggedExplanation,
  place: LoggedPlace,
  revision: string,
  output: LoggedOptions['output'],
): string => {
  switch (output) {
    case 'text':
      return loggedText(logged, place, revision)
    case 'line':
      return loggedLine(logged, place)
    case 'json':
      return `${JSON.stringify(loggedJson(logged, place, revision), undefined, 2)}\n`
  }
}

const isAsLogged = (logged: LoggedExplanation): boolean =>
  logged.kind === 'decided' &&
  logged.told.outcome === 'allow' &&
  logged.differs.length === 0 &&
  logged.notRecorded.length === 0
