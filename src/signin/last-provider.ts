// Remembers which provider a person signed in with, so that the chooser can offer it first. It is a wish and no proof:
// whoever plants another value changes the order of two buttons.
import { cookieValues } from '../identity/cookie-header.ts'
import { cookieAttributes, isSecure } from './cookie-attributes.ts'
import type { SignInContext } from './context.ts'
import type { SignInSettings } from './deps.ts'
import type { Pair } from './web.ts'

const NAMES = { https: '__Host-postern-provider', http: 'postern-provider' } as const

/** The names that the cookie may have. */
export const LAST_PROVIDER_COOKIES: readonly string[] = Object.values(NAMES)

const nameOf = (settings: SignInSettings): string => NAMES[isSecure(settings) ? 'https' : 'http']

const REMEMBERED_SECONDS = 180 * 24 * 3600

/** The line that remembers a provider, where there is a choice at all. */
export const rememberProvider = (context: SignInContext, provider: string): readonly Pair[] => {
  const { settings } = context.deps
  if (context.providers.size < 2) return []
  const attributes = cookieAttributes(settings, `Max-Age=${REMEMBERED_SECONDS}`)
  return [['set-cookie', `${nameOf(settings)}=${encodeURIComponent(provider)}; ${attributes}`]]
}

/**
 * Puts the provider first that this browser used last.
 * @param providers ids in the order of the configuration
 * @param cookies each `Cookie` line, untrusted: a value that is none of `providers` is nothing
 * @returns the ids, and the remembered one; undefined where none of them is. Never throws.
 */
export const lastUsedFirst = (
  settings: SignInSettings,
  providers: readonly string[],
  cookies: readonly string[],
): { readonly providers: readonly string[]; readonly last: string | undefined } => {
  const [value] = cookieValues(cookies, nameOf(settings))
  const last = providers.find((id) => encodeURIComponent(id) === value)
  return {
    providers: last === undefined ? providers : [last, ...providers.filter((id) => id !== last)],
    last,
  }
}
