// The room's door: ports in, handlers out. The server mounts each handler below `publicUrl`.
import { makeBackChannelHandler } from './back-channel.ts'
import { makeCallbackHandler } from './callback.ts'
import { errorAnswer, makeContext, type Hop, type SignInContext } from './context.ts'
import { makeDeniedHandler } from './denied.ts'
import type { SignInDeps } from './deps.ts'
import { appHostOf } from './hop.ts'
import { makeLandHandler } from './land.ts'
import { makeLeaveHandler } from './leave.ts'
import { makeMeHandler } from './me.ts'
import { makeRenewHandler } from './renew.ts'
import { makeSignInHandler } from './sign-in.ts'
import { makeSignedOutHandler, makeSignOutHandler } from './sign-out.ts'
import type { SignInHandler } from './web.ts'

export interface SignIn {
  /** `/sign-in` */
  readonly signIn: SignInHandler
  /** `/callback/<provider>` */
  readonly callback: SignInHandler
  /** `/sign-out` */
  readonly signOut: SignInHandler
  /** `/signed-out` */
  readonly signedOut: SignInHandler
  /** `/denied` */
  readonly denied: SignInHandler
  /** `/me` */
  readonly me: SignInHandler
  /** `/me.json` */
  readonly meJson: SignInHandler
  /** `/renew` */
  readonly renew: SignInHandler
  /** `/backchannel-logout` */
  readonly backChannel: SignInHandler
  /** What answers on the hosts of applications; undefined where one cookie serves the whole domain. */
  readonly elsewhere: Elsewhere | undefined
}

/** Handlers below the prefix of our own paths there. */
export interface Elsewhere {
  /** `/leave` */
  readonly leave: SignInHandler
  /** `/land` */
  readonly land: SignInHandler
  /** `/renew` */
  readonly renew: SignInHandler
}

/**
 * Makes all handlers of sign-in. No provider is contacted yet.
 * @param deps ports and settings
 * @param onFault receives what a handler threw: a bug, which is answered with a page and never with access
 * @throws {TypeError} where `publicUrl` has no valid host
 */
export const makeSignIn = (deps: SignInDeps, onFault: (error: unknown) => void): SignIn => {
  const context = makeContext(deps)
  const safe = (handler: SignInHandler): SignInHandler => guarded(context, handler, onFault)
  return {
    signIn: safe(makeSignInHandler(context)),
    callback: safe(makeCallbackHandler(context)),
    signOut: safe(makeSignOutHandler(context)),
    signedOut: safe(makeSignedOutHandler(context)),
    denied: safe(makeDeniedHandler(context)),
    me: safe(makeMeHandler(context, 'html')),
    meJson: safe(makeMeHandler(context, 'json')),
    renew: safe(makeRenewHandler(context)),
    backChannel: safe(makeBackChannelHandler(context)),
    elsewhere: context.hop === undefined ? undefined : elsewhere(context, context.hop, safe),
  }
}

const elsewhere = (
  context: SignInContext,
  hop: Hop,
  safe: (handler: SignInHandler) => SignInHandler,
): Elsewhere => ({
  leave: safe(makeLeaveHandler(context)),
  land: safe(makeLandHandler(context, hop)),
  renew: safe(makeRenewHandler(context, (request) => appHostOf(context, request))),
})

const guarded =
  (context: SignInContext, handler: SignInHandler, onFault: (error: unknown) => void): SignInHandler =>
  async (request) => {
    try {
      return await handler(request)
    } catch (error) {
      onFault(error)
      return errorAnswer(context, request, 500, 'PST-1019')
    }
  }
