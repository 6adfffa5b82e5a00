// The nonce of an application's host: a small cookie that shows, when a ticket comes back, that it was this browser that
// left. What travels is its hash alone; whoever sees that cannot make the cookie.
import { hash } from 'node:crypto'
import { cookieValues } from '../identity/cookie-header.ts'
import { cookieAttributes, isSecure } from './cookie-attributes.ts'
import type { SignInSettings } from './deps.ts'

/** The nonce cookie's name by scheme; the prefix keeps siblings from planting one (RFC 6265bis §4.1.3.2). */
export const NONCE_COOKIES = { https: '__Host-postern-nonce', http: 'postern-nonce' } as const

const nameOf = (settings: SignInSettings): string => NONCE_COOKIES[isSecure(settings) ? 'https' : 'http']

const NONCE = /^[A-Za-z0-9_-]{22,64}$/
const NONCE_HASH = /^[A-Za-z0-9_-]{43}$/

/**
 * The nonces that a browser carries.
 * @param cookies each `Cookie` line of the host of the application, untrusted
 * @returns well-formed values only
 */
export const noncesOf = (settings: SignInSettings, cookies: readonly string[]): readonly string[] =>
  cookieValues(cookies, nameOf(settings)).filter((value) => NONCE.test(value))

// Out, back and landing take seconds; whoever is caught by its end leaves once more.
const NONCE_SECONDS = 600

/** Sets the nonce of the host that answers. */
export const setNonceCookie = (settings: SignInSettings, nonce: string): string =>
  `${nameOf(settings)}=${nonce}; ${cookieAttributes(settings, `Max-Age=${NONCE_SECONDS}`)}`

/** What of a nonce travels. */
export const hashOfNonce = (nonce: string): string => hash('sha256', nonce, 'base64url')

/** True for what could be the hash of a nonce. */
export const isNonceHash = (text: string | undefined): text is string =>
  text !== undefined && NONCE_HASH.test(text)
