// Which ports the demo uses: the usual ones where they are free.
import { chooseFreePort } from './loopback.ts'

/** Ports that are written into configurations before anybody listens on them. */
export type Ports = Readonly<Record<'front' | 'decision' | 'public' | 'admin', number>>

const PREFERRED: Ports = { front: 8080, decision: 4181, public: 4180, admin: 9090 }

/** Chooses four different ports on 127.0.0.1. */
export const choosePorts = async (): Promise<Ports> => {
  const front = await chooseFreePort(PREFERRED.front, new Set())
  const decision = await chooseFreePort(PREFERRED.decision, new Set([front]))
  const pages = await chooseFreePort(PREFERRED.public, new Set([front, decision]))
  const admin = await chooseFreePort(PREFERRED.admin, new Set([front, decision, pages]))
  return { front, decision, public: pages, admin }
}
