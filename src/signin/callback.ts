// `/callback/<provider>`: the way back from the provider. Whatever does not belong to a sign-in of this browser, in time
// and for the first time, never becomes a session.
import { fitSession } from '../identity/session-fit.ts'
import { sealSession, SESSION_BYTES_MAX } from '../identity/session-seal.ts'
import type { Session } from '../identity/session.ts'
import { bindingsOf, clearBindings } from './binding-cookie.ts'
import {
  defaultTarget,
  errorAnswer,
  faultAnswer,
  nowSeconds,
  signInHref,
  unavailableAnswer,
  type ErrorDetail,
  type SignInContext,
} from './context.ts'
import type { Use } from './deps.ts'
import { continuing, formerIds, isReplacedBy } from './former-session.ts'
import { onwardHref } from './hop.ts'
import { capturedNames, newSession } from './new-session.ts'
import type { ErrorCode } from './page.ts'
import type { Provider } from './provider.ts'
import { codeOf, whyOf, type ProviderFault } from './provider-fault.ts'
import { redeem, type Redeemed } from './redeem.ts'
import type { ReturnTarget } from './return-to.ts'
import { rememberProvider } from './last-provider.ts'
import { setSessionCookie } from './set-cookie.ts'
import { interactive } from './sign-in-decides.ts'
import { callbackHref, startSignIn } from './start.ts'
import { sendOn } from './send-on.ts'
import { mayShowForm, openTransaction, TRANSACTION_SECONDS, type Transaction } from './transaction.ts'
import {
  methodNotAllowed,
  redirectAnswer,
  singleOf,
  valuesOf,
  type Pair,
  type SignInHandler,
  type SignInWebAnswer,
  type SignInWebRequest,
} from './web.ts'

const DECIDING = ['state', 'code', 'iss', 'error'] as const

/** A callback whose `state` opened. */
interface Arrival {
  readonly context: SignInContext
  readonly request: SignInWebRequest
  readonly provider: Provider
  readonly state: string
  readonly transaction: Transaction
  readonly target: ReturnTarget | undefined
}

/** Makes the handler of `/callback/<provider>`. */
export const makeCallbackHandler =
  (context: SignInContext): SignInHandler =>
  async (request) => {
    if (request.method !== 'GET') return methodNotAllowed('GET')
    const provider = providerOf(context, request.path)
    if (provider === undefined) return errorAnswer(context, request, 404, 'PST-1018')
    const state = singleOf(request.query, 'state')
    const repeated = DECIDING.some((name) => valuesOf(request.query, name).length > 1)
    if (state === undefined || repeated) return refuse(context, request, 'PST-1002', provider.id)
    const opened = openTransaction(context.deps.transactionSeal, state, nowSeconds(context))
    if (opened.kind === 'unreadable') return refuse(context, request, 'PST-1002', provider.id)
    const { transaction } = opened
    // Mix-up: an answer meant for one provider is delivered at the address of another (RFC 9700 §4.4).
    if (transaction.provider !== provider.id) return refuse(context, request, 'PST-1006', provider.id)
    const read = context.returnTo(transaction.returnTo === '' ? [] : [transaction.returnTo])
    const target = read.kind === 'ok' ? read : undefined
    const arrival: Arrival = { context, request, provider, state, transaction, target }
    if (!bindingsOf(context.deps.settings, request.cookies).includes(transaction.binding))
      return goOnOr(arrival, 'PST-1003', bindingsSeen(context, request))
    return opened.kind === 'expired' ? goOnOr(arrival, 'PST-1001') : arrive(arrival)
  }

const providerOf = (context: SignInContext, path: string): Provider | undefined => {
  const segment = path.split('/')[2] ?? ''
  return [...context.providers.values()].find((one) => encodeURIComponent(one.id) === segment)
}

/** Tells a browser that lost its cookies from one that never had this sign-in. */
const bindingsSeen = ({ deps }: SignInContext, { cookies }: SignInWebRequest): ErrorDetail['seen'] => {
  const count = bindingsOf(deps.settings, cookies).length
  return [['Sign-in cookies that came back', count === 0 ? 'none' : `${count}, of other sign-ins`]]
}

