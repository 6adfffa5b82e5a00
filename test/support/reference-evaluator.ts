// A second, slow reading of the policy language: straight from the file's entries, without compiling, indexing or caching.
// It shares no code with the engine but types, so that both must be wrong in the same way to agree on a wrong answer.
import type { RuleEntry } from '../../src/policy-file/schema-rule.ts'
import type { PolicyEntry, SectionEntry } from '../../src/policy-file/schema.ts'
import type { ClaimScalar, Principal } from '../../src/policy/principal.ts'

export type ReferenceOutcome = 'allow' | 'step-up' | 'challenge' | 'deny'

export interface ReferenceRequest {
  readonly host: string
  readonly method: string
  /** As sent, without query. */
  readonly path: string
  readonly preflight: boolean
}

type Finding = 'hit' | 'miss' | 'no-credential' | 'not-captured' | 'step-up'

const STRICTNESS: readonly ReferenceOutcome[] = ['allow', 'step-up', 'challenge', 'deny']

/** Decides a request; the caller's credential counts in sections that accept its kind. */
export const referenceOutcome = (
  entries: readonly PolicyEntry[],
  request: ReferenceRequest,
  principal: Principal | undefined,
  nowMs: number,
): ReferenceOutcome => {
  const views = allViews(request.path)
  if (views === undefined) return 'deny'
  const owners = views.map((view) => ownerOf(entries, request.host, view))
  const routes = new Set(owners.map((owner) => owner?.entry.route))
  if (owners.includes(undefined) || routes.size > 1) return 'deny'
  const outcomes = owners.flatMap((owner, index) =>
    owner === undefined ? [] : [judge(owner, views[index] ?? '/', views, request, principal, nowMs)],
  )
  return outcomes.reduce((kept, next) => (STRICTNESS.indexOf(next) > STRICTNESS.indexOf(kept) ? next : kept))
}

/** Every reading, folded; undefined where the path is refused. */
export const allViews = (raw: string): readonly string[] | undefined => {
  const badEscape = raw
    .split('%')
    .slice(1)
    .some((rest) => !/^[0-9a-fA-F]{2}/.test(rest))
  const control = raw.split('').some((one) => one.charCodeAt(0) < 0x20 || one.charCodeAt(0) === 0x7f)
  if (!raw.startsWith('/') || raw.length > 8192 || badEscape || control || raw.includes('%00'))
    return undefined
  let found = new Set([raw])
  for (;;) {
    const next = new Set(found)
    for (const view of found)
      for (const read of READERS) {
        const reading = read(view)
        if (reading === undefined) return undefined
        next.add(reading)
      }
    if (next.size > 16 || [...next].join('').length > 32_768) return undefined
    if (next.size === found.size) break
    found = next
  }
  return [...new Set([...found].map(folded))]
}

const decoded = (view: string): string => {
  let text = ''
  for (let at = 0; at < view.length; at += 1) {
    const hex = view.slice(at + 1, at + 3)
    const escape = view[at] === '%' && /^[0-9a-fA-F]{2}$/.test(hex)
    text += escape ? String.fromCharCode(Number.parseInt(hex, 16)) : (view[at] ?? '')
    if (escape) at += 2
  }
  return text
}

const withoutParameters = (view: string): string =>
  view
    .split('/')
    .map((segment) => segment.split(';')[0])
    .join('/')

const resolved = (view: string): string | undefined => {
  const stack: string[] = []
  const segments = view.split('/')
  for (const segment of segments) {
    if (segment === '..') {
      if (stack.length === 0) return undefined
      stack.pop()
    } else if (segment !== '' && segment !== '.') stack.push(segment)
  }
  const open = ['', '.', '..'].includes(segments.at(-1) ?? '') && stack.length > 0
  return `/${stack.join('/')}${open ? '/' : ''}`
}

/** RFC 3986 §5.2.4 to the letter: an empty segment is a segment, and `..` takes it away. */
const removedDots = (view: string): string | undefined => {
  let input = view
  let output = ''
  while (input !== '') {
    if (input.startsWith('/./')) input = input.slice(2)
    else if (input === '/.') input = '/'
    else if (input.startsWith('/../') || input === '/..') {
      if (output === '') return undefined
      output = output.slice(0, output.lastIndexOf('/'))
      input = input === '/..' ? '/' : input.slice(3)
    } else {
      const end = input.indexOf('/', 1)
      output += end < 0 ? input : input.slice(0, end)
      input = end < 0 ? '' : input.slice(end)
    }
  }
  return output
}

const READERS: readonly ((view: string) => string | undefined)[] = [
  (view) => decoded(view),
  (view) => view.split('\\').join('/'),
  (view) => withoutParameters(view),
  (view) => view.split(/\/+/).join('/'),
  (view) => resolved(view),
  (view) => removedDots(view),
]

