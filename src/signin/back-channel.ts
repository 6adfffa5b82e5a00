// `/backchannel-logout`: a provider ends sessions here, without a browser (OIDC Back-Channel Logout 1.0 §2.5). What it
// ends is over for cached decisions too before it hears so.
import type { Logout, LogoutReading } from '../identity/logout-token.ts'
import type { SignInContext } from './context.ts'
import { nowSeconds } from './context.ts'
import { methodNotAllowed, singleOf, type SignInHandler, type SignInWebAnswer } from './web.ts'

/** Makes the handler. It answers 200 for what was ended, 400 for what is refused, 503 for "try again". */
export const makeBackChannelHandler =
  (context: SignInContext): SignInHandler =>
  async (request) => {
    if (request.method !== 'POST') return methodNotAllowed('POST')
    const token = singleOf(request.form, 'logout_token')
    const reading: LogoutReading =
      token === undefined
        ? { kind: 'refused', provider: undefined, why: 'there is no `logout_token`, or several' }
        : await context.deps.readLogoutToken(token, nowSeconds(context))
    switch (reading.kind) {
      case 'refused':
        return refuse(context, reading.provider, reading.why)
      case 'unavailable':
        return tryAgain(context, reading.provider, reading.why)
      case 'logout':
        return endOnce(context, reading.logouts)
    }
  }

const endOnce = async (
  context: SignInContext,
  logouts: readonly [Logout, ...Logout[]],
): Promise<SignInWebAnswer> => {
  const { deps } = context
  const { provider, tokenId, endsAtSeconds } = logouts[0]
  const mark = `logout:${provider}|${tokenId}`
  // A replay would end what was begun since.
  const known = await deps.mayUse(mark)
  if (known === 'again') return refuse(context, provider, 'it was used before')
  if (known !== 'first') return tryAgain(context, provider, 'it could not be remembered')
  const areDurable = await Promise.all(logouts.map((logout) => end(context, logout)))
  // Only what is written down is done: else the provider may tell it again.
  if (areDurable.includes(false)) return tryAgain(context, provider, 'the end could not be written down')
  const used = await deps.useOnce(mark, Math.ceil(endsAtSeconds - nowSeconds(context)))
  const isKept = used === 'first' || used === 'again'
  if (!isKept || !(await deps.isSettled())) return tryAgain(context, provider, 'it could not be remembered')
  return { status: 200, headers: [], body: { kind: 'none' } }
}

/** True where it is written down. */
const end = async ({ deps }: SignInContext, logout: Logout): Promise<boolean> => {
  const ended = await deps.endProviderSession(logout)
  deps.onEvent({ kind: 'back-channel-logout', ...logout, ended })
  return ended.durable
}

const refuse = (context: SignInContext, provider: string | undefined, why: string): SignInWebAnswer => {
  context.deps.onEvent({ kind: 'back-channel-refused', provider, why })
  return answer(400, 'invalid_request', why)
}

const tryAgain = (context: SignInContext, provider: string, why: string): SignInWebAnswer => {
  context.deps.onEvent({ kind: 'back-channel-refused', provider, why })
  return answer(503, 'temporarily_unavailable', why)
}

const answer = (status: number, error: string, description: string): SignInWebAnswer => ({
  status,
  headers: status === 503 ? [['retry-after', '5']] : [],
  body: { kind: 'json', value: { error, error_description: description } },
})
