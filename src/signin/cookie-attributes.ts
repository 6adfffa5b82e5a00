// What every cookie of the public listener has in common.
import type { SignInSettings } from './deps.ts'

/** True where browsers reach us by https. */
export const isSecure = (settings: SignInSettings): boolean => settings.publicUrl.startsWith('https://')

/**
 * Attributes of a cookie. `Max-Age` counts from when the browser hears it, so that a wrong clock ends no cookie early;
 * there is never an `Expires` (RFC 6265 §4.1.2.2). Safari refuses `Secure` on plain http even for localhost; elsewhere
 * nothing is ever sent without it.
 */
export const cookieAttributes = (settings: SignInSettings, ...more: readonly string[]): string =>
  ['Path=/', ...more, ...(isSecure(settings) ? ['Secure'] : []), 'HttpOnly', 'SameSite=Lax'].join('; ')