const folded = (path: string): string => {
  const lower = path
    .split('')
    .map((one) => (one >= 'A' && one <= 'Z' ? one.toLowerCase() : one))
    .join('')
  return lower.length > 1 && lower.endsWith('/') ? lower.slice(0, -1) : lower
}

interface Owner {
  readonly entry: PolicyEntry
  readonly section: SectionEntry
}

/** Of a folded path. */
const segmentsOf = (path: string): readonly string[] => (path === '/' ? [] : path.slice(1).split('/'))

const covers = (pattern: string, exact: boolean, path: string): boolean => {
  const [want, have] = [segmentsOf(folded(pattern)), segmentsOf(path)]
  if (exact ? want.length !== have.length : want.length > have.length) return false
  return want.every((segment, index) => (segment === '*' ? have[index] !== '' : segment === have[index]))
}

const ownerOf = (entries: readonly PolicyEntry[], host: string, view: string): Owner | undefined => {
  const exact = entries.filter((entry) => entry.hosts.includes(host))
  const wild = entries.filter((entry) => entry.hosts.includes(`*.${host.split('.').slice(1).join('.')}`))
  const owners = (exact.length > 0 ? exact : wild).flatMap((entry) =>
    entry.sections
      .filter((section) => covers(section.path, section.exact === true, view))
      .map((section): Owner => ({ entry, section })),
  )
  return owners.toSorted((one, other) => moreSpecific(one.section, other.section))[0]
}

const moreSpecific = (one: SectionEntry, other: SectionEntry): number => {
  if ((one.exact === true) !== (other.exact === true)) return one.exact === true ? -1 : 1
  const [a, b] = [segmentsOf(folded(one.path)), segmentsOf(folded(other.path))]
  if (a.length !== b.length) return b.length - a.length
  const at = a.findIndex((segment, index) => segment !== b[index])
  return at < 0 ? 0 : a[at] === '*' ? 1 : -1
}

const judge = (
  { entry, section }: Owner,
  view: string,
  views: readonly string[],
  request: ReferenceRequest,
  principal: Principal | undefined,
  nowMs: number,
): ReferenceOutcome => {
  const accepts = section.accepts ?? entry.accepts ?? ['session']
  const caller = principal !== undefined && accepts.includes(principal.credential) ? principal : undefined
  const inherited = entry.sections.filter(
    (other) => other !== section && other.exact !== true && covers(other.path, false, view),
  )
  const ask = (rule: RuleEntry, effect: 'allow' | 'deny'): Finding =>
    ruleFinding(rule, effect, { section, views, request, caller, nowMs })
  const denies = [section, ...inherited].flatMap((one) => one.deny ?? []).map((rule) => ask(rule, 'deny'))
  if (denies.includes('hit')) return 'deny'
  if (denies.some((one) => one !== 'miss')) return 'challenge'
  const allows = section.allow.map((rule) => ask(rule, 'allow'))
  if (allows.includes('hit')) return 'allow'
  if (allows.includes('no-credential') || allows.includes('not-captured')) return 'challenge'
  return allows.includes('step-up') ? 'step-up' : 'deny'
}

interface Scene {
  readonly section: SectionEntry
  readonly views: readonly string[]
  readonly request: ReferenceRequest
  readonly caller: Principal | undefined
  readonly nowMs: number
}

const ruleFinding = (rule: RuleEntry, effect: 'allow' | 'deny', scene: Scene): Finding => {
  const findings = [...requestFindings(rule, effect, scene), ...callerFindings(rule, effect, scene)]
  for (const one of ['miss', 'no-credential', 'not-captured', 'step-up'] as const)
    if (findings.includes(one)) return one
  return 'hit'
}

const yes = (condition: boolean): Finding => (condition ? 'hit' : 'miss')

const requestFindings = (rule: RuleEntry, effect: 'allow' | 'deny', scene: Scene): readonly Finding[] => {
  const { request, views, nowMs } = scene
  const found: Finding[] = []
  if (rule.methods !== undefined) {
    const method = request.method === 'HEAD' && !rule.methods.includes('HEAD') ? 'GET' : request.method
    const handshake = effect === 'deny' && method === 'WEBSOCKET' && rule.methods.includes('GET')
    found.push(yes(handshake || rule.methods.includes(method)))
  }
  if (rule.paths !== undefined) {
    const paths = rule.paths
    const lies = (view: string): boolean =>
      paths.some((path) =>
        path.endsWith('/**') ? covers(path.slice(0, -3) || '/', false, view) : covers(path, true, view),
      )
    found.push(yes(effect === 'allow' ? views.every(lies) : views.some(lies)))
  }
  if (rule.until !== undefined) found.push(yes(nowMs < Date.parse(`${rule.until}T00:00:00Z`) + 86_400_000))
  if (rule.preflight === true) found.push(yes(request.preflight))
  if (rule.anyone === true && effect === 'allow' && !opens(scene))
    found.push(scene.caller === undefined ? 'no-credential' : yes(scene.caller.kind === 'person'))
  return found
}

