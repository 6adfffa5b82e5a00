// In-file tests: each asks the engine one question and compares the answer. The same walk as the server's.
import { parseMoment, withinMs } from '../policy-file/calendar.ts'
import { ruleKey, type TestVerdict } from '../policy-file/check-test.ts'
import type { LoadedPolicies } from '../policy-file/load.ts'
import type { PolicyDocument } from '../policy-file/parse.ts'
import { TEST_VERBS, type TestEntry } from '../policy-file/schema.ts'
import { didYouMean } from '../policy/closest-word.ts'
import { normalizeHost, type HostName } from '../policy/host-pattern.ts'
import type { PolicySet } from '../policy/policy-set.ts'
import type { Route } from '../policy/route.ts'
import { explain, type Explanation } from './explain.ts'
import { explainLine } from './explain-text.ts'

/** One in-file test, run. */
export interface CaseResult extends TestVerdict {
  /** What it asks, as one line. */
  readonly name: string
  readonly expected: string
  readonly got: string
  readonly told: Explanation
}

/**
 * Runs every in-file test of a loaded set.
 * @param nowMs the time of tests that do not say `at`
 * @returns one result for each test, in the order of files and lines; never throws
 */
export const runCases = (loaded: LoadedPolicies, nowMs: number): readonly CaseResult[] =>
  loaded.documents.flatMap((document) =>
    (document.entry.tests ?? []).map((test, index) => runCase(loaded.set, document, test, index, nowMs)),
  )

const runCase = (
  set: PolicySet,
  document: PolicyDocument,
  test: TestEntry,
  index: number,
  nowMs: number,
): CaseResult => {
  const { method, path } = requestOf(test)
  const moment = test.at === undefined ? undefined : parseMoment(test.at)
  const request = {
    method,
    path,
    host: hostOf(test, document),
    preflight: test.preflight === true,
    origin: test.origin,
    clientIp: undefined,
  }
  const told = explain(set, request, test.as, moment === undefined ? nowMs : withinMs(moment))
  const got = [told.outcome, ...ruleIdOf(told)].join(' ')
  const passed = meets(test.expect, told)
  return {
    document,
    index,
    name: nameOf(test, method, path),
    expected: test.expect,
    got,
    told,
    failure: passed ? undefined : failureOf(test, told, got, set.routes.get(document.entry.route)),
    reached: reachedBy(told),
  }
}

const requestOf = (test: TestEntry): { readonly method: string; readonly path: string } => {
  const verb = TEST_VERBS.find((name) => test[name] !== undefined)
  if (verb !== undefined) return { method: verb.toUpperCase(), path: test[verb] ?? '/' }
  const [method = 'GET', path = '/'] = (test.request ?? '').split(' ')
  return { method, path }
}

// The laws of tests make sure that one of the two is there; an empty host is nobody's.
const hostOf = (test: TestEntry, document: PolicyDocument): HostName => {
  const named = test.host ?? document.entry.hosts.find((host) => !host.startsWith('*'))
  const host = normalizeHost(named ?? 'invalid')
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the host of nobody
  return host ?? ('invalid' as HostName)
}

const nameOf = (test: TestEntry, method: string, path: string): string => {
  const who = test.as === 'anonymous' ? 'anonymous' : callerText(test.as)
  const host = test.host === undefined ? '' : ` on ${test.host}`
  const at = test.at === undefined ? '' : ` at ${test.at}`
  return `${who}: ${test.preflight === true ? 'preflight for ' : ''}${method} ${path}${host}${at}`
}

const callerText = (caller: Exclude<TestEntry['as'], 'anonymous'>): string =>
  Object.entries(caller)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => (value === true ? key : `${key}=${valueText(value)}`))
    .join(' ')

const valueText = (value: unknown): string => {
  if (Array.isArray(value)) return value.map(valueText).join(',')
  return typeof value === 'string' ? value : JSON.stringify(value)
}

const ruleIdOf = (told: Explanation): readonly string[] => {
  const { rule } = told.decision
  return rule === undefined ? [] : [rule.slice(rule.indexOf('#') + 1)]
}

const meets = (expected: string, told: Explanation): boolean => {
  const [outcome, rule] = expected.split(' ')
  if (outcome !== told.outcome) return false
  return rule === undefined || ruleIdOf(told).includes(rule)
}

const failureOf = (
  test: TestEntry,
  told: Explanation,
  got: string,
  route: Route | undefined,
): NonNullable<TestVerdict['failure']> => {
  const rules = (route?.sections ?? []).flatMap(({ deny, allow }) =>
    [...deny, ...allow].map((rule) => rule.id),
  )
  const [, named] = test.expect.split(' ')
  const unknown =
    named !== undefined && !rules.includes(named) ? `; no rule \`${named}\`${didYouMean(named, rules)}` : ''
  return {
    what: `expected \`${test.expect}\`, got \`${got}\`${unknown}`,
    why: explainLine(told),
    mend: 'correct the rules, or what is expected of them',
  }
}

/** The rule that decided: without it the answer would have another reason. */
const reachedBy = ({ decision, sections, answered }: Explanation): readonly string[] => {
  if (decision.outcome !== 'allow' && decision.outcome !== 'deny') return []
  const walked = sections.find((one) => one.section === answered)?.rules ?? []
  const decided = walked.find(({ rule, finding }) => rule.name === decision.rule && finding !== 'miss')
  return decided === undefined ? [] : [ruleKey(decided.rule)]
}
