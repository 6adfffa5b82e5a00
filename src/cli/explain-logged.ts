// `postern explain --id`: a decision of the log, decided again. 0: allowed, for certain, and as it was logged · 1: denied,
// another answer than logged, or not certain · 2: no such decision, or nothing to decide by.
import { findDecision, type DecisionSearch } from '../audit/find-decision.ts'
import { explainLogged, type LoggedExplanation } from '../rehearse/explain-logged.ts'
import { loggedJson, loggedLine, loggedText, type LoggedPlace } from '../rehearse/explain-logged-text.ts'
import { complain } from './complain.ts'
import { choosePolicies, tellRefusal, type FolderOptions } from './policy-source.ts'

export interface LoggedOptions extends FolderOptions {
  readonly id: string
  readonly log: readonly string[]
  readonly output: 'text' | 'line' | 'json'
  readonly at?: number
}

/** Prints the explanation; returns the exit code. */
export const explainFromLog = async (dir: string | undefined, options: LoggedOptions): Promise<number> => {
  const search = await findDecision(options.log, options.id)
  if (search.kind !== 'found') return complain(faultOfSearch(search, options))
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

const faultOfSearch = (search: Exclude<DecisionSearch, { kind: 'found' }>, options: LoggedOptions): string =>
  search.kind === 'unreadable'
    ? search.why
    : `no decision \`${options.id}\` in ${options.log.join(', ')}; it may be in an older file, or be counted only (\`log: changes\`)`

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
