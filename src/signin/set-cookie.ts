// The two cookies of the public listener: the session, and the small one that binds sign-ins to a browser.
import { cookieValues } from '../identity/cookie-header.ts'
import type { SessionCookie, SignInSettings } from './deps.ts'
import { TRANSACTION_SECONDS } from './transaction.ts'

const isSecure = (settings: SignInSettings): boolean => settings.publicUrl.startsWith('https://')

/** Safari refuses `Secure` on plain http even for localhost; elsewhere nothing is ever sent without it. */
const attributes = (settings: SignInSettings, ...more: readonly string[]): string =>
  ['Path=/', ...more, ...(isSecure(settings) ? ['Secure'] : []), 'HttpOnly', 'SameSite=Lax'].join('; ')

const domainOf = (cookie: SessionCookie): readonly string[] =>
  cookie.domain === undefined ? [] : [`Domain=${cookie.domain}`]

/** Sets the session cookie; it ends with the session, not with the browser window. */
export const setSessionCookie = (settings: SignInSettings, value: string, maxAgeSeconds: number): string =>
  `${settings.cookie.name}=${value}; ${attributes(settings, ...domainOf(settings.cookie), `Max-Age=${maxAgeSeconds}`)}`

/** Takes the session cookie away. */
export const clearSessionCookie = (settings: SignInSettings): string => setSessionCookie(settings, '', 0)

/** The binding cookie's name by scheme: none of these ever reaches an application. */
export const BINDING_COOKIES = { https: '__Host-postern-bind', http: 'postern-bind' } as const

/** Name of the binding cookie; the prefix keeps siblings from planting one (RFC 6265bis §4.1.3.2). */
const bindingCookieName = (settings: SignInSettings): string =>
  BINDING_COOKIES[isSecure(settings) ? 'https' : 'http']

/** Sets the binding cookie for as long as a sign-in may take; a later one only prolongs it. */
export const setBindingCookie = (settings: SignInSettings, binding: string): string =>
  `${bindingCookieName(settings)}=${binding}; ${attributes(settings, `Max-Age=${TRANSACTION_SECONDS}`)}`

const BINDING = /^[A-Za-z0-9_-]{22,64}$/

/**
 * The bindings that a browser carries.
 * @param cookies each `Cookie` line, untrusted
 * @returns well-formed values only; more than one where somebody planted another
 */
export const bindingsOf = (settings: SignInSettings, cookies: readonly string[]): readonly string[] =>
  cookieValues(cookies, bindingCookieName(settings)).filter((value) => BINDING.test(value))
