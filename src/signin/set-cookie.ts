// How the public listener sets cookies, and the one that it sets for others: the session.
import { BINDING_FAMILIES } from './binding-cookie.ts'
import type { SessionCookie, SignInSettings } from './deps.ts'
import { LAST_PROVIDER_COOKIES } from './last-provider.ts'
import { cookieAttributes } from './cookie-attributes.ts'

const domainOf = (cookie: SessionCookie): readonly string[] =>
  cookie.domain === undefined ? [] : [`Domain=${cookie.domain}`]

/** Sets the session cookie; it ends with the session, not with the browser window. */
export const setSessionCookie = (settings: SignInSettings, value: string, maxAgeSeconds: number): string =>
  `${settings.cookie.name}=${value}; ${cookieAttributes(settings, ...domainOf(settings.cookie), `Max-Age=${maxAgeSeconds}`)}`

/** Takes the session cookie away. */
export const clearSessionCookie = (settings: SignInSettings): string => setSessionCookie(settings, '', 0)

/** The small cookies beside the session, by either scheme; a name that ends in `-` is a family. None is for applications. */
export const SMALL_COOKIES: readonly string[] = [...BINDING_FAMILIES, ...LAST_PROVIDER_COOKIES]
