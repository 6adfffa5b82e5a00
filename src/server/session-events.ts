// What happens to sessions beside decisions, as lines of the decision log and counts: no token, no code, no query.
import type { LogFields } from '../audit/record.ts'
import type { AuditWriter } from '../audit/writer.ts'
import type { Session } from '../identity/session.ts'
import type { SignInEvent } from '../signin/deps.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { Metrics } from '../telemetry/metrics.ts'

export interface SessionEventPorts {
  readonly audit: Pick<AuditWriter, 'write'>
  readonly metrics: Pick<Metrics, 'signIn'>
  readonly logger: Pick<Logger, 'warn'>
  readonly nowMs: () => number
}

/** Makes what writes them down. Never throws. */
export const makeRecordEvent =
  (ports: SessionEventPorts) =>
  (event: SignInEvent): void => {
    const ts = new Date(ports.nowMs()).toISOString()
    count(ports, event)
    ports.audit.write(fieldsOf(event, ts))
    if (event.kind === 'circle') tellCircle(ports, event)
  }

/** For an operator, with all that was seen. */
const tellCircle = (
  { logger }: SessionEventPorts,
  { host, route, cause, evidence }: Extract<SignInEvent, { kind: 'circle' }>,
): void => logger.warn({ code: 'PST-1011', host, route, cause, ...evidence }, 'a browser goes in a circle')

const count = ({ metrics }: SessionEventPorts, event: SignInEvent): void => {
  switch (event.kind) {
    case 'login':
      return metrics.signIn(event.session.provider, 'success')
    case 'login-failed':
      return metrics.signIn(event.provider ?? '_none', 'failed')
    case 'circle':
      return metrics.signIn('_none', 'failed')
    case 'renewed':
    case 'renewal-failed':
    case 'renewal-refused':
      return metrics.signIn(event.session.provider, event.kind)
    case 'logout':
    case 'back-channel-logout':
    case 'back-channel-refused':
      return undefined
  }
}

const fieldsOf = (event: SignInEvent, ts: string): LogFields => {
  switch (event.kind) {
    case 'login':
      return {
        ...sessionFields(ts, 'login', event.session),
        outcome: 'success',
        purpose: event.purpose,
        cut: event.cut.length === 0 ? undefined : event.cut,
      }
    case 'logout':
      return { ...sessionFields(ts, 'logout', event.session), outcome: 'success', recorded: event.recorded }
    case 'login-failed':
      return {
        v: 1,
        type: 'login',
        ts,
        outcome: 'failed',
        provider: event.provider,
        code: event.code,
        why: event.why,
      }
    case 'circle':
      return {
        v: 1,
        type: 'login',
        ts,
        outcome: 'failed',
        route: event.route,
        code: 'PST-1011',
        why: event.cause,
      }
    case 'renewed':
      return { ...sessionFields(ts, 'session.renew', event.session), outcome: 'success' }
    case 'renewal-failed':
      return {
        ...sessionFields(ts, 'session.renew', event.session),
        outcome: 'failed',
        why: event.why,
        retryAt: new Date(event.untilMs).toISOString(),
      }
    case 'renewal-refused':
      return {
        ...sessionFields(ts, 'session.revoke', event.session),
        by: 'provider',
        why: event.why,
        durable: event.recorded,
      }
    case 'back-channel-logout': {
      const { provider, subject, providerSession, tokenId, ended } = event
      const target =
        providerSession === undefined
          ? { kind: 'subject', source: provider, subject }
          : { kind: 'provider-session', source: provider, id: providerSession, subject }
      return { v: 1, type: 'session.revoke', ts, by: 'back-channel', target, token: tokenId, ...ended }
    }
    case 'back-channel-refused':
      return { v: 1, type: 'logout', ts, outcome: 'failed', provider: event.provider, why: event.why }
  }
}

const sessionFields = (
  ts: string,
  type: LogFields['type'],
  session: Session,
): Record<string, unknown> & LogFields => ({
  v: 1,
  type,
  ts,
  session: session.id,
  sub: { kind: 'user', id: `${session.provider}|${session.subject}`, amr: session.amr },
})
