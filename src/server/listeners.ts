// The three listeners of the service: their addresses are taken before anything else is opened, so that a second process
// with the same configuration is refused before it touches a file. Nothing is answered until the servers take them over.
import type { Server } from 'node:http'
import type { Config } from '../config/config.ts'
import { listen, reserve, type Listening, type Reserved } from './listening.ts'

export interface Listeners {
  readonly decision: Listening
  readonly public: Listening
  readonly admin: Listening
}

export interface ReservedListeners {
  /** Lets the servers answer at the addresses. Rejects where one cannot. */
  readonly open: (servers: { readonly [name in keyof Listeners]: Server }) => Promise<Listeners>
  /** Gives the addresses back, opened or not. Never rejects. */
  readonly release: () => Promise<void>
}

/**
 * Takes the three addresses, or none of them.
 * @throws {Error} where one cannot be bound: says which, where and why
 */
export const reserveListeners = async (at: Config['listen']): Promise<ReservedListeners> => {
  const taken: Reserved[] = []
  const release = async (): Promise<void> => {
    await Promise.all(taken.map((one) => one.release()))
  }
  const take = async (name: keyof Listeners): Promise<Reserved> => {
    const reserved = await reserve(name, at[name].host, at[name].port)
    taken.push(reserved)
    return reserved
  }
  try {
    const decision = await take('decision')
    const open = await take('public')
    const admin = await take('admin')
    return {
      release,
      open: async (servers) => ({
        decision: await listen(servers.decision, decision),
        public: await listen(servers.public, open),
        admin: await listen(servers.admin, admin),
      }),
    }
  } catch (error) {
    await release()
    throw error
  }
}

/** All three. */
export const eachOf = (listeners: Listeners): readonly Listening[] => [
  listeners.decision,
  listeners.public,
  listeners.admin,
]
