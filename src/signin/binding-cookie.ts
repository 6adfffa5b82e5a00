// The cookie that binds sign-ins to a browser. A tab that finds one shares it; tabs that start in the same instant each
// get one, under a name of its own, so that none takes another's away. The first that comes back clears the rest.
import { cookiesOfFamily, type NamedCookie } from '../identity/cookie-header.ts'
import { cookieAttributes, isSecure } from './cookie-attributes.ts'
import type { SignInSettings } from './deps.ts'
import { TRANSACTION_SECONDS } from './transaction.ts'
import type { Pair } from './web.ts'

/** By scheme; the prefix keeps siblings from planting one (RFC 6265bis §4.1.3.2). */
const FAMILIES = { https: '__Host-postern-bind-', http: 'postern-bind-' } as const

/** Beginnings of the names that a binding cookie may have. */
export const BINDING_FAMILIES: readonly string[] = Object.values(FAMILIES)

const familyOf = (settings: SignInSettings): string => FAMILIES[isSecure(settings) ? 'https' : 'http']

/** So many characters of a binding are in the name of its cookie, the others are the value. */
const NAMED = 6

const BINDING = /^[A-Za-z0-9_-]{22,64}$/

/** So many are read, the newest; with less than a kilobyte no head gets too long for a proxy. */
const BINDINGS_MAX = 16

/** Sets the cookie of a binding for as long as a sign-in may take; a later one only prolongs it. */
export const setBindingCookie = (settings: SignInSettings, binding: string): string =>
  cookieLine(settings, binding.slice(0, NAMED), binding.slice(NAMED), TRANSACTION_SECONDS)

const cookieLine = (settings: SignInSettings, name: string, value: string, maxAgeSeconds: number): string =>
  `${familyOf(settings)}${name}=${value}; ${cookieAttributes(settings, `Max-Age=${maxAgeSeconds}`)}`

/**
 * The bindings that a browser carries.
 * @param cookies each `Cookie` line, untrusted
 * @returns well-formed ones only, the newest first, {@link BINDINGS_MAX} at most. Never throws.
 */
export const bindingsOf = (settings: SignInSettings, cookies: readonly string[]): readonly string[] =>
  carried(settings, cookies)
    .map(({ name, value }) => name + value)
    .filter((binding) => BINDING.test(binding))
    .slice(-BINDINGS_MAX)
    .toReversed()

/** The family in the order of the header, names without their common beginning. */
const carried = (settings: SignInSettings, cookies: readonly string[]): readonly NamedCookie[] => {
  const family = familyOf(settings)
  return cookiesOfFamily(cookies, family).map(({ name, value }) => ({
    name: name.slice(family.length),
    value,
  }))
}

/** How a browser is rid of the bindings that it carries, but for those to keep: lines of `Set-Cookie`. */
export const clearBindings = (
  settings: SignInSettings,
  cookies: readonly string[],
  keep: readonly string[],
): readonly Pair[] =>
  [...new Set(carried(settings, cookies).map(({ name }) => name))]
    .filter((name) => NAME.test(name) && !keep.some((binding) => binding.startsWith(name)))
    .slice(0, CLEARED_MAX)
    .map((name) => ['set-cookie', cookieLine(settings, name, '', 0)])

const NAME = new RegExp(`^[A-Za-z0-9_-]{${NAMED}}$`)

/** Each line is about a hundred bytes; the rest ends by itself within ten minutes. */
const CLEARED_MAX = 24
