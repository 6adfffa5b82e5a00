import type { FetchPorts } from '../../../src/identity/json-fetch.ts'
import type { KeyPorts } from '../../../src/identity/issuer-keys.ts'

/** A monotonic clock with timers that run when it is advanced past them. */
export const makeKeyClock = (): {
  ports: KeyPorts
  advance: (byMs: number) => void
  delays: () => number[]
} => {
  let nowMs = 1000
  let timers: { at: number; run: () => void }[] = []
  const schedule: FetchPorts['schedule'] = (delayMs, run) => {
    const timer = { at: nowMs + delayMs, run }
    timers.push(timer)
    return () => {
      timers = timers.filter((one) => one !== timer)
    }
  }
  return {
    ports: { fetch: globalThis.fetch, schedule, nowMs: () => nowMs, random: () => 0.5 },
    advance: (byMs) => {
      nowMs += byMs
      const due = timers.filter((one) => one.at <= nowMs)
      timers = timers.filter((one) => one.at > nowMs)
      for (const timer of due) timer.run()
    },
    delays: () => timers.map((one) => one.at - nowMs).sort((one, other) => one - other),
  }
}
