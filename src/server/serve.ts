// The life of the service: open, compose, listen, follow the policy folder, drain. Refuses to start with every reason.
import { issueText, type PolicyFile, type PolicyIssue } from '../policy-file/issue.ts'
import { openPolicyStore, type PolicyEvent, type PolicyStore } from '../policy-file/store.ts'
import type { AuditWriter } from '../audit/writer.ts'
import type { Config } from '../config/config.ts'
import { openMemoryState, type MemoryState } from '../state/memory-state.ts'
import { makeLogger, type Logger } from '../telemetry/logger.ts'
import { openAudit } from './compose-audit.ts'
import { sealFor } from './compose-identity.ts'
import { compose, faultText, type Composed } from './compose.ts'
import { listen, type Listening } from './listening.ts'
import { VERSION } from './version.ts'

export interface RunningPostern {
  readonly decisionUrl: string
  /** Address that the public listener bound; browsers use `publicUrl`. */
  readonly publicAddress: string
  readonly adminUrl: string
  /** Loads the policies again and opens the decision log anew (SIGHUP). */
  reload(): Promise<PolicyEvent>
  /** Answers not ready, waits, lets requests under way finish, and writes everything down. Never rejects. */
  close(drainMs?: number): Promise<void>
}

export interface StartOptions {
  readonly logger?: Logger
  readonly nowMs?: () => number
  /** Opened already; without it the configuration's state is opened. It is closed with the service. */
  readonly state?: MemoryState
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
  const state = options.state ?? (await openState(config, logger, nowMs))
  const audit = await openAudit(config, logger).catch(refuse)
  let draining = false
  const open = async (): Promise<Started> => {
    const store = await openPolicies(config, logger, audit, nowMs)
    const opened = {
      config,
      store,
      state,
      audit,
      logger,
      version: VERSION,
      nowMs,
      isDraining: () => draining,
    }
    const composed = await compose(opened)
    return { store, composed, listeners: await listenAll(config, composed) }
  }
  const started = await open().catch(async (error: unknown) => {
    await Promise.all([state.close(), audit.close()])
    return refuse(error)
  })
  const { store, composed, listeners } = started
  const stopWatching = store.watch()
  for (const keys of composed.identity.issuerKeys.values()) void keys.start()
  recordLoad(audit, nowMs, { kind: 'loaded', ...store.status() })
  logger.info(
    {
      decision: listeners.decision.url,
      public: listeners.public.url,
      admin: listeners.admin.url,
      policy: store.status().revision,
    },
    'listening',
  )
  const stop = async (drainMs: number): Promise<void> => {
    draining = true
    await new Promise((resolve) => setTimeout(resolve, drainMs))
    stopWatching()
    await closeAll(started, state, audit)
  }
  let stopping: Promise<void> | undefined
  return {
    decisionUrl: listeners.decision.url,
    publicAddress: listeners.public.url,
    adminUrl: listeners.admin.url,
    reload: async () => {
      await audit.reopen()
      return store.reload()
    },
    close: (drainMs = 0) => {
      stopping ??= stop(drainMs)
      return stopping
    },
  }
}

const closeAll = async (
  { composed, listeners }: Started,
  state: MemoryState,
  audit: AuditWriter,
): Promise<void> => {
  for (const keys of composed.identity.issuerKeys.values()) keys.stop()
  await Promise.all([listeners.decision, listeners.public, listeners.admin].map((one) => one.close()))
  await state.close()
  await audit.close()
}

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
  const opening = await openMemoryState({
    file: file === undefined ? undefined : { path: file, seal: sealFor(config, 'state') },
    nowSeconds: () => nowMs() / 1000,
    absoluteSeconds: config.session.absoluteMs / 1000,
    idleSeconds: config.session.idleMs / 1000,
    every: (intervalMs, run) => {
      const timer = setInterval(run, intervalMs).unref()
      return () => clearInterval(timer)
    },
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
    },
  })
  if (opening.kind === 'opened') return opening.store
  return refuse(new Error(refusalText(opening.issues, opening.files)))
}

/** Every issue with its excerpt. */
const refusalText = (issues: readonly PolicyIssue[], files: readonly PolicyFile[]): string =>
  issues.map((issue) => issueText(issue, files.find(({ path }) => path === issue.file)?.text)).join('\n\n')

const recordLoad = (audit: AuditWriter, nowMs: () => number, event: PolicyEvent): void => {
  const ts = new Date(nowMs()).toISOString()
  if (event.kind === 'loaded') {
    const { revision, generation, routes } = event
    audit.write({ v: 1, type: 'policy.load', ts, policy: revision, generation, routes })
  } else if (event.kind === 'refused') {
    audit.write({ v: 1, type: 'policy.reject', ts, keeps: event.keeps, why: faultText(event.issues) })
  }
}

const tellLoad = (logger: Logger, event: PolicyEvent): void => {
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
        'policies refused; the last good ones stay in force',
      )
      return
    case 'unchanged':
  }
}

interface Listeners {
  readonly decision: Listening
  readonly public: Listening
  readonly admin: Listening
}

const listenAll = async (config: Config, composed: Composed): Promise<Listeners> => {
  const { decision, public: open, admin } = config.listen
  const bound: Listening[] = []
  const bind = async (
    server: Composed['decision'],
    name: string,
    at: { host: string; port: number },
  ): Promise<Listening> => {
    const listening = await listen(server, name, at.host, at.port)
    bound.push(listening)
    return listening
  }
  try {
    return {
      decision: await bind(composed.decision, 'decision', decision),
      public: await bind(composed.public, 'public', open),
      admin: await bind(composed.admin, 'admin', admin),
    }
  } catch (error) {
    await Promise.all(bound.map((one) => one.close()))
    throw error
  }
}