/** 403 with a way to start again; never a session. */
const refuse = (
  context: SignInContext,
  request: SignInWebRequest,
  code: ErrorCode,
  provider: string,
  target?: ReturnTarget,
  seen: ErrorDetail['seen'] = [],
): SignInWebAnswer => {
  context.deps.onEvent({ kind: 'login-failed', provider, code, why: code })
  return errorAnswer(context, request, 403, code, { tryAgainHref: signInHref(context, target), seen })
}

/** A tab that comes late finds its browser signed in already: it just goes on. */
const goOnOr = async (
  arrival: Arrival,
  code: ErrorCode,
  seen: ErrorDetail['seen'] = [],
): Promise<SignInWebAnswer> => {
  const { context, request, provider, target } = arrival
  const current = await context.deps.readSession(request.cookies)
  switch (current.kind) {
    case 'session':
      return backTo(arrival)
    case 'none':
      return refuse(context, request, code, provider.id, target, seen)
    case 'unavailable':
      return unavailableAnswer(context, request, 'PST-1013', signInHref(context, target))
  }
}

/** To where the person wanted to go; a sign-in that left by a page of ours comes back by one. */
const backTo = (arrival: Arrival, headers: readonly Pair[] = []): SignInWebAnswer => {
  const { context, request, transaction, target } = arrival
  const onward = onwardHref(context, target)
  return target !== undefined && mayShowForm(transaction.purpose)
    ? sendOn(request, onward, 'restore', target.url, headers)
    : redirectAnswer(onward, headers)
}

const arrive = async (arrival: Arrival): Promise<SignInWebAnswer> => {
  const { context, request, provider, transaction, target } = arrival
  const { deps } = context
  // Looked up before the code is used: after an outage a reload of the same address still works.
  const found = await provider.withFreshKeys()
  if (found.kind === 'fault') return failed(arrival, found.fault)
  const revocationNumber = await deps.revocationNumber()
  if (revocationNumber === undefined)
    return unavailableAnswer(context, request, 'PST-1013', signInHref(context, target))
  const unusable = await unlessFirst(arrival, await deps.mayUse(markOf(transaction)))
  if (unusable !== undefined) return unusable
  const redeemed = await redeem({
    client: found.client,
    transaction,
    callback: callbackHref(context, provider.id),
    query: request.query,
    state: arrival.state,
    mapping: provider.settings.source.claims,
    wanted: capturedNames(transaction, deps.policy().claims),
  })
  if (redeemed.kind === 'fault') return failed(arrival, redeemed.fault)
  // Only now: anybody can make callbacks, and each would leave a mark; a code that the provider took nobody makes up.
  // Of several callbacks that come this far with one state, one is the first.
  const used = await unlessFirst(arrival, await deps.useOnce(markOf(transaction), TRANSACTION_SECONDS))
  return used ?? signedIn(arrival, redeemed, revocationNumber)
}

const markOf = (transaction: Transaction): string => `sign-in:${transaction.id}`

const unlessFirst = async (arrival: Arrival, use: Use): Promise<SignInWebAnswer | undefined> => {
  const { context, request, target } = arrival
  switch (use) {
    case 'first':
      return undefined
    case 'again':
      return goOnOr(arrival, 'PST-1004')
    case 'full':
    case 'unreachable':
      return unavailableAnswer(context, request, 'PST-1013', signInHref(context, target))
  }
}

const SILENT_REFUSALS: ReadonlySet<string> = new Set([
  'login_required',
  'interaction_required',
  'consent_required',
  'account_selection_required',
])

