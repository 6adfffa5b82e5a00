// Asks one provider what the service would ask it, by the service's own code.
import type { ProviderConfig } from '../config/config.ts'
import type { Fault } from '../policy-file/issue.ts'
import { keysFor } from '../server/compose-logout.ts'
import { providerSettings } from '../server/compose-renewal.ts'
import { makeProvider, type Found, type Provider } from '../signin/provider.ts'
import { reviewProvider, type ProviderReview, type ReviewFault } from '../signin/provider-review.ts'
import { whyOf } from '../signin/provider-fault.ts'
import { listed, otherIssuer, reachFault, shown, strangeAnswer, type Asked } from './online-fault.ts'
import type { HearingFetch } from './online-fetch.ts'

export interface SourceFindings {
  readonly faults: readonly Fault[]
  /** What is well, or worth knowing, in a few words each. */
  readonly facts: readonly string[]
}

/** Asks it. Never rejects. */
export const askProvider = async (
  config: ProviderConfig,
  asked: Asked,
  { fetch, heard }: HearingFetch,
  nowMs: () => number,
): Promise<SourceFindings> => {
  const provider = makeProvider(providerSettings(config), { fetch, nowMs })
  const found = await provider.configuration()
  if (found.kind === 'fault') {
    const fault = reachFault(asked, heard()) ?? refusedFault(asked, found, heard())
    return { faults: [fault], facts: [] }
  }
  const review = reviewProvider(found.client, provider.settings)
  const keys = await keyFindings(provider, review, asked, { fetch, heard })
  return {
    faults: [...review.faults.map((fault) => reviewed(asked, fault)), ...keys.faults],
    facts: ['issuer equal', ...keys.facts, ...offers(review)],
  }
}

const REFUSED_WHY = 'nobody can sign in there'

const refusedFault = (
  asked: Asked,
  { fault }: Extract<Found, { kind: 'fault' }>,
  heard: ReturnType<HearingFetch['heard']>,
): Fault => {
  const strange = strangeAnswer(heard)
  const other = otherIssuer(asked, heard)
  const code = shown(whyOf(fault))
  if (strange !== undefined)
    return {
      code: 'E41',
      what: `discovery of \`${asked.id}\` is no metadata: ${strange}`,
      why: `${REFUSED_WHY}; redirects are not followed`,
      mend: 'write in `issuer` the address below which `/.well-known/openid-configuration` answers',
    }
  if (other !== undefined)
    return {
      code: 'E41',
      what: `\`${asked.id}\` calls itself \`${other}\`, not \`${asked.issuer}\``,
      why: `${REFUSED_WHY}: an issuer must be equal to the last character, or one provider could speak for another`,
      mend: `if it is yours, write \`issuer: "${other}"\``,
    }
  return {
    code: 'E41',
    what: `\`${asked.id}\` is not taken: \`${code}\``,
    why: REFUSED_WHY,
    mend: MEND[code] ?? 'whoever runs the provider has to mend its discovery document',
  }
}

const MEND: Readonly<Record<string, string>> = {
  authorization_endpoint_not_permitted:
    'its `authorization_endpoint` is missing, not https, or an address of the link; mend it at the provider',
  end_session_endpoint_not_permitted:
    'its `end_session_endpoint` is not https, or an address of the link; mend it at the provider',
  issuer_not_permitted: 'write an https address in `issuer` that is not one of the link',
}

const reviewed = ({ id }: Asked, { severity, what, why, mend }: ReviewFault): Fault => ({
  code: severity === 'error' ? 'E41' : 'W42',
  what: `\`${id}\`: ${what}`,
  why,
  mend,
})

const offers = ({ pkce, endSession, backChannelLogout }: ProviderReview): readonly string[] => [
  ...(pkce ? ['PKCE S256'] : []),
  endSession ? 'signs out there too' : 'cannot be signed out of',
  backChannelLogout ? 'tells of sign-outs (back-channel)' : 'does not tell of sign-outs',
]

const keyFindings = async (
  provider: Provider,
  review: ProviderReview,
  asked: Asked,
  { fetch, heard }: HearingFetch,
): Promise<SourceFindings> => {
  if (review.jwksUri === undefined) return { faults: [], facts: [] }
  const keys = await keysFor(provider, fetch)
  const fault = keys?.health().fault
  if (keys === undefined || fault !== undefined)
    return {
      faults: [reachFault(asked, heard()) ?? keyFault(asked, fault ?? 'they were not loaded')],
      facts: [],
    }
  const served = keys.serves(review.idTokenAlgorithms)
  return served.length > 0
    ? { faults: [], facts: [`keys for ${listed(served)}`] }
    : { faults: [noKeyFault(asked, review.idTokenAlgorithms)], facts: [] }
}

/** The key set cannot be used. */
export const keyFault = ({ id, kind }: Asked, fault: string): Fault => ({
  code: 'E41',
  what: `the keys of \`${id}\` are not taken: ${fault}`,
  why: kind === 'provider' ? REFUSED_WHY : 'its tokens are answered 503',
  mend: 'its key address must answer 200 with a JWK set, without a redirect',
})

/** None of its keys verifies what it may sign. */
export const noKeyFault = ({ id, kind }: Asked, algorithms: readonly string[]): Fault => ({
  code: 'E41',
  what: `\`${id}\` has no key for ${listed(algorithms, '`')}`,
  why: 'no signature could be verified; keys that are short, symmetric or for encryption are passed by',
  mend:
    kind === 'provider'
      ? 'let the provider sign ID tokens with RS256, ES256 or EdDSA, and publish that key'
      : 'name in `algorithms` what it signs with, or let it publish a key for one of them',
})
