// Bearer JWTs: ours are verified with the issuer's own keys under pinned algorithms; foreign ones are left alone. jose
// checks the signature and nothing else: every other check is here and in its neighbours, where it can be read.
import { hash, type KeyObject } from 'node:crypto'
import { compactVerify } from 'jose'
import { LRUCache } from 'lru-cache'
import type { Authentication } from '../policy/principal.ts'
import type { ReasonCode } from '../policy/reason.ts'
import { bearerPrincipal, isLogoutToken, judgeClaims, type TokenClaims } from './bearer-claims.ts'
import { readToken, type OwnToken, type TokenHeader } from './bearer-token.ts'
import { believes } from './believed.ts'
import type { IssuerKeys, KeyLookup } from './issuer-keys.ts'
import { isPublicKeyAlgorithm } from './key-set.ts'
import type { CheckRevocation } from './session-credential.ts'
import type { IssuerSource } from './source.ts'
import type { Acceptance, Revocable } from './verified.ts'

export interface BearerFinding {
  readonly authentication: Authentication
  readonly revocable: Revocable | undefined
}

export type BearerReading =
  /** Not ours: gives no identity and is handed on; what it would be told if nothing else says who calls. */
  | { readonly kind: 'foreign'; readonly rejected: Authentication }
  /** Ours, good or not. `verify` is synchronous wherever the outcome is known; never throws, never rejects. */
  | { readonly kind: 'ours'; readonly verify: () => BearerFinding | Promise<BearerFinding> }

/** Reads what stands behind `Bearer `. Never throws. */
export type ReadBearer = (token: string, acceptance: Acceptance) => BearerReading

export interface BearerDeps {
  readonly issuers: readonly IssuerSource[]
  /** By id of the issuer. */
  readonly keysOf: (id: string) => Pick<IssuerKeys, 'find'> | undefined
  readonly checkRevocation: CheckRevocation
}

/** Tokens whose signature was verified lately: with the same key object it need not be verified again. */
const VERIFIED_MAX = 10_000

/** Makes the reader of bearer JWTs. */
export const makeReadBearer = (deps: BearerDeps): ReadBearer => {
  const verifiedWith = new LRUCache<string, KeyObject>({ max: VERIFIED_MAX })
  return (text, acceptance) => {
    const reading = readToken(text, deps.issuers)
    if (reading.kind === 'foreign') {
      return { kind: 'foreign', rejected: rejected('bearer', reading.why, reading.reason).authentication }
    }
    const { token } = reading
    const believed = token.sources.filter((one) => believes(acceptance.route, one))
    const source = believed.find((one) => acceptance.section.accepts.includes(one.credential))
    if (source === undefined) return { kind: 'foreign', rejected: strangerTo(believed[0]) }
    return { kind: 'ours', verify: () => verify(token, source, acceptance.nowMs, deps, verifiedWith) }
  }
}

type Credential = IssuerSource['credential']

const rejected = (
  credential: Credential,
  why: string,
  reason: ReasonCode = 'DENY_CRED_INVALID',
): BearerFinding => ({
  authentication: { kind: 'rejected', reason, credential, why },
  revocable: undefined,
})

/** An issuer that another route believes is nobody here: the application may know its tokens all the same. */
const NOT_BELIEVED = rejected(
  'bearer',
  'this route does not believe its issuer',
  'DENY_WRONG_ISSUER',
).authentication

const NOT_ACCEPTED: Readonly<Record<Credential, Authentication>> = {
  bearer: rejected('bearer', 'only service account tokens are accepted here', 'DENY_CRED_KIND')
    .authentication,
  'service-account': rejected(
    'service-account',
    'no service account token is accepted here',
    'DENY_CRED_KIND',
  ).authentication,
}

/** @param believed an issuer of the token that the route believes, though the section takes no tokens of its kind */
const strangerTo = (believed: IssuerSource | undefined): Authentication =>
  believed === undefined ? NOT_BELIEVED : NOT_ACCEPTED[believed.credential]

