import type { Session } from '../../../src/identity/session.ts'

export const NOW_SECONDS = 1_795_000_000

/** A session of alice, minted a minute ago, good for an hour. */
export const aliceSession = (changes: Partial<Session> = {}): Session => ({
  id: 'c2Vzc2lvbi1vZi1hbGljZQ',
  provider: 'corp',
  subject: 'alice-sub',
  providerSession: 'idp-session-1',
  authTimeSeconds: NOW_SECONDS - 60,
  amr: ['pwd'],
  acr: undefined,
  issuedAtSeconds: NOW_SECONDS - 60,
  learnedAtSeconds: NOW_SECONDS - 60,
  expiresAtSeconds: NOW_SECONDS + 3600,
  revocationNumber: 3,
  claims: { email: 'alice@example.com', groups: ['dev', 'staff'] },
  captured: ['email', 'groups', 'name'],
  cut: [],
  groupsRevision: undefined,
  emailVerified: true,
  stepUp: undefined,
  ...changes,
})
