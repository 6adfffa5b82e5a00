// Step 5: a decision, or a refusal before any decision, in the words of the proxy that asked.
import type { Answer, AnswerInput, AnswerSettings } from './answer.ts'
import { writeAllow } from './answer-allow.ts'
import { problem, writeForward } from './answer-forward.ts'
import { answerHead } from './answer-head.ts'
import { writeNginx } from './answer-nginx.ts'
import type { Refusal } from './exchange.ts'

/**
 * Writes the answer to a decided request.
 * @returns 200 for an allow and for nothing else. Never throws, as far as the page port does not.
 */
export const writeAnswer = (input: AnswerInput, settings: AnswerSettings): Answer => {
  if (input.decision.outcome === 'allow') {
    const allowed = writeAllow(input, settings)
    if (allowed !== undefined) return allowed
  }
  return input.exchange.dialect === 'nginx' ? writeNginx(input, settings) : writeForward(input, settings)
}

/** What 405 says instead (RFC 9110 §15.5.6). */
const ALLOWED_METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'

/** Writes the answer to a request that never reached policy. Never throws. */
export const writeRefusal = (refusal: Refusal, decisionId: string): Answer => {
  const content =
    refusal.dialect === 'nginx' ? { headers: [], body: '' } : problem(refusal.status, decisionId)
  const allow = refusal.status === 405 ? ['Allow', ALLOWED_METHODS] : []
  return {
    status: refusal.status,
    headers: [...answerHead(decisionId, content.body), ...allow, ...content.headers],
    body: content.body,
  }
}
