// A caller as written on a command line, `groups=sre,platform; cred=session; claim.dept=payroll`, → the same entry that
// tests use, checked by the same laws.
import { callerFaults } from '../policy-file/test-law.ts'
import { callerSchema, type CallerEntry } from '../policy-file/schema-rule.ts'
import { didYouMean } from '../policy/closest-word.ts'
import { ANY_SOURCE, type Caller } from './caller.ts'

export type CallerReading =
  | { readonly kind: 'caller'; readonly caller: Caller }
  | { readonly kind: 'refused'; readonly why: string }

const LISTS = [
  'users',
  'emails',
  'email_domains',
  'groups',
  'all_groups',
  'clients',
  'service_accounts',
  'amr',
] as const
const SINGLE = ['acr', 'auth_age', 'cred', 'ip'] as const

/** Singular and other names that people write. */
const SYNONYMS: Readonly<Record<string, string>> = {
  user: 'users',
  email: 'emails',
  email_domain: 'email_domains',
  group: 'groups',
  client: 'clients',
  service_account: 'service_accounts',
}

const KNOWN: readonly string[] = [...LISTS, ...SINGLE, 'authenticated', 'claim.NAME']

/**
 * Parses a caller.
 * @param text from a command line; empty or `anonymous` is nobody
 * @returns the caller, or what is wrong with it; never throws
 */
export const parseCaller = (text: string): CallerReading => {
  const parts = text.split(';').flatMap((part) => (part.trim() === '' ? [] : [part.trim()]))
  if (parts.length === 0 || (parts.length === 1 && parts[0] === 'anonymous'))
    return { kind: 'caller', caller: 'anonymous' }
  const entry: Record<string, unknown> = Object.create(null)
  const claims: Record<string, unknown> = Object.create(null)
  for (const part of parts) {
    const at = part.indexOf('=')
    const written = at < 0 ? part : part.slice(0, at).trim()
    const value = at < 0 ? '' : part.slice(at + 1).trim()
    const key = Object.hasOwn(SYNONYMS, written) ? (SYNONYMS[written] ?? written) : written
    const fault = put(key, value, entry, claims)
    if (fault !== undefined) return { kind: 'refused', why: fault }
  }
  if (Object.keys(claims).length > 0) entry['claims'] = claims
  return judged(entry)
}

const put = (
  key: string,
  value: string,
  entry: Record<string, unknown>,
  claims: Record<string, unknown>,
): string | undefined => {
  const claim = /^claims?\.(.+)$/.exec(key)?.[1]
  const target = claim === undefined ? entry : claims
  const name = claim ?? key
  if (Object.hasOwn(target, name)) return `\`${key}\` stands twice; separate values by commas`
  const read = valueOf(name, value, claim !== undefined)
  if (read === undefined) return `unknown key \`${key}\`${didYouMean(key, KNOWN)}; known: ${KNOWN.join(', ')}`
  target[name] = read
  return undefined
}

const valueOf = (key: string, value: string, isClaim: boolean): unknown => {
  const values = value.split(',').map((one) => one.trim())
  if (isClaim) {
    const scalars = values.map(scalar)
    return scalars.length === 1 ? scalars[0] : scalars
  }
  if (LISTS.some((name) => name === key)) return key === 'users' ? values.map(withSource) : values
  if (SINGLE.some((name) => name === key)) return value
  return key === 'authenticated' && (value === '' || value === 'true') ? true : undefined
}

/** A person without a provider is one of whichever provider the route believes. */
const withSource = (user: string): string => (user.includes('|') ? user : `${ANY_SOURCE}|${user}`)

/** `3` and `true` are a number and a boolean, `"3"` is text, as in a policy. */
const scalar = (text: string): unknown => {
  if (/^-?(?:0|[1-9]\d*)(?:\.\d*[1-9])?$/.test(text)) return Number(text)
  if (text === 'true' || text === 'false') return text === 'true'
  return /^"[^"]*"$/.test(text) ? text.slice(1, -1) : text
}

const judged = (entry: unknown): CallerReading => {
  const parsed = callerSchema.safeParse(entry)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const key = issue?.path.findLast((step) => typeof step === 'string') ?? 'the caller'
    return { kind: 'refused', why: `\`${key}\` must be ${issue?.message ?? 'well-formed'}` }
  }
  const caller: CallerEntry = parsed.data
  const [fault] = callerFaults(caller)
  return fault === undefined
    ? { kind: 'caller', caller }
    : { kind: 'refused', why: `${fault.fault.what}; ${fault.fault.mend}` }
}
