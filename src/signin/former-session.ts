// What a sign-in means for the session that the browser had before it. With one cookie for the domain the new one takes
// its place everywhere. Where each host has its own, copies of the old one stay behind on other hosts: sign-out must
// reach them too.
import type { Session } from '../identity/session.ts'
import type { SignInContext } from './context.ts'
import type { Grants } from './deps.ts'
import type { Purpose } from './transaction.ts'

const isSamePerson = (one: Session, other: Session): boolean =>
  one.provider === other.provider && one.subject === other.subject

/**
 * What of the former session goes on in the new one. Its absolute limit does where the provider was only asked without a
 * word: nobody has signed in again. Its id does where each host has its own cookie, for the same person in the same browser
 * and session of the provider; an id is no credential, and whatever ends the one ends all.
 * @param made just now, with an id of its own
 */
export const continuing = (
  { hop }: Pick<SignInContext, 'hop'>,
  purpose: Purpose,
  former: Session | undefined,
  made: Session,
): Session => {
  if (former === undefined || !isSamePerson(former, made)) return made
  const keepsId = hop !== undefined && former.providerSession === made.providerSession
  return {
    ...made,
    id: keepsId ? former.id : made.id,
    expiresAtSeconds:
      purpose.kind === 'reauth'
        ? Math.min(former.expiresAtSeconds, made.expiresAtSeconds)
        : made.expiresAtSeconds,
  }
}

/** So many are remembered; older ones have long gone stale. */
const FORMER_MAX = 8

/** The ids that the same person had in this browser before, the latest last. */
export const formerIds = (
  grants: Pick<Grants, 'get'>,
  former: Session | undefined,
  session: Session,
): readonly string[] => {
  if (former === undefined || !isSamePerson(former, session)) return []
  const before = grants.get(former.id)?.former ?? []
  return (former.id === session.id ? before : [...before, former.id]).slice(-FORMER_MAX)
}

/** True where the new cookie takes the place of the former, or stands for the same session; else the former must end. */
export const isReplacedBy = (
  { hop }: Pick<SignInContext, 'hop'>,
  former: Session,
  session: Session,
): boolean => (hop === undefined ? isSamePerson(former, session) : former.id === session.id)
