// The end of the corridor: answers go out in batches, each leaves its line, and what breaks on the way is told, counted,
// and answered with no access.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Ruling } from '../decide/ruling.ts'
import type { Decision } from '../policy/decision.ts'
import type { Answer } from '../proxy/answer.ts'
import type { Exchange, Refusal } from '../proxy/exchange.ts'
import { makeSendAnswer, type SendAnswer } from './send-answer.ts'
import { makeTurnBatch, type Defer } from './turn-batch.ts'

/** One decided request, for the log and the metrics. Written after the answer. */
export interface Observed {
  readonly id: string
  readonly status: number
  readonly decision: Decision
  /** What was read; undefined where the path speaks no dialect. */
  readonly reading: Exchange | Refusal | undefined
  readonly ruling: Ruling | undefined
  /** Address of the socket; undefined where it is gone. */
  readonly peer: string | undefined
  /** Of the set that decided: another one may be in force by now. */
  readonly policyRevision: string | undefined
  readonly elapsedUs: number
  readonly nowMs: number
  /** Why a request was refused before policy, or what failed; no value of a credential. */
  readonly note: string | undefined
}

export interface DeliverDeps {
  /** Epoch milliseconds. */
  readonly nowMs: () => number
  /** Milliseconds of a clock that never jumps. */
  readonly monotonicMs: () => number
  readonly observe: (observed: Observed) => void
  readonly onFault: (error: unknown) => void
  /** When answers are written; without it at the end of the turn. */
  readonly defer?: Defer
}

/** One request on its socket. */
export interface Asked {
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
  readonly id: string
  /** NaN where no clock could be read. */
  readonly startedMs: number
}

/** What a request came to. */
export interface Outcome {
  readonly answer: Answer
  readonly decision: Decision
  readonly reading: Exchange | Refusal | undefined
  readonly ruling: Ruling | undefined
  readonly policyRevision: string | undefined
  readonly note: string | undefined
}

export interface Delivery {
  /** Sends and records at the end of the turn. Never throws. */
  readonly finish: (asked: Asked, outcome: Outcome) => void
  /** Tells a fault and answers it with no access, unless the answer is out already. Never throws. */
  readonly fail: (asked: Asked, error: unknown) => void
}

/** Makes what ends requests. */
export const makeDelivery = (deps: DeliverDeps): Delivery => {
  const parts: Sending = { ...deps, send: makeSendAnswer(deps.nowMs) }
  const later = makeTurnBatch<Concluded>((all) => finishAll(parts, all), deps.defer)
  return {
    finish: (asked, outcome) => later({ asked, outcome }),
    fail: (asked, error) => fail(parts, asked, error, FAULT),
  }
}

/** The parts, with what writes to the socket. */
type Sending = DeliverDeps & { readonly send: SendAnswer }

interface Concluded {
  readonly asked: Asked
  readonly outcome: Outcome
}

/** All answers go out before any line is written: whoever waits for them does not wait for the log. */
const finishAll = (deps: Sending, all: readonly Concluded[]): void => {
  const sent = all.filter(({ asked, outcome }) =>
    // What must be recorded is recorded before anybody hears of it.
    isStrict(outcome)
      ? guard(deps, asked, () => record(deps, asked, outcome)) &&
        guard(deps, asked, () => send(deps, asked, outcome), UNDELIVERED)
      : guard(deps, asked, () => send(deps, asked, outcome)),
  )
  // What could not be sent has its line already, as the fault that it was answered with.
  for (const { asked, outcome } of sent)
    if (!isStrict(outcome)) guard(deps, asked, () => record(deps, asked, outcome))
}

const isStrict = ({ ruling }: Outcome): boolean => ruling?.route?.audit === 'strict'

const send = (deps: Sending, { incoming, outgoing }: Asked, { answer }: Outcome): void =>
  deps.send(incoming, outgoing, answer)

const record = (deps: DeliverDeps, asked: Asked, outcome: Outcome): void =>
  deps.observe(observedOf(deps, asked, outcome))

const observedOf = (deps: DeliverDeps, { incoming, id, startedMs }: Asked, outcome: Outcome): Observed => ({
  id,
  status: outcome.answer.status,
  decision: outcome.decision,
  reading: outcome.reading,
  ruling: outcome.ruling,
  peer: incoming.socket.remoteAddress,
  policyRevision: outcome.policyRevision,
  elapsedUs: Number.isNaN(startedMs) ? 0 : Math.round((deps.monotonicMs() - startedMs) * 1000),
  nowMs: deps.nowMs(),
  note: outcome.note,
})

const FAULT = 'a fault in Postern; the service log has it'
/** A log is never taken back: the line before says what was decided, this one what became of it. */
const UNDELIVERED =
  'a fault in Postern; the service log has it; the answer that was recorded under this id was not given'

/** True where nothing broke. */
const guard = (deps: Sending, asked: Asked, run: () => void, note = FAULT): boolean => {
  try {
    run()
    return true
  } catch (error) {
    fail(deps, asked, error, note)
    return false
  }
}

const fail = (deps: Sending, asked: Asked, error: unknown, note: string): void => {
  attempt(() => deps.onFault(error))
  answerFault(deps, asked, note)
}

const attempt = (run: () => void): void => {
  try {
    run()
  } catch {
    // Whatever tells of faults is broken too; the answer must go out all the same.
  }
}

const answerFault = (deps: Sending, asked: Asked, note: string): void => {
  const { outgoing, id } = asked
  const outcome = failed(id, note)
  const isAnswered = outgoing.headersSent
  if (!isAnswered) attempt(() => send(deps, asked, outcome))
  // Half an answer, or none at all: the connection goes, and with it any access.
  if (!outgoing.writableEnded) outgoing.destroy()
  if (!isAnswered) attempt(() => record(deps, asked, outcome))
}

const failed = (id: string, note: string): Outcome => ({
  answer: bareAnswer(503, id),
  decision: {
    route: undefined,
    section: undefined,
    rule: undefined,
    outcome: 'indeterminate',
    reason: 'ERROR_INTERNAL',
    why: 'a fault',
  },
  reading: undefined,
  ruling: undefined,
  policyRevision: undefined,
  note,
})

const BARE = [
  'Content-Length',
  '0',
  'Cache-Control',
  'no-store',
  'X-Accel-Expires',
  '0',
  'X-Postern-Decision',
] as const

/** An answer that says nothing but its status and id. */
export const bareAnswer = (status: number, id: string): Answer => ({
  status,
  headers: [...BARE, id],
  body: '',
})
