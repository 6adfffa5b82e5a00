// Refusals as `auth_request` understands them: 401 and 403 pass, anything else becomes a 500 that an operator sees. NGINX
// never shows our body, and one would cost it the connection.
import type { Answer, AnswerInput, AnswerSettings } from './answer.ts'
import { answerHead, cookieLine } from './answer-head.ts'
import { challengeOf, type Challenge } from './answer-challenge.ts'

/** Writes everything but an allow. Never throws. */
export const writeNginx = (input: AnswerInput, settings: AnswerSettings): Answer => {
  const { decision, decisionId } = input
  switch (decision.outcome) {
    case 'allow':
    case 'indeterminate':
      return empty(503, decisionId)
    case 'deny':
      return empty(403, decisionId)
    case 'challenge':
      return challenged(input, challengeOf(input, decision.demand, settings))
  }
}

const empty = (status: number, decisionId: string): Answer => ({
  status,
  headers: answerHead(decisionId, ''),
  body: '',
})

const challenged = (input: AnswerInput, challenge: Challenge): Answer => {
  const headers = [...answerHead(input.decisionId, ''), ...challenge.headers]
  return {
    status: challenge.status,
    headers: [...headers, ...cookieLine(headers, input.setCookie)],
    body: '',
  }
}
