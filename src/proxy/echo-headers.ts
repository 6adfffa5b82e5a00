// What of the client's own credentials goes on to the application. Proxies overwrite `Authorization` with what we
// answer: a foreign one is handed back, ours is emptied, so that no password or key reaches an application.
import { withoutCookie } from '../identity/cookie-header.ts'
import type { Verified } from '../identity/verified.ts'
import type { AnswerInput } from './answer.ts'

const NOTHING: readonly string[] = []

/**
 * Writes the echoes of an allow, each only if its header was received.
 * @param ownCookies names and families of our cookies, which are taken out of an echoed `Cookie`
 * @returns flat; an empty value tells the proxy to drop the header. Never throws.
 */
export const echoHeaders = (input: AnswerInput, ownCookies: ReadonlySet<string>): readonly string[] => {
  const { authorization, cookies } = input.exchange.carried
  const emptied = CONSUMED[input.verified?.consumed ?? 'none']
  const echoesCookie = cookies.length > 0 && input.section?.echo.includes('cookie') === true
  if (authorization === undefined && emptied === undefined && !echoesCookie) return NOTHING
  const headers: string[] = []
  if (authorization !== undefined) headers.push('Authorization', passedOn(authorization, input))
  if (emptied !== undefined) headers.push(emptied, '')
  if (echoesCookie) headers.push('Cookie', asReceived(withoutCookie(cookies, ownCookies) ?? ''))
  return headers
}

/** `Authorization` is answered for whoever it belongs to; the cookie has its own echo. */
const CONSUMED: Readonly<Record<Verified['consumed'], string | undefined>> = {
  authorization: undefined,
  'proxy-authorization': 'Proxy-Authorization',
  'api-key': 'X-API-Key',
  cookie: undefined,
  none: undefined,
}

const passedOn = (authorization: string, { section, verified }: AnswerInput): string => {
  const foreign = verified?.foreignAuthorization === true && verified.consumed !== 'authorization'
  if (!foreign || section?.echo.includes('authorization') !== true) return ''
  // A password that nobody here checks may be the old front door's: it goes on only where the route says so.
  if (/^basic(?:\s|$)/i.test(authorization) && !section.passthroughBasic) return ''
  return asReceived(authorization)
}

/** Node's parser lets no line break in; whatever else might, gets nothing out. */
const asReceived = (value: string): string => (/^[\t\x20-\x7e\x80-\xff]*$/.test(value) ? value : '')
