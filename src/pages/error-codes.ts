// Every error code with what happened and what to do. Codes are stable: support tickets and the docs name them.
import type { ErrorCode } from '../signin/page.ts'

export interface ErrorText {
  readonly title: string
  /** What happened, for the person in front of it. */
  readonly what: string
  /** What that person, or the operator, can do. */
  readonly mend: string
}

const TEXTS: Readonly<Record<ErrorCode, ErrorText>> = {
  'PST-1001': {
    title: 'The sign-in took too long',
    what: 'More than ten minutes passed between the start of this sign-in and its end.',
    mend: 'Start again: it takes only a moment if you are still signed in at your identity provider.',
  },
  'PST-1002': {
    title: 'This sign-in cannot be continued',
    what: 'The address that brought you back does not carry a sign-in that was started here.',
    mend: 'Start again from the application. Do not bookmark or share the address of this page.',
  },
  'PST-1003': {
    title: 'This sign-in was started in another browser',
    what: 'The sign-in that came back here was not started by this browser, or the browser lost its cookies in between.',
    mend: 'Start again in this browser. If it happens again, allow cookies for this site, or give your administrator what was seen, below.',
  },
  'PST-1004': {
    title: 'This sign-in was already used',
    what: 'Each sign-in can be finished once, and this one was. The page may have been reloaded.',
    mend: 'Go back to the application. You may already be signed in.',
  },
  'PST-1005': {
    title: 'The identity provider did not sign you in',
    what: 'The identity provider sent you back with an error instead of a sign-in.',
    mend: 'Try again. If you did not cancel it yourself, ask your identity team whether your account may use this service.',
  },
  'PST-1006': {
    title: 'The answer of the identity provider was refused',
    what: 'The answer was not made for this sign-in, was altered, or was used before.',
    mend: 'Start again. If it happens again, give your administrator the code and the time below.',
  },
  'PST-1007': {
    title: 'The identity provider cannot be reached',
    what: 'Sign-in is not possible at the moment. If you are signed in already, your session stays valid.',
    mend: 'Try again in a moment. Nothing that you entered was lost here.',
  },
  'PST-1008': {
    title: 'Sign-in is set up wrongly',
    what: 'The identity provider and this service disagree about how they are connected.',
    mend: 'Give your administrator the code and the time below: issuer, client id, client secret and redirect address must match.',
  },
  'PST-1009': {
    title: 'Your account has too much data for a session',
    what: 'The groups and claims of your account do not fit into a session cookie.',
    mend: 'Give your administrator the code below: fewer claims must be mapped, or fewer groups named in policies.',
  },
  'PST-1010': {
    title: 'Your account cannot be read',
    what: 'The identity provider sent a claim that access rules need in a form that cannot be read, or left it out for its size.',
    mend: 'Give your administrator the code and the claim below.',
  },
  'PST-1011': {
    title: 'You are going around in a circle',
    what: 'You were signed in and sent back several times within a minute, and came here again each time.',
    mend: 'Wait a minute, then try once more. If it happens again, give your administrator this page.',
  },
  'PST-1012': {
    title: 'A session here would not reach the application',
    what: 'The session cookie is not valid on the host of this application, so signing in would not help.',
    mend: 'Give your administrator the code below: the cookie domain must cover the application, or both must share a host.',
  },
  'PST-1013': {
    title: 'Sign-in is not possible at the moment',
    what: 'This service cannot reach the store that its replicas share. If you are signed in already, your session stays valid.',
    mend: 'Try again in a moment.',
  },
  'PST-1014': {
    title: 'Access cannot be decided at the moment',
    what: 'Something that the access rules need cannot be reached.',
    mend: 'Try again in a moment. If it lasts, give your administrator the code and the time below.',
  },
  'PST-1015': {
    title: 'No sign-in is set up for this application',
    what: 'The application asks for a session, but believes no identity provider that is configured here.',
    mend: 'Give your administrator the code below: the route must name a provider.',
  },
  'PST-1016': {
    title: 'A stronger sign-in was not possible',
    what: 'The application asks for a stronger or newer sign-in, and the identity provider could not give one.',
    mend: 'Set up a second factor at your identity provider, then try again.',
  },
  'PST-1017': {
    title: 'The request was refused',
    what: 'It did not come from a page of this site, or the page was open for too long.',
    mend: 'Go back, load the page again and repeat.',
  },
  'PST-1018': {
    title: 'There is no such page',
    what: 'The address does not belong to this service, or names an application or a scheme (http, https) that it does not lead back to.',
    mend: 'Go back to the application.',
  },
  'PST-1019': {
    title: 'Something went wrong here',
    what: 'The request could not be handled. Nobody was let in because of it.',
    mend: 'Try again. If it happens again, give your administrator the code and the time below.',
  },
  'PST-1020': {
    title: 'The clocks do not agree',
    what: 'The identity provider signed you in, but by the clock of this service its answer is not yet or no more valid.',
    mend: 'Your own clock does not matter here. Give your administrator the code and the time below: one of the two clocks is wrong.',
  },
  'PST-1030': {
    title: 'This way back was already used',
    what: 'The address that brought you to the application works once and for half a minute. It was used, came late, or was altered.',
    mend: 'Go back to the application. You may already be signed in.',
  },
  'PST-1031': {
    title: 'This browser did not ask for this way back',
    what: 'The address that brought you to the application was made for another browser, or this one lost its cookies in between.',
    mend: 'Start again from the application. If it happens again, allow cookies for its site.',
  },
  'PST-1032': {
    title: 'The way back to the application is set up wrongly',
    what: 'You are signed in or could be, but the host of the application does not hand on what it must.',
    mend: 'Give your administrator the code below: the proxy must route the prefix to this service, without asking it first, and pass the host on.',
  },
  'PST-1033': {
    title: 'Your session ended on the way',
    what: 'You signed out, or your session was ended, while you were on your way to the application.',
    mend: 'Sign in again.',
  },
}

/** The text of a code. */
export const errorText = (code: ErrorCode): ErrorText => TEXTS[code]
