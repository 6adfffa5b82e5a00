// The signed assertion that an application can check instead of trusting headers. Signed once per caller and route and
// handed out until half its life is over. The private key stays inside the closure.
import { createPrivateKey, createPublicKey, randomUUID, type KeyObject } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK, SignJWT, type JWK } from 'jose'
import { LRUCache } from 'lru-cache'
import type { Principal } from '../policy/principal.ts'

export type AssertionAlgorithm = 'ES256' | 'ES384' | 'RS256' | 'PS256' | 'EdDSA'

export interface AssertionSettings {
  /** PKCS#8 PEM. */
  readonly key: string
  readonly alg: AssertionAlgorithm
  /** `iss`: the public URL. */
  readonly issuer: string
  /** At most {@link ASSERTION_LIFETIME_MAX_SECONDS}; longer ones are shortened. */
  readonly lifetimeSeconds: number
  /** Earlier keys, public or private PEM: published so that what they signed can still be checked. */
  readonly retired: readonly { readonly key: string; readonly alg: AssertionAlgorithm }[]
  /** Epoch seconds. */
  readonly nowSeconds: () => number
  /** About that much memory for assertions that are kept for reuse. */
  readonly bytesMax: number
}

const ASSERTION_LIFETIME_MAX_SECONDS = 300

export interface Assertion {
  /** Compact JWS. */
  readonly token: string
  /** Half of its life: from then on another one is due. */
  readonly renewAtSeconds: number
}

export interface AssertionSigner {
  /**
   * An assertion about a caller for one route.
   * @param subject the name that the route knows the caller by; qualified by its source where that is needed
   * @returns synchronously while a young one is kept; undefined where signing failed, so that the header stays empty
   *   and the application refuses. Never throws, never rejects.
   */
  readonly assert: (
    principal: Principal,
    route: string,
    subject: string,
  ) => Assertion | undefined | Promise<Assertion | undefined>
  /** What `/.well-known/jwks.json` serves: public parameters, `kid`, `alg`, `use`; the signing key first. */
  readonly jwks: () => { readonly keys: readonly JWK[] }
}

export type AssertionSigning =
  | { readonly kind: 'ready'; readonly signer: AssertionSigner }
  | { readonly kind: 'refused'; readonly why: string }

/**
 * Makes the signer, and signs once to know that key and algorithm fit.
 * @returns `refused` with what is wrong, in words that hold nothing of the key. Never rejects.
 */
export const makeAssertionSigner = async (settings: AssertionSettings): Promise<AssertionSigning> => {
  try {
    const key = createPrivateKey(settings.key)
    const own = await publicJwk(createPublicKey(key), settings.alg)
    const retired = await Promise.all(
      settings.retired.map((one) => publicJwk(createPublicKey(one.key), one.alg)),
    )
    const sign = makeSign(settings, key, own.kid)
    if ((await sign({})) === undefined) return misfit(settings.alg)
    const keys = [own, ...retired.filter((one) => one.kid !== own.kid)]
    return { kind: 'ready', signer: { assert: makeAssert(settings, sign), jwks: () => ({ keys }) } }
  } catch {
    return misfit(settings.alg)
  }
}

const misfit = (alg: string): AssertionSigning => ({
  kind: 'refused',
  why: `assertion key: it is no private key in PEM (PKCS#8) for \`${alg}\`; make one with \`openssl genpkey\``,
})

type PublicJwk = JWK & { readonly kid: string }

/** Named by its thumbprint (RFC 7638), so that every replica gives one key one name. */
const publicJwk = async (key: KeyObject, alg: string): Promise<PublicJwk> => {
  const jwk = await exportJWK(key)
  return { ...jwk, kid: await calculateJwkThumbprint(jwk), alg, use: 'sig' }
}

type Sign = (claims: Readonly<Record<string, unknown>>) => Promise<Assertion | undefined>

const makeSign = (settings: AssertionSettings, key: KeyObject, kid: string): Sign => {
  const lifetimeSeconds = Math.min(settings.lifetimeSeconds, ASSERTION_LIFETIME_MAX_SECONDS)
  return async (claims) => {
    const issuedAtSeconds = Math.floor(settings.nowSeconds())
    try {
      const token = await new SignJWT({ ...claims })
        .setProtectedHeader({ alg: settings.alg, kid, typ: 'JWT' })
        .setIssuer(settings.issuer)
        .setIssuedAt(issuedAtSeconds)
        .setExpirationTime(issuedAtSeconds + lifetimeSeconds)
        .setJti(randomUUID())
        .sign(key)
      return { token, renewAtSeconds: issuedAtSeconds + lifetimeSeconds / 2 }
    } catch {
      return undefined
    }
  }
}

/** An entry of the map beside its texts. */
const FIXED_BYTES = 300

const makeAssert = (settings: AssertionSettings, sign: Sign): AssertionSigner['assert'] => {
  const kept = new LRUCache<string, Assertion>({
    maxSize: settings.bytesMax,
    sizeCalculation: ({ token }, key) => FIXED_BYTES + key.length + token.length,
  })
  const signing = new Map<string, Promise<Assertion | undefined>>()
  const signNow = async (
    key: string,
    claims: Readonly<Record<string, unknown>>,
  ): Promise<Assertion | undefined> => {
    const assertion = await sign(claims)
    if (assertion !== undefined) kept.set(key, assertion)
    signing.delete(key)
    return assertion
  }
  return (principal, route, subject) => {
    const claims = claimsOf(principal, route, subject)
    // INVARIANT: the key is all that is signed, so that no caller is handed what speaks of another.
    const key = JSON.stringify(claims)
    const young = kept.get(key)
    if (young !== undefined && settings.nowSeconds() < young.renewAtSeconds) return young
    const underWay = signing.get(key) ?? signNow(key, claims)
    if (!signing.has(key)) signing.set(key, underWay)
    return underWay
  }
}

/** Longest list of groups, as JSON: beyond it the assertion would not fit into the headers of an answer. */
const GROUPS_BYTES_MAX = 1500

const claimsOf = (
  principal: Principal,
  route: string,
  subject: string,
): Readonly<Record<string, unknown>> => {
  const email = principal.claims.get('email')
  const groups = wholeGroups(principal)
  return {
    sub: subject,
    aud: route,
    ...(typeof email === 'string' ? { email } : {}),
    ...(groups === undefined ? {} : { groups }),
  }
}

/** All groups or none: a part can be more than the whole, since an application may refuse by group. */
const wholeGroups = (principal: Principal): unknown => {
  const groups = principal.claims.get('groups')
  const isPart = !principal.groupsComplete || principal.groupsTrimmed === true || principal.cut.has('groups')
  if (groups === undefined || isPart) return undefined
  return Buffer.byteLength(JSON.stringify(groups)) > GROUPS_BYTES_MAX ? undefined : groups
}
