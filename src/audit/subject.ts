// Who called, in the words of the log, and the claims that the rules read of him: enough to decide again, nothing more.
import type { CredentialKind } from '../policy/credential-kind.ts'
import { claimState, type Authentication, type ClaimScalar, type Principal } from '../policy/principal.ts'
import { flat, jsonString } from './json-text.ts'

/** Longest text of a header or a name in a line. */
export const AGENT_MAX = 200
/** Longest value of a claim, and most values of one. */
export const VALUE_MAX = 512
export const VALUES_MAX = 64

/** What of a caller is the same in each of his lines. */
interface SubjectTexts {
  readonly readClaims: readonly string[]
  /** `,"sub":{…` up to where the age follows. */
  readonly head: string
  /** Closes `sub`; then `,"attrs":{…}`, or nothing. */
  readonly end: string
}

/** A cached decision carries one principal object for many requests. */
const known = new WeakMap<Principal, SubjectTexts>()

/**
 * `,"sub":{…}`, and `,"attrs":{…}` where the rules read claims of a verified caller.
 * @param readClaims names; the array is told apart by identity
 * @param isKept the principal is that of a cached decision, and will come again. Never throws.
 */
export const subjectText = (
  authentication: Authentication | undefined,
  readClaims: readonly string[],
  nowMs: number,
  isKept: boolean,
): string => {
  if (authentication?.kind !== 'verified') return unknownSubject(authentication)
  const { principal } = authentication
  const texts = isKept ? keptTexts(principal, readClaims) : textsOf(principal, readClaims)
  return texts.head + ageText(principal, nowMs) + stepUpText(principal, nowMs) + texts.end
}

const ageText = ({ authTimeSeconds }: Principal, nowMs: number): string =>
  authTimeSeconds === undefined ? '' : ',"age":' + Math.floor(nowMs / 1000 - authTimeSeconds)

/** What is remembered of a step-up that did not help decides, too. */
const stepUpText = ({ stepUp }: Principal, nowMs: number): string =>
  stepUp === undefined
    ? ''
    : `,"asked":{"rule":${jsonString(stepUp.rule)},"age":${Math.floor(nowMs / 1000 - stepUp.atSeconds)}}`

const keptTexts = (principal: Principal, readClaims: readonly string[]): SubjectTexts => {
  const kept = known.get(principal)
  if (kept?.readClaims === readClaims) return kept
  const { head, end } = textsOf(principal, readClaims)
  const texts = { readClaims, head: flat(head), end: flat(end) }
  known.set(principal, texts)
  return texts
}

const textsOf = (principal: Principal, readClaims: readonly string[]): SubjectTexts => ({
  readClaims,
  head: headText(principal, readClaims),
  end: `}${attributes(principal, readClaims)}`,
})

const unknownSubject = (
  authentication: Exclude<Authentication, { kind: 'verified' }> | undefined,
): string => {
  switch (authentication?.kind) {
    case 'anonymous':
      return `,"sub":{"kind":"anonymous"${authentication.note === undefined ? '' : `,"note":"${authentication.note}"`}}`
    case 'rejected':
      return `,"sub":{"kind":"anonymous","note":"rejected","cred":"${authentication.credential}"}`
    case 'unavailable':
    case 'ambiguous':
      return `,"sub":{"kind":"anonymous","note":"${authentication.kind}"}`
    case undefined:
      return ',"sub":{"kind":"anonymous"}'
  }
}

const KIND_OF: Readonly<Partial<Record<CredentialKind, string>>> = {
  'service-account': 'sa',
  'api-key': 'key',
  basic: 'basic',
}

const headText = (principal: Principal, readClaims: readonly string[]): string => {
  const kind = KIND_OF[principal.credential] ?? (principal.kind === 'person' ? 'user' : 'machine')
  const email = readClaims.includes('email') ? `,"ev":${principal.emailVerified}` : ''
  return (
    `,"sub":{"kind":"${kind}","id":${jsonString(`${principal.source}|${principal.subject.slice(0, VALUE_MAX)}`)}` +
    named('name', nameOf(principal)) +
    `,"cred":"${principal.credential}"` +
    named('client', principal.client) +
    email +
    (principal.amr.length === 0 ? '' : `,"amr":${list(principal.amr.slice(0, VALUES_MAX))}`) +
    named('acr', principal.acr) +
    (principal.multiFactor ? ',"mfa":true' : '')
  )
}

const named = (key: string, text: string | undefined): string =>
  text === undefined ? '' : `,"${key}":${jsonString(text.slice(0, AGENT_MAX))}`

const nameOf = ({ claims }: Principal): string | undefined => {
  const name = claims.get('email') ?? claims.get('preferred_username')
  return typeof name === 'string' ? name : undefined
}

const attributes = (principal: Principal, names: readonly string[]): string => {
  if (names.length === 0) return ''
  return `,"attrs":{${names.map((name) => `${jsonString(name)}:${attribute(principal, name)}`).join()}}`
}

/** The values of a claim, or the state that it is in. A value that is not whole says so: it is not the truth. */
const attribute = (principal: Principal, name: string): string => {
  const state = claimState(principal, name)
  if (state.kind !== 'present') return `{"state":"${state.kind}"}`
  const { values } = state
  const isWhole =
    values.length <= VALUES_MAX &&
    (name !== 'groups' || principal.groupsComplete) &&
    values.every((value) => typeof value !== 'string' || value.length <= VALUE_MAX)
  const shown = list(values.slice(0, VALUES_MAX))
  return isWhole ? shown : `{"state":"cut","values":${shown}}`
}

const list = (values: readonly ClaimScalar[]): string => `[${values.map(scalar).join()}]`

const scalar = (value: ClaimScalar): string =>
  typeof value === 'string' ? jsonString(value.slice(0, VALUE_MAX)) : (JSON.stringify(value) ?? 'null')
