// Where a challenged browser signs in. The address is the configuration's; of the request only the way back is in it,
// encoded, and `/sign-in` judges that way once more.
import type { Demand } from '../policy/decision.ts'
import type { AnonymousNote } from '../policy/principal.ts'
import type { SignInMode } from '../policy/route.ts'
import type { Manner, Target } from './exchange.ts'

/** Of the whole `Location`; with it a head stays under 4 KiB. */
const LOCATION_LIMIT = 2048

/**
 * Tells whether a challenge may offer sign-in to this caller.
 * @param manner untrusted; it only widens or narrows the offer. Never throws.
 */
export const offersSignIn = (demand: Demand, signin: SignInMode, manner: Manner): boolean => {
  if (signin === 'none' || !demand.accepts.includes('session')) return false
  switch (demand.kind) {
    case 'credential':
    case 'rejected':
      return !manner.machine
    case 'reauth':
    case 'step-up':
      return manner.navigation
  }
}

/**
 * Writes the absolute sign-in address with the way back in `rd`.
 * @param target of the request: its authority is well-formed, its path untrusted bytes
 * @param seen why the session that was sent does not count, for the page about a circle; a word of ours
 * @returns ASCII only; an over-long way back keeps its origin only. Never throws.
 */
export const signInLocation = (publicUrl: string, target: Target, seen?: AnonymousNote): string => {
  const origin = `${target.scheme}://${target.authority}`
  const more = seen === undefined ? '' : `&seen=${seen}`
  const whole = withReturn(publicUrl, origin + asUrl(target.pathAndQuery)) + more
  return whole.length <= LOCATION_LIMIT ? whole : withReturn(publicUrl, `${origin}/`) + more
}

const withReturn = (publicUrl: string, rd: string): string =>
  `${publicUrl}/sign-in?rd=${encodeURIComponent(rd)}`

/** The bytes that no browser leaves as they are in a URL, each escaped, so that the way back is the way that was asked. */
const asUrl = (bytes: string): string =>
  bytes.replaceAll(/[^A-Za-z0-9\-._~!$&'()*+,;=:@/?%]/g, (byte) => {
    const code = byte.charCodeAt(0)
    return code > 0xff ? encodeURIComponent(byte.toWellFormed()) : `%${hex(code)}`
  })

const hex = (code: number): string => code.toString(16).toUpperCase().padStart(2, '0')