const failed = (arrival: Arrival, fault: ProviderFault): SignInWebAnswer | Promise<SignInWebAnswer> => {
  const { context, request, provider, transaction, target } = arrival
  const { kind } = transaction.purpose
  if (fault.kind === 'answered' && SILENT_REFUSALS.has(fault.error)) {
    if (kind === 'invite') return redirectAnswer(target?.url ?? defaultTarget(context))
    // Asked once without a word and refused: now ask aloud. That one is interactive, so it cannot come here again.
    if (kind === 'reauth')
      return startSignIn(context, request, provider, target, interactive(undefined, transaction.asked))
  }
  const why = whyOf(fault)
  context.deps.onEvent({ kind: 'login-failed', provider: provider.id, code: codeOf(fault), why })
  const again = signInHref(context, target)
  if (why === 'temporarily_unavailable' || why === 'server_error')
    return unavailableAnswer(context, request, 'PST-1007', again)
  if (why === 'unmet_authentication_requirements')
    return errorAnswer(context, request, 403, 'PST-1016', { tryAgainHref: again })
  return faultAnswer(context, request, fault, again)
}

const signedIn = async (
  arrival: Arrival,
  redeemed: Extract<Redeemed, { kind: 'redeemed' }>,
  revocationNumber: number,
): Promise<SignInWebAnswer> => {
  const { context, request, provider, transaction, target } = arrival
  const { deps } = context
  const policy = deps.policy()
  const { absoluteSeconds } = deps.settings
  const former = await formerSession(arrival)
  const made = newSession({
    source: provider.settings.source,
    transaction,
    subject: redeemed.subject,
    idToken: redeemed.idToken,
    userInfo: redeemed.userInfo,
    readSet: policy.claims,
    revocationNumber,
    absoluteSeconds,
    nowSeconds: nowSeconds(context),
    id: deps.randomId(),
  })
  const session = fitSession(
    continuing(context, transaction.purpose, former, made),
    SESSION_BYTES_MAX,
    policy.fit,
  )
  const sealing = sealSession(deps.sessionSeal, session, context.bindingOn(context.publicHost))
  if (sealing.kind === 'too-large') {
    deps.onEvent({
      kind: 'login-failed',
      provider: provider.id,
      code: 'PST-1009',
      why: `${sealing.bytes} bytes`,
    })
    return errorAnswer(context, request, 500, 'PST-1009', { seen: [['Bytes', String(sealing.bytes)]] })
  }
  await deps.grants.put(session.id, {
    // Copies on other hosts that keep the id learn at once what this sign-in brought.
    session: session.id === made.id ? undefined : session,
    learnedAtSeconds: session.learnedAtSeconds,
    former: formerIds(deps.grants, former, session),
    endsAtSeconds: session.expiresAtSeconds,
    refreshToken: redeemed.refreshToken,
    idToken: redeemed.idTokenHint,
  })
  await endFormer(arrival, former, session)
  const { iat } = redeemed.idToken
  if (typeof iat === 'number') context.clocks.note(provider.id, iat)
  deps.onEvent({ kind: 'login', session, purpose: transaction.purpose.kind, cut: session.cut })
  if (target !== undefined && onwardHref(context, target) === target.url)
    context.rounds.note(transaction.binding, target.url, transaction.id)
  return backTo(arrival, [
    [
      'set-cookie',
      setSessionCookie(deps.settings, sealing.value, session.expiresAtSeconds - nowSeconds(context)),
    ],
    // Another tab that comes back later finds the session and goes on; its binding is not needed any more.
    ...clearBindings(deps.settings, request.cookies, [transaction.binding]),
    ...(transaction.purpose.kind === 'interactive' ? rememberProvider(context, provider.id) : []),
  ])
}

const formerSession = async ({ context, request }: Arrival): Promise<Session | undefined> => {
  const current = await context.deps.readSession(request.cookies)
  return current.kind === 'session' ? current.session : undefined
}

/** The session of another person in this browser ends, copies of its cookie included. */
const endFormer = async (
  { context }: Arrival,
  former: Session | undefined,
  session: Session,
): Promise<void> => {
  if (former === undefined || former.id === session.id) return
  if (isReplacedBy(context, former, session)) return context.deps.grants.drop(former.id)
  const recorded = await context.deps.revokeSession(former)
  context.deps.onEvent({ kind: 'logout', session: former, recorded })
}
