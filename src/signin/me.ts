// `/me` and `/me.json`: who am I, for people and for programs. No token, no session id, nothing that could be replayed.
import type { Session } from '../identity/session.ts'
import { sessionLabel, signedInAs, signInRequired, unavailableAnswer, type SignInContext } from './context.ts'
import type { MeClaim, Page } from './page.ts'
import { methodNotAllowed, pageAnswer, type SignInHandler } from './web.ts'

/** Makes the handler of `/me` (`html`) or of its twin `/me.json` (`json`). */
export const makeMeHandler =
  (context: SignInContext, form: 'html' | 'json'): SignInHandler =>
  async (request) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return methodNotAllowed('GET, HEAD')
    const current = await context.deps.readSession(request.cookies)
    switch (current.kind) {
      case 'unavailable':
        return unavailableAnswer(context, request, 'PST-1013', undefined)
      case 'none':
        return form === 'html'
          ? signInRequired(context, request, undefined)
          : signInRequired(context, request, undefined, 'problem')
      case 'session':
        return form === 'html'
          ? pageAnswer(request, 200, mePage(context, current.session))
          : { status: 200, headers: [], body: { kind: 'json', value: meValue(current.session) } }
    }
  }

const mePage = (context: SignInContext, session: Session): Page => ({
  name: 'me',
  as: signedInAs(context, session),
  claims: claimsOf(session),
  groups: groupsOf(session),
  session,
  signOutHref: context.href('/sign-out'),
})

const claimsOf = (session: Session): readonly MeClaim[] =>
  Object.entries(session.claims)
    .filter(([name]) => name !== 'groups')
    .map(([name, value]) => ({ name, value }))

/** Undefined where no rule reads groups, which is not the same as being in none. */
const groupsOf = (session: Session): readonly string[] | undefined => {
  if (!session.captured.includes('groups')) return undefined
  const value = Object.hasOwn(session.claims, 'groups') ? session.claims['groups'] : undefined
  if (value === undefined) return []
  return (typeof value === 'object' ? value : [value]).map(String)
}

const meValue = (session: Session): unknown => ({
  provider: session.provider,
  subject: session.subject,
  name: sessionLabel(session),
  groups: groupsOf(session),
  claims: Object.fromEntries(claimsOf(session).map(({ name, value }) => [name, value])),
  unreadable: session.cut,
  session: {
    issuedAt: isoOf(session.issuedAtSeconds),
    expiresAt: isoOf(session.expiresAtSeconds),
    authTime: session.authTimeSeconds === 0 ? undefined : isoOf(session.authTimeSeconds),
    amr: session.amr,
    acr: session.acr,
  },
})

const isoOf = (seconds: number): string => new Date(seconds * 1000).toISOString()
