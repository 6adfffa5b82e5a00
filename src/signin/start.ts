// The way out: a redirect to the provider with code, PKCE, state and nonce, always all four (RFC 9700 §2.1.1).
import { buildAuthorizationUrl, calculatePKCECodeChallenge, randomPKCECodeVerifier } from 'openid-client'
import { bindingsOf, clearBindings, setBindingCookie } from './binding-cookie.ts'
import { faultAnswer, nowSeconds, signInHref, type SignInContext } from './context.ts'
import type { Provider } from './provider.ts'
import { codeOf, whyOf } from './provider-fault.ts'
import type { ReturnTarget } from './return-to.ts'
import { sendOn } from './send-on.ts'
import type { Ask } from './sign-in-decides.ts'
import { mayShowForm, sealTransaction, type Transaction } from './transaction.ts'
import { redirectAnswer, type Pair, type SignInWebAnswer, type SignInWebRequest } from './web.ts'

/** Address to which a provider sends back; registered there letter by letter. */
export const callbackHref = (context: SignInContext, provider: string): string =>
  context.href(`/callback/${encodeURIComponent(provider)}`)

/**
 * Sends a browser to a provider.
 * @param target validated; undefined = the default
 * @returns a redirect that sets the binding cookie, or the page of a provider that cannot be used. Never rejects.
 */
export const startSignIn = async (
  context: SignInContext,
  request: SignInWebRequest,
  provider: Provider,
  target: ReturnTarget | undefined,
  ask: Ask,
): Promise<SignInWebAnswer> => {
  const found = await provider.configuration()
  if (found.kind === 'fault') {
    const { fault } = found
    const failed = { provider: provider.id, code: codeOf(fault), why: whyOf(fault) }
    context.deps.onEvent({ kind: 'login-failed', ...failed })
    return faultAnswer(context, request, fault, signInHref(context, target, ['provider', provider.id]))
  }
  const transaction = makeTransaction(context, request, provider.id, target, ask)
  if (target !== undefined) context.rounds.begin(transaction.id, transaction.binding, target.url)
  const parameters = {
    redirect_uri: callbackHref(context, provider.id),
    scope: provider.settings.scopes.join(' '),
    state: sealTransaction(context.deps.transactionSeal, transaction),
    nonce: transaction.nonce,
    code_challenge: await calculatePKCECodeChallenge(transaction.verifier),
    code_challenge_method: 'S256',
    ...(ask.prompt === undefined ? {} : { prompt: ask.prompt }),
    ...(ask.maxAgeSeconds === undefined ? {} : { max_age: String(ask.maxAgeSeconds) }),
    ...(ask.acrValues.length === 0 ? {} : { acr_values: ask.acrValues.join(' ') }),
  }
  const to = buildAuthorizationUrl(found.client, parameters).href
  const headers = bindingLines(context, request, transaction.binding)
  return target !== undefined && mayShowForm(ask.purpose)
    ? sendOn(request, to, 'keep', target.url, headers)
    : redirectAnswer(to, headers)
}

/** The binding that was used; of the others only so many as are read stay. */
const bindingLines = (
  { deps: { settings } }: SignInContext,
  { cookies }: SignInWebRequest,
  binding: string,
): readonly Pair[] => [
  ['set-cookie', setBindingCookie(settings, binding)],
  ...clearBindings(settings, cookies, [binding, ...bindingsOf(settings, cookies)]),
]

const makeTransaction = (
  context: SignInContext,
  request: SignInWebRequest,
  provider: string,
  target: ReturnTarget | undefined,
  ask: Ask,
): Transaction => {
  const { deps } = context
  const [binding = deps.randomId()] = bindingsOf(deps.settings, request.cookies)
  return {
    id: deps.randomId(),
    binding,
    provider,
    nonce: deps.randomId(),
    verifier: randomPKCECodeVerifier(),
    returnTo: target?.url ?? '',
    asked: [...new Set([...deps.policy().claims, ...ask.claims])],
    purpose: ask.purpose,
    createdAtSeconds: nowSeconds(context),
  }
}
