// What the decision log and the service log say about the service itself: its start, its end, and its policies.
import type { AuditWriter } from '../audit/writer.ts'
import type { PolicyEvent } from '../policy-file/store.ts'
import type { Logger } from '../telemetry/logger.ts'
import { faultText } from './compose-admin.ts'
import { VERSION } from './version.ts'

export interface LifeLine {
  readonly start: (policy: { readonly revision: string }) => void
  /** Nothing where there was no start. */
  readonly stop: (why: string) => void
}

/**
 * First and last line of a service in the decision log: what lies between them is whole, or counted as dropped.
 */
export const makeLifeLine = (audit: AuditWriter, nowMs: () => number): LifeLine => {
  const ts = (): string => new Date(nowMs()).toISOString()
  let hasStarted = false
  return {
    start: ({ revision }) => {
      hasStarted = true
      audit.write({ v: 1, type: 'service.start', ts: ts(), version: VERSION, policy: revision })
    },
    stop: (why) => {
      if (hasStarted)
        audit.write({ v: 1, type: 'service.stop', ts: ts(), why, dropped: audit.stats().dropped })
    },
  }
}

/** Writes a load or a refusal of policies into the decision log. */
export const recordLoad = (audit: AuditWriter, nowMs: () => number, event: PolicyEvent): void => {
  const ts = new Date(nowMs()).toISOString()
  if (event.kind === 'loaded') {
    const { revision, generation, routes } = event
    audit.write({ v: 1, type: 'policy.load', ts, policy: revision, generation, routes })
  } else if (event.kind === 'refused') {
    audit.write({ v: 1, type: 'policy.reject', ts, keeps: event.keeps, why: faultText(event.issues) })
  }
}

/** Tells the operator of it. */
export const tellLoad = (logger: Logger, event: PolicyEvent): void => {
  switch (event.kind) {
    case 'loaded':
      logger.info(
        { policy: event.revision, generation: event.generation, routes: event.routes },
        'policies loaded',
      )
      return
    case 'refused':
      logger.warn(
        { keeps: event.keeps, why: faultText(event.issues) },
        'policies refused; the last good ones stay in force; run `postern check`',
      )
      return
    case 'unchanged':
  }
}

/** Answers an operator who asked for a reload, and would not know otherwise that it was heard. */
export const tellReload = (logger: Logger, event: PolicyEvent): void => {
  if (event.kind === 'unchanged')
    logger.info({ policy: event.revision }, 'policies unchanged; decision log opened anew')
}
