// What `/sign-in` does about a decision. Pure. It acts on what is missing, not on having been called: a proxy that
// drops our `Location`, or sends everybody here, cannot make a circle.
import type { CredentialKind } from '../policy/credential-kind.ts'
import type { Decision, Demand } from '../policy/decision.ts'
import type { Judged } from './deps.ts'
import type { Purpose } from './transaction.ts'

/** What the person asked for beside the way back. */
export interface Wish {
  /** A provider chosen on our page; counts only where the route believes it. */
  readonly provider: string | undefined
  /** Use another account: the provider must let one be chosen. */
  readonly otherAccount: boolean
  /** Let me choose a provider, even where there is no doubt which. */
  readonly choose: boolean
}

export type Prompt = 'none' | 'login' | 'select_account'

/** How to ask a provider. */
export interface Ask {
  readonly purpose: Purpose
  readonly prompt: Prompt | undefined
  readonly maxAgeSeconds: number | undefined
  readonly acrValues: readonly string[]
  /** Claims that a rule reads and the session lacks. */
  readonly claims: readonly string[]
}

export type SignInStep =
  | { readonly kind: 'back' }
  | { readonly kind: 'ask'; readonly provider: string; readonly ask: Ask }
  | { readonly kind: 'choose'; readonly providers: readonly string[] }
  | { readonly kind: 'denied' }
  | { readonly kind: 'no-session'; readonly accepts: readonly CredentialKind[] }
  | { readonly kind: 'no-provider' }
  | { readonly kind: 'indeterminate' }

/**
 * Chooses the next step.
 * @param judged the decision about the way back, with this browser's credentials
 * @returns one step; `back` for an allow only. Never throws.
 */
export const decideSignIn = (judged: Judged, wish: Wish): SignInStep => {
  const { decision } = judged
  if (decision.outcome === 'indeterminate') return { kind: 'indeterminate' }
  if (decision.outcome === 'challenge' && !decision.demand.accepts.includes('session'))
    return { kind: 'no-session', accepts: decision.demand.accepts }
  const wantsChooser = wish.choose && judged.providers.length > 0
  if (wantsChooser && chosenOf(judged.providers, wish) === undefined)
    return { kind: 'choose', providers: judged.providers }
  if (wish.otherAccount && judged.providers.length > 0)
    return chooseOrAsk(judged.providers, wish, interactive('select_account'))
  switch (decision.outcome) {
    case 'allow':
      return { kind: 'back' }
    case 'deny':
      // What was asked for may have been a write, which a walk of the way back does not see: signing in may help.
      return judged.session === undefined && judged.signInMayHelp
        ? chooseOrAsk(judged.providers, wish, interactive(undefined))
        : { kind: 'denied' }
    case 'challenge':
      return answerChallenge(judged, decision, wish)
  }
}

const answerChallenge = (
  judged: Judged,
  decision: Extract<Decision, { outcome: 'challenge' }>,
  wish: Wish,
): SignInStep => {
  if (decision.reason === 'CHALLENGE_INVITE')
    return chooseFirst(judged.providers, silent({ kind: 'invite' }, []))
  const ask = askFor(decision.demand)
  // Re-authentication and step-up go to where the session came from: another provider would be another person.
  const own = judged.session?.provider
  if (ask.purpose.kind !== 'interactive' && own !== undefined && judged.providers.includes(own))
    return { kind: 'ask', provider: own, ask }
  return chooseOrAsk(judged.providers, wish, ask)
}

const askFor = (demand: Demand): Ask => {
  switch (demand.kind) {
    case 'credential':
    case 'rejected':
      return interactive(undefined)
    case 'reauth':
      return silent({ kind: 'reauth' }, demand.claims)
    case 'step-up': {
      const { rule, maxAgeSeconds, acrValues } = demand
      // With nothing to ask for by name, a fresh login is the only way to more than there is.
      const prompt = maxAgeSeconds === undefined && acrValues.length === 0 ? 'login' : undefined
      return { purpose: { kind: 'step-up', rule }, prompt, maxAgeSeconds, acrValues, claims: [] }
    }
  }
}

/** An ordinary sign-in. */
export const interactive = (prompt: Prompt | undefined, claims: readonly string[] = []): Ask => ({
  purpose: { kind: 'interactive' },
  prompt,
  maxAgeSeconds: undefined,
  acrValues: [],
  claims,
})

const silent = (purpose: Purpose, claims: readonly string[]): Ask => ({
  purpose,
  prompt: 'none',
  maxAgeSeconds: undefined,
  acrValues: [],
  claims,
})

const chooseFirst = (providers: readonly string[], ask: Ask): SignInStep => {
  const [provider] = providers
  return provider === undefined ? { kind: 'no-provider' } : { kind: 'ask', provider, ask }
}

/** One provider: go there. Several: let the person choose. A choice that the route does not believe is none. */
export const chooseOrAsk = (providers: readonly string[], wish: Wish, ask: Ask): SignInStep => {
  const chosen = chosenOf(providers, wish)
  if (chosen !== undefined) return { kind: 'ask', provider: chosen, ask }
  return providers.length > 1 || (wish.choose && providers.length > 0)
    ? { kind: 'choose', providers }
    : chooseFirst(providers, ask)
}

const chosenOf = (providers: readonly string[], wish: Wish): string | undefined =>
  providers.find((id) => id === wish.provider)
