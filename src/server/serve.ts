// The life of the service: open, compose, listen, follow the policy folder, drain. Refuses to start with every reason.
import { issueText, type PolicyFile, type PolicyIssue } from '../policy-file/issue.ts'
import { openPolicyStore, type PolicyEvent, type PolicyStore } from '../policy-file/store.ts'
import type { AuditWriter } from '../audit/writer.ts'
import type { Config } from '../config/config.ts'
import { openMemoryState, type MemoryState } from '../state/memory-state.ts'
import { makeSteadySeconds } from '../state/steady-clock.ts'
import { makeLogger, type Logger } from '../telemetry/logger.ts'
import { openAudit } from './compose-audit.ts'
import { sealFor } from './compose-identity.ts'
import { compose, type Composed } from './compose.ts'
import { ENDING_NOTICE_MS, tellEndingRules } from './ending-rules.ts'
import { eachOf, reserveListeners, type Listeners, type ReservedListeners } from './listeners.ts'
import type { Listening } from './listening.ts'
import { makeLifeLine, recordLoad, tellLoad, tellReload } from './service-events.ts'
import { VERSION } from './version.ts'

export interface RunningPostern {
  readonly decisionUrl: string
  /** Address that the public listener bound; browsers use `publicUrl`. */
  readonly publicAddress: string
  readonly adminUrl: string
  /** Loads the policies again and opens the decision log anew (SIGHUP). */
  reload(): Promise<PolicyEvent>
  /**
   * Answers not ready, waits, lets requests under way finish, and writes everything down. Called again, it waits for
   * nothing any more. Never rejects.
   */
  close(drainMs?: number): Promise<void>
}

export interface StartOptions {
  readonly logger?: Logger
  readonly nowMs?: () => number
  /** Opened already; without it the configuration's state is opened. It is closed with the service. */
  readonly state?: MemoryState
  /** Calls `run` again and again; must not keep the process alive by itself. @returns what stops it */
  readonly every?: Every
}

type Every = (intervalMs: number, run: () => void) => () => void

const everyUnref: Every = (intervalMs, run) => {
  const timer = setInterval(run, intervalMs).unref()
  return () => clearInterval(timer)
}

/** Why the service does not start, ready to be printed. */
export class StartRefused extends Error {
  override readonly name = 'StartRefused'
}

/**
 * Starts Postern.
 * @param config decoded; every secret is loaded
 * @throws {StartRefused} where policies, state, log or an address cannot be used: nothing is left listening
 */
export const startPostern = async (config: Config, options: StartOptions = {}): Promise<RunningPostern> => {
  const logger = options.logger ?? makeLogger(config.log.level)
  const nowMs = options.nowMs ?? Date.now
  const { reserved, state, audit, giveBack } = await hold(config, options, logger, nowMs)
  const lifeLine = makeLifeLine(audit, nowMs)
  let draining = false
  const open = async (): Promise<Started> => {
    const store = await openPolicies(config, logger, audit, nowMs)
    const composed = await compose({
      config,
      store,
      state,
      audit,
      logger,
      version: VERSION,
      nowMs,
      isDraining: () => draining,
    })
    lifeLine.start(store.status())
    recordLoad(audit, nowMs, { kind: 'loaded', ...store.status() })
    // A log that cannot be written is known before the first request: a strict route must not begin with an allow.
    await audit.flush()
    return { store, composed, listeners: await reserved.open(composed) }
  }
  const started = await open().catch(async (error: unknown) => {
    lifeLine.stop('it did not start')
    await giveBack()
    return refuse(error)
  })
  const { store, composed, listeners } = started
  const stopFollowing = follow(store, logger, nowMs, options.every ?? everyUnref)
  for (const keys of composed.identity.issuerKeys.values()) void keys.start()
  tellAddresses(logger, started)
  const haste = makeHaste(eachOf(listeners))
  const stop = async (drainMs: number): Promise<void> => {
    draining = true
    for (const one of eachOf(listeners)) one.drain()
    await haste.pause(drainMs)
    stopFollowing()
    await closeAll(started, () => lifeLine.stop('it was told to'), state, audit)
  }
  let stopping: Promise<void> | undefined
  return {
    decisionUrl: listeners.decision.url,
    publicAddress: listeners.public.url,
    adminUrl: listeners.admin.url,
    reload: async () => {
      await audit.reopen()
      const event = await store.reload()
      tellReload(logger, event)
      return event
    },
    close: (drainMs = 0) => {
      if (stopping !== undefined) haste.hurry()
      stopping ??= stop(drainMs)
      return stopping
    },
  }
}