const unavailable = (reason: ReasonCode, why: string): BearerFinding => ({
  authentication: { kind: 'unavailable', reason, why },
  revocable: undefined,
})

const verify = (
  token: OwnToken,
  source: IssuerSource,
  nowMs: number,
  deps: BearerDeps,
  verifiedWith: LRUCache<string, KeyObject>,
): BearerFinding | Promise<BearerFinding> => {
  const fault = token.fault ?? headerFault(token.header, source)
  if (fault !== undefined) return rejected(source.credential, fault)
  if (isLogoutToken(token.payload)) return rejected(source.credential, 'it is a logout token')
  const judged = judgeClaims(token.payload, source, nowMs / 1000)
  if (judged.kind === 'bad') return rejected(source.credential, judged.why)
  const keys = deps.keysOf(source.id)
  if (keys === undefined) return unavailable('ERROR_IDP', 'its issuer has no keys here')
  const conclude = (): BearerFinding => settle(token, source, judged.claims, deps.checkRevocation)
  const found = keys.find(token.header)
  const proceed = (lookup: KeyLookup): BearerFinding | Promise<BearerFinding> =>
    withKey(lookup, token, source, verifiedWith, conclude)
  return found instanceof Promise ? found.then(proceed) : proceed(found)
}

const headerFault = (header: TokenHeader, source: IssuerSource): string | undefined => {
  if (!source.algorithms.includes(header.alg) || !isPublicKeyAlgorithm(header.alg)) {
    return 'its algorithm is not accepted'
  }
  // Without `typ` a token is a plain JWT (RFC 7519 §5.1).
  const type = header.type ?? 'jwt'
  return type === 'logout+jwt' || !source.tokenTypes.includes(type) ? 'its `typ` is not accepted' : undefined
}

const withKey = (
  lookup: KeyLookup,
  token: OwnToken,
  source: IssuerSource,
  verifiedWith: LRUCache<string, KeyObject>,
  conclude: () => BearerFinding,
): BearerFinding | Promise<BearerFinding> => {
  switch (lookup.kind) {
    case 'unavailable':
      return unavailable('ERROR_IDP', `keys of the issuer: ${lookup.why}`)
    case 'unknown':
      return rejected(source.credential, 'its issuer has no such key')
    case 'key': {
      const digest = hash('sha256', token.text, 'base64url')
      if (verifiedWith.get(digest) === lookup.key) return conclude()
      return verifySignature(token, lookup.key).then((isGood) => {
        if (!isGood) return rejected(source.credential, 'its signature is wrong')
        verifiedWith.set(digest, lookup.key)
        return conclude()
      })
    }
  }
}

/** Tells whether a token was signed with a key. jose throws for a bad signature and for a key it cannot use alike: neither lets anybody in. */
export const verifySignature = async (
  token: Pick<OwnToken, 'text' | 'header'>,
  key: KeyObject,
): Promise<boolean> => {
  try {
    await compactVerify(token.text, key, { algorithms: [token.header.alg] })
    return true
  } catch {
    return false
  }
}

const settle = (
  token: OwnToken,
  source: IssuerSource,
  claims: TokenClaims,
  checkRevocation: CheckRevocation,
): BearerFinding => {
  const revocable: Revocable = {
    id: claims.tokenId === undefined ? undefined : `${source.id}|${claims.tokenId}`,
    source: source.id,
    subject: claims.subject,
    providerSession: undefined,
    number: undefined,
    issuedAtSeconds: claims.issuedAtSeconds,
    learnedAtSeconds: undefined,
  }
  switch (checkRevocation(revocable)) {
    case 'revoked':
      return rejected(source.credential, 'it was revoked', 'DENY_CRED_REVOKED')
    case 'unknown':
      return unavailable('ERROR_STATE', 'revocations were not heard of for too long')
    case 'live':
      return {
        authentication: { kind: 'verified', principal: bearerPrincipal(token.payload, source, claims) },
        revocable,
      }
  }
}
