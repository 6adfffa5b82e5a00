// A logged decision, decided again: by the same walk, from the facts and claims that the line holds. It says where the
// outcome is another one now, where the policies are, and where the line does not hold enough to be certain.
import type { DecisionLine } from '../audit/read.ts'
import { denied, strictest } from '../policy/decision.ts'
import { normalizeHost, type HostName } from '../policy/host-pattern.ts'
import { readPath } from '../policy/path-views.ts'
import type { PolicySet } from '../policy/policy-set.ts'
import { ANONYMOUS, type Authentication } from '../policy/principal.ts'
import type { Route, Section } from '../policy/route.ts'
import { explainFacts, explainMalformed, type CallerOf, type Explanation } from './explain.ts'
import { markGaps } from './gap-effect.ts'
import type { ImaginedRequest } from './imagined-request.ts'
import { recordedCaller, type Gap, type RecordedCaller } from './recorded-caller.ts'

/** A part of the answer that a log line holds too. */
export type DifferingPart = 'decision' | 'reason' | 'route' | 'section' | 'rule'

export type LoggedExplanation =
  | {
      readonly kind: 'decided'
      readonly line: DecisionLine
      readonly told: Explanation
      /** The set that decides now is the one that decided then. */
      readonly isSamePolicy: boolean
      /** In which parts the answer is another one now; empty = the same. */
      readonly differs: readonly DifferingPart[]
      /** What was read and was not recorded, where it could change the outcome; empty = certain. */
      readonly notRecorded: readonly string[]
    }
  /** No rule was ever asked: the line has no request, and says why. */
  | { readonly kind: 'before-policy'; readonly line: DecisionLine }

/** What a route that names no issuers believes; undefined where that is not known. */
export type BelievedByDefault = ((source: string) => boolean) | undefined

/**
 * Decides a logged request again.
 * @param atMs by default the time of the line
 * @returns an explanation for every decision line; never throws
 */
export const explainLogged = (
  set: PolicySet,
  line: DecisionLine,
  believed: BelievedByDefault,
  atMs: number = Date.parse(line.ts),
): LoggedExplanation => {
  const host = line.host === undefined ? undefined : normalizeHost(line.host)
  if (host === undefined || line.path === undefined || line.method === undefined)
    return { kind: 'before-policy', line }
  const again = (on: HostName): Again => decideAgain(set, line, on, believed, atMs)
  const reported = again(host)
  const servedHost = line.served === undefined ? undefined : normalizeHost(line.served)
  const decided = servedHost === undefined ? reported : stricter(reported, again(servedHost))
  const told = asserted(line, decided.told)
  return {
    kind: 'decided',
    line,
    told,
    isSamePolicy: line.policy === set.revision,
    differs: differingParts(line, told),
    notRecorded: told === decided.told ? decided.open : [],
  }
}

interface Again {
  readonly told: Explanation
  readonly open: readonly string[]
}

/** As the server does where the proxy says that it serves another host; what is open in either is open. */
const stricter = (reported: Again, served: Again): Again => ({
  ...(strictest(served.told.decision, reported.told.decision) === reported.told.decision ? reported : served),
  open: [...new Set([...reported.open, ...served.open])],
})

/** The decision URL named another route: that refuses, whatever the rules say. */
const asserted = (line: DecisionLine, told: Explanation): Explanation =>
  line.asserted === undefined || line.asserted === told.route?.id
    ? told
    : {
        ...told,
        outcome: 'deny',
        decision: denied('DENY_BAD_REQUEST', told.decision),
        note: `the decision URL asserts the route \`${line.asserted}\``,
      }

const decideAgain = (
  set: PolicySet,
  line: DecisionLine,
  host: HostName,
  believed: BelievedByDefault,
  atMs: number,
): Again => {
  const { path: raw = '/', method = 'GET', preflight = false, origin } = line
  const clientIp = line.src?.ip
  const request: ImaginedRequest = { host, method, path: raw, preflight, origin, clientIp }
  const cut = line.cut ?? []
  const reading = readPath(raw)
  if (reading.kind === 'malformed') return { told: explainMalformed(request, atMs, reading.why), open: cut }
  let recorded: RecordedCaller = { authentication: ANONYMOUS, gaps: new Set() }
  const callerOf: CallerOf = (route) => {
    recorded = recordedCaller(line, route)
    const { authentication } = recorded
    return (section) => onSection(authentication, route, section, believed)
  }
  const facts = { host, method, path: reading.path, preflight, origin, clientIp }
  const told = explainFacts(set, { request, facts }, callerOf, atMs)
  const gaps = new Set<Gap>([...recorded.gaps, ...unaskedGaps(set, line, told, recorded)])
  const marked = told.sections.map((section) => markGaps(section, gaps))
  const open = [
    ...cut,
    ...marked.flatMap((one) => one.open),
    ...(gaps.has('reason') && TELLS_REASON.has(told.outcome) ? ['reason'] : []),
  ]
  const sections = marked.map((one) => one.section)
  return { told: { ...told, sections }, open: [...new Set(open)] }
}

/** Outcomes whose reason may be that of a credential which did not count. */
const TELLS_REASON: ReadonlySet<Explanation['outcome']> = new Set(['challenge', 'indeterminate'])

/** A credential of a kind or source that the section does not believe is as good as none. */
const onSection = (
  authentication: Authentication,
  route: Route | undefined,
  section: Section,
  believed: BelievedByDefault,
): Authentication => {
  if (authentication.kind !== 'verified') return authentication
  const { source, credential } = authentication.principal
  const isBelieved = route?.issuers?.includes(source) ?? believed?.(source) ?? true
  return isBelieved && section.accepts.includes(credential)
    ? authentication
    : { kind: 'anonymous', note: 'not-believed' }
}

/**
 * Only what the answering section accepted was looked at then: where another section, or other policies, accept more,
 * there may have been more to see.
 */
const unaskedGaps = (
  set: PolicySet,
  line: DecisionLine,
  told: Explanation,
  { authentication }: RecordedCaller,
): readonly Gap[] => {
  const accepted = told.sections.map(({ section }) => [...section.accepts].toSorted().join())
  const isOneKind = new Set(accepted).size <= 1
  const isAsThen = line.policy === set.revision && line.section === told.answered?.path.text
  if (isOneKind && isAsThen) return []
  if (authentication.kind === 'verified' && told.sections.every(({ believed }) => believed)) return []
  return ['caller']
}

const differingParts = (line: DecisionLine, { decision }: Explanation): readonly DifferingPart[] => {
  const now: Readonly<Record<DifferingPart, string | undefined>> = {
    decision: decision.outcome,
    reason: decision.reason,
    route: decision.route,
    section: decision.section,
    rule: decision.rule,
  }
  const parts = ['decision', 'reason', 'route', 'section', 'rule'] as const
  return parts.filter((part) => now[part] !== line[part])
}
