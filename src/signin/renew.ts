// `/renew`, for pages that only `fetch`: learns the session anew now and gives the browser the cookie that says so.
// Readable by scripts of the same origin alone; of another one it does its work all the same.
import { sealSession } from '../identity/session-seal.ts'
import type { Session } from '../identity/session.ts'
import type { HostName } from '../policy/host-pattern.ts'
import { nowSeconds, signInRequired, unavailableAnswer, type SignInContext } from './context.ts'
import { setSessionCookie } from './set-cookie.ts'
import {
  methodNotAllowed,
  valuesOf,
  type SignInHandler,
  type SignInWebAnswer,
  type SignInWebRequest,
} from './web.ts'

/** A session that was learned that lately is not asked about again. */
const RECENT_SECONDS = 30

/**
 * Makes the handler.
 * @param hostOf whose cookies a request brings, and gets; undefined = those of no host of ours. The header may lie: a
 *   cookie opens on its own host only, and is sealed anew for that one alone.
 */
export const makeRenewHandler =
  (
    context: SignInContext,
    hostOf: (request: SignInWebRequest) => HostName | undefined = () => context.publicHost,
  ): SignInHandler =>
  async (request) => {
    if (request.method !== 'GET' && request.method !== 'POST') return methodNotAllowed('GET, POST')
    const host = hostOf(request)
    if (host === undefined) return signInFirst(context, request)
    const current = await context.deps.readSession(request.cookies, host)
    switch (current.kind) {
      case 'unavailable':
        return unavailableAnswer(context, request, 'PST-1013', undefined)
      case 'none':
        return signInFirst(context, request)
      case 'session':
        return renew({ context, request, host }, current.session)
    }
  }

interface Asked {
  readonly context: SignInContext
  readonly request: SignInWebRequest
  readonly host: HostName
}

const renew = async (asked: Asked, session: Session): Promise<SignInWebAnswer> => {
  const { context, request, host } = asked
  const now = nowSeconds(context)
  if (now - session.learnedAtSeconds < RECENT_SECONDS)
    return renewed(asked, session, freshUntil(context, session))
  const renewal = await context.deps.renew(session, context.deps.nowMs(), 'due')
  if (renewal.kind === 'kept') return renewed(asked, session, renewal.untilSeconds)
  if (renewal.kind === 'impossible' && now >= freshUntil(context, session))
    return signInFirst(context, request)
  const after = await context.deps.readSession(request.cookies, host)
  return after.kind === 'session'
    ? renewed(asked, after.session, freshUntil(context, after.session))
    : signInFirst(context, request)
}

const freshUntil = (context: SignInContext, session: Session): number =>
  session.learnedAtSeconds + context.deps.settings.freshnessSeconds

const renewed = ({ context, host }: Asked, session: Session, freshUntilSeconds: number): SignInWebAnswer => {
  const now = nowSeconds(context)
  const { deps } = context
  const sealing = sealSession(deps.sessionSeal, { ...session, issuedAtSeconds: now }, context.bindingOn(host))
  const lifetimeSeconds = Math.floor(session.expiresAtSeconds - now)
  return {
    status: 200,
    headers:
      sealing.kind === 'sealed'
        ? [['set-cookie', setSessionCookie(deps.settings, sealing.value, lifetimeSeconds)]]
        : [],
    body: {
      kind: 'json',
      value: { expiresAt: isoOf(session.expiresAtSeconds), freshUntil: isoOf(freshUntilSeconds) },
    },
  }
}

/** Only a page load can help; the page says where. */
const signInFirst = (context: SignInContext, request: SignInWebRequest): SignInWebAnswer => {
  const read = context.returnTo(valuesOf(request.query, 'rd'))
  return signInRequired(context, request, read.kind === 'ok' ? read : undefined, 'problem')
}

const isoOf = (seconds: number): string => new Date(seconds * 1000).toISOString()
