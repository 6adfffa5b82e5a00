// The only place that writes a 200. Exactly 200: others among the success codes are a deny or an error to some proxies.
import type { Answer, AnswerInput, AnswerSettings } from './answer.ts'
import { answerHead, cookieLine } from './answer-head.ts'
import { echoHeaders } from './echo-headers.ts'
import { identityHeaders } from './identity-headers.ts'

/**
 * Writes an allow, with no body.
 * @returns undefined where there is no route to take the names of the identity headers from: such an answer would let
 *   the client's own copies pass. Never throws.
 */
export const writeAllow = (input: AnswerInput, settings: AnswerSettings): Answer | undefined => {
  const identity = wholeSet(input)
  if (identity === undefined) return undefined
  const headers = answerHead(input.decisionId, '')
  const echoes = echoHeaders(input, settings.ownCookies)
  if (input.exchange.dialect === 'ext') headers.push(...removalLine([...identity, ...echoes]))
  if (input.setCookie !== undefined) headers.push(...cookieLine([...headers, ...identity], input.setCookie))
  for (const text of echoes) headers.push(text)
  for (const text of identity) headers.push(text)
  return { status: 200, headers, shared: input.isShared === true ? identity : undefined, body: '' }
}

/** An allow that nobody prepared headers for is an anonymous one. */
const wholeSet = ({ identityHeaders: prepared, route }: AnswerInput): readonly string[] | undefined => {
  if (prepared.length > 0) return prepared
  if (route === undefined) return undefined
  return identityHeaders({ names: route.identity, principal: undefined, assertion: '', qualified: false })
    .headers
}

/** Envoy keeps the client's copy of a header that it is given empty; it drops those that are named here. */
const removalLine = (headers: readonly string[]): readonly string[] => {
  const empty = headers.filter((_, index) => index % 2 === 0 && headers[index + 1] === '')
  return empty.length === 0
    ? []
    : ['x-envoy-auth-headers-to-remove', empty.map((name) => name.toLowerCase()).join(',')]
}