interface Held {
  readonly reserved: ReservedListeners
  readonly state: MemoryState
  readonly audit: AuditWriter
  readonly giveBack: () => Promise<void>
}

/** Opens what only one process may hold: the addresses first, for whoever lacks them must not touch a file. */
const hold = async (
  config: Config,
  options: StartOptions,
  logger: Logger,
  nowMs: () => number,
): Promise<Held> => {
  const given = options.state
  const held = given === undefined ? [] : [() => given.close()]
  const giveBack = async (): Promise<void> => {
    await Promise.all(held.map((release) => release()))
  }
  try {
    const reserved = await reserveListeners(config.listen)
    held.push(reserved.release)
    const state = given ?? (await openState(config, logger, nowMs))
    if (given === undefined) held.push(state.close)
    const audit = await openAudit(config, logger, nowMs, options.every ?? everyUnref)
    held.push(() => audit.close())
    return { reserved, state, audit, giveBack }
  } catch (error) {
    await giveBack()
    return refuse(error)
  }
}

/** Follows the policy folder and the calendar. */
const follow = (store: PolicyStore, logger: Logger, nowMs: () => number, every: Every): (() => void) => {
  const stopWatching = store.watch()
  const stopTelling = every(ENDING_NOTICE_MS, () => tellEndingRules(logger, store.current(), nowMs()))
  return () => {
    stopWatching()
    stopTelling()
  }
}

/** Longest time that a request under way is waited for: less than what is left of an orchestrator's usual 30 s. */
const GRACE_MS = 10_000

const closeAll = async (
  started: Started,
  lastLine: () => void,
  state: MemoryState,
  audit: AuditWriter,
): Promise<void> => {
  for (const keys of started.composed.identity.issuerKeys.values()) keys.stop()
  await Promise.all(eachOf(started.listeners).map((one) => one.close(GRACE_MS)))
  await state.close()
  lastLine()
  await audit.close()
}

/** A pause that somebody in a hurry ends, together with everything that is still under way. */
const makeHaste = (
  listeners: readonly Listening[],
): { pause: (ms: number) => Promise<void>; hurry: () => void } => {
  const called = Promise.withResolvers<void>()
  return {
    pause: async (durationMs) => {
      const timer = setTimeout(called.resolve, durationMs)
      await called.promise
      clearTimeout(timer)
    },
    hurry: () => {
      called.resolve()
      for (const one of listeners) one.abort()
    },
  }
}

const tellAddresses = (logger: Logger, { store, listeners }: Started): void =>
  logger.info(
    {
      decision: listeners.decision.url,
      public: listeners.public.url,
      admin: listeners.admin.url,
      policy: store.status().revision,
    },
    'listening',
  )

interface Started {
  readonly store: PolicyStore
  readonly composed: Composed
  readonly listeners: Listeners
}

const refuse = (error: unknown): never => {
  throw new StartRefused(error instanceof Error ? error.message : String(error), { cause: error })
}

const openState = async (config: Config, logger: Logger, nowMs: () => number): Promise<MemoryState> => {
  const { file } = config.state
  const nowSeconds = (): number => nowMs() / 1000
  const opening = await openMemoryState({
    file: file === undefined ? undefined : { path: file, seal: sealFor(config, 'state') },
    nowSeconds,
    steadySeconds: makeSteadySeconds(nowSeconds, () => performance.now() / 1000),
    absoluteSeconds: config.session.absoluteMs / 1000,
    every: everyUnref,
    onFault: (why) => logger.warn({ file, why }, 'the state file cannot be written'),
  })
  if (opening.kind === 'refused') return refuse(new Error(opening.why))
  if (opening.notice !== undefined)
    logger.warn({ file, notice: opening.notice }, 'the state file was cut off')
  return opening.state
}

const openPolicies = async (
  config: Config,
  logger: Logger,
  audit: AuditWriter,
  nowMs: () => number,
): Promise<PolicyStore> => {
  const opening = await openPolicyStore({
    folder: config.policiesFolder,
    nowMs,
    onEvent: (event) => {
      recordLoad(audit, nowMs, event)
      tellLoad(logger, event)
      if (event.kind === 'loaded') tellEndings()
    },
  })
  const tellEndings = (): void => {
    if (opening.kind === 'opened') tellEndingRules(logger, opening.store.current(), nowMs())
  }
  tellEndings()
  if (opening.kind === 'opened') return opening.store
  return refuse(new Error(refusalText(opening.issues, opening.files)))
}

/** Every issue with its excerpt. */
const refusalText = (issues: readonly PolicyIssue[], files: readonly PolicyFile[]): string =>
  issues.map((issue) => issueText(issue, files.find(({ path }) => path === issue.file)?.text)).join('\n\n')
