// Step 3: which of the things that a caller carries counts. One credential answers alone; two of ours are refused, and
// what is not ours neither helps nor harms.
import type { Authentication } from '../policy/principal.ts'
import type { BearerFinding, ReadBearer } from './bearer-jwt.ts'
import type { Carried } from './carried.ts'
import type { SessionFinding } from './session-credential.ts'
import type { FindSession } from './session-freshness.ts'
import type { Acceptance, Authenticate, Verified } from './verified.ts'

export interface AuthenticateDeps {
  readonly findSession: FindSession
  readonly readBearer: ReadBearer
}

/**
 * Joins the kinds of credentials in their order: `Authorization`, `Proxy-Authorization`, the session cookie. What the
 * section does not accept is foreign there.
 */
export const makeAuthenticate =
  (deps: AuthenticateDeps): Authenticate =>
  (carried, acceptance) => {
    const { authorization, proxyAuthorization } = carried
    if (authorization === undefined && proxyAuthorization === undefined) {
      return fromCookies(carried, acceptance, deps, undefined)
    }
    const read = (value: string | undefined): HeaderReading => readHeader(value, acceptance, deps.readBearer)
    const first = read(authorization)
    const second = read(proxyAuthorization)
    if (first.kind === 'ours' && second.kind === 'ours') return AMBIGUOUS
    if (first.kind === 'ours') return fromBearer(first.verify(), 'authorization', false)
    if (second.kind === 'ours') {
      return fromBearer(second.verify(), 'proxy-authorization', authorization !== undefined)
    }
    return fromCookies(carried, acceptance, deps, first.rejected ?? second.rejected)
  }

const AMBIGUOUS: Verified = {
  authentication: { kind: 'ambiguous', why: '`Authorization` and `Proxy-Authorization` are both ours' },
  consumed: 'authorization',
  foreignAuthorization: false,
  note: 'two-credentials',
  revocable: undefined,
}

type HeaderReading =
  | Extract<ReturnType<ReadBearer>, { kind: 'ours' }>
  | { readonly kind: 'foreign'; readonly rejected: Authentication | undefined }

const FOREIGN: HeaderReading = { kind: 'foreign', rejected: undefined }

/** RFC 6750 §2.1: one scheme, one space, one token. `Basic` with a JWT behind it is no bearer token. */
const BEARER = /^bearer (.*)$/is

const readHeader = (
  value: string | undefined,
  acceptance: Acceptance,
  readBearer: ReadBearer,
): HeaderReading => {
  const token = value === undefined ? undefined : BEARER.exec(value)?.[1]
  if (token === undefined) return FOREIGN
  const { accepts } = acceptance.section
  return accepts.includes('bearer') || accepts.includes('service-account')
    ? readBearer(token, acceptance)
    : NOT_ACCEPTED
}

const NOT_ACCEPTED: HeaderReading = {
  kind: 'foreign',
  rejected: {
    kind: 'rejected',
    reason: 'DENY_CRED_KIND',
    credential: 'bearer',
    why: 'no bearer token is accepted here',
  },
}

const fromBearer = (
  finding: BearerFinding | Promise<BearerFinding>,
  consumed: 'authorization' | 'proxy-authorization',
  foreignAuthorization: boolean,
): Verified | Promise<Verified> => {
  const toVerified = ({ authentication, revocable }: BearerFinding): Verified => ({
    authentication,
    consumed,
    foreignAuthorization,
    note: undefined,
    revocable,
  })
  return finding instanceof Promise ? finding.then(toVerified) : toVerified(finding)
}

/** @param otherwise what a foreign bearer token is told where no session says who calls */
const fromCookies = (
  carried: Carried,
  acceptance: Acceptance,
  deps: AuthenticateDeps,
  otherwise: Authentication | undefined,
): Verified | Promise<Verified> => {
  const foreignAuthorization = carried.authorization !== undefined
  if (!acceptance.section.accepts.includes('session')) {
    const authentication = otherwise ?? { kind: 'anonymous', note: undefined }
    return { authentication, consumed: 'none', foreignAuthorization, note: undefined, revocable: undefined }
  }
  const finding = deps.findSession(carried.cookies, acceptance)
  const toVerified = (found: SessionFinding): Verified => fromSession(found, foreignAuthorization, otherwise)
  return finding instanceof Promise ? finding.then(toVerified) : toVerified(finding)
}

const fromSession = (
  { authentication, copies, note, revocable, session }: SessionFinding,
  foreignAuthorization: boolean,
  otherwise: Authentication | undefined,
): Verified => ({
  authentication: authentication.kind === 'anonymous' ? (otherwise ?? authentication) : authentication,
  consumed: copies > 0 ? 'cookie' : 'none',
  foreignAuthorization,
  note,
  revocable,
  ...(session === undefined ? {} : { session }),
})
