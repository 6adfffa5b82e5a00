// What a sign-in means for the session that the browser had before it. With one cookie for the domain the new one takes
// its place everywhere. Where each host has its own, copies of the old one stay behind on other hosts: sign-out must
// reach them too.
import type { Session } from '../identity/session.ts'
import type { SignInContext } from './context.ts'

const isSamePerson = (one: Session, other: Session): boolean =>
  one.provider === other.provider && one.subject === other.subject

/**
 * Where each host has its own cookie, the same person in the same browser and session of the provider keeps the session
 * id, which is no credential: whatever ends the one ends all.
 * @param made just now, with an id of its own
 */
export const continuing = (
  { hop }: Pick<SignInContext, 'hop'>,
  former: Session | undefined,
  made: Session,
): Session =>
  hop !== undefined &&
  former !== undefined &&
  isSamePerson(former, made) &&
  former.providerSession === made.providerSession
    ? { ...made, id: former.id }
    : made

/** True where the new cookie takes the place of the former, or stands for the same session; else the former must end. */
export const isReplacedBy = (
  { hop }: Pick<SignInContext, 'hop'>,
  former: Session,
  session: Session,
): boolean => (hop === undefined ? isSamePerson(former, session) : former.id === session.id)