/** A public rule holds only where everybody reads the path in one way, letter by letter inside the section. */
const opens = ({ section, request }: Scene): boolean => {
  const want = section.path === '/' ? [] : section.path.replace(/\/$/, '').split('/').slice(1)
  const path = request.path.length > 1 ? request.path.replace(/\/$/, '') : request.path
  const have = path === '/' ? [] : path.split('/').slice(1)
  const lies = section.exact === true ? want.length === have.length : want.length <= have.length
  return (
    lies &&
    want.every((segment, index) => (segment === '*' ? have[index] !== '' : segment === have[index])) &&
    !isOpaque(request.path)
  )
}

/** Reads differently after a decode: control bytes, `#`, `?`, or no UTF-8. */
const isOpaque = (raw: string): boolean => {
  const readings = [raw]
  for (let view = decoded(raw); !readings.includes(view); view = decoded(view)) readings.push(view)
  return readings.some(
    (view) =>
      view
        .split('')
        .some(
          (one) => one.charCodeAt(0) < 0x20 || one.charCodeAt(0) === 0x7f || one === '#' || one === '?',
        ) ||
      /%23|%3f/i.test(view) ||
      !Buffer.from(view, 'latin1').equals(
        Buffer.from(new TextDecoder().decode(Buffer.from(view, 'latin1')), 'utf8'),
      ),
  )
}

const callerFindings = (rule: RuleEntry, effect: 'allow' | 'deny', scene: Scene): readonly Finding[] => {
  const tests = callerTests(rule, effect, scene.nowMs)
  const { caller } = scene
  if (caller === undefined) return tests.map(() => (effect === 'deny' ? 'miss' : 'no-credential'))
  return tests.map((test) => test(caller))
}

const callerTests = (
  rule: RuleEntry,
  effect: 'allow' | 'deny',
  nowMs: number,
): readonly ((caller: Principal) => Finding)[] => {
  const unsure = yes(effect === 'deny')
  const claim =
    (name: string, matches: (values: readonly ClaimScalar[]) => boolean) =>
    (caller: Principal): Finding => {
      const value = caller.claims.get(name)
      if (caller.cut.has(name)) return unsure
      if (value !== undefined) return yes(matches([value].flat() as readonly ClaimScalar[]))
      if (caller.kind === 'machine') return 'miss'
      if (!caller.assertable.has(name)) return unsure
      return caller.captured === 'every' || caller.captured.has(name) ? 'miss' : 'not-captured'
    }
  const mail =
    (matches: (address: string) => boolean) =>
    (caller: Principal): Finding =>
      caller.claims.has('email') && !caller.cut.has('email') && !caller.emailVerified
        ? unsure
        : claim('email', (values) =>
            values.some((one) => typeof one === 'string' && matches(one.toLowerCase())),
          )(caller)
  const stepUp = (met: boolean, caller: Principal): Finding =>
    met ? 'hit' : caller.kind === 'machine' ? 'miss' : 'step-up'
  const tests: ((caller: Principal) => Finding)[] = []
  const { groups, all_groups, claims, users, clients, emails, email_domains, cred, amr, acr } = rule
  if (groups) tests.push(claim('groups', (has) => groups.some((one) => has.includes(one))))
  if (all_groups) tests.push(claim('groups', (has) => all_groups.every((one) => has.includes(one))))
  for (const [name, want] of Object.entries(claims ?? {}))
    tests.push(claim(name, (has) => has.some((one) => [want].flat().includes(one))))
  if (users) tests.push((caller) => yes(users.includes(`${caller.source}|${caller.subject}`)))
  if (clients)
    tests.push((caller) =>
      yes(caller.client !== undefined && clients.includes(`${caller.source}|${caller.client}`)),
    )
  if (rule.service_accounts) {
    const accounts = rule.service_accounts
    tests.push((caller) => yes(accounts.some((one) => one === caller.serviceAccount)))
  }
  if (emails) tests.push(mail((address) => emails.some((one) => one.toLowerCase() === address)))
  if (email_domains)
    tests.push(
      mail(
        (address) =>
          address.split('@').length === 2 &&
          email_domains.some((one) => address.endsWith(`@${one.toLowerCase()}`)),
      ),
    )
  if (rule.authenticated === true) tests.push((caller) => yes(caller.kind === 'person'))
  if (cred) tests.push((caller) => yes(cred.includes(caller.credential)))
  if (amr) tests.push((caller) => yes(amr.some((one) => caller.amr.includes(one))))
  if (acr) tests.push((caller) => yes(acr.some((one) => one === caller.acr)))
  if (rule.mfa === true) tests.push((caller) => stepUp(caller.multiFactor, caller))
  if (rule.auth_age !== undefined) {
    const hours = Number.parseInt(rule.auth_age, 10)
    tests.push((caller) =>
      stepUp(
        caller.authTimeSeconds !== undefined && nowMs / 1000 - caller.authTimeSeconds <= hours * 3600,
        caller,
      ),
    )
  }
  return tests
}
