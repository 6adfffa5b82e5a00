// Every word that a page says, in one place: a second language is a second object of this shape.
import type { CredentialKind } from '../policy/credential-kind.ts'

const LANGUAGE = 'en'

const CREDENTIALS: Readonly<Record<CredentialKind, string>> = {
  session: 'a signed-in session',
  bearer: 'a bearer token',
  'service-account': 'a Kubernetes service account token',
  'api-key': 'an API key',
  basic: 'a user name and password (Basic)',
  'client-certificate': 'a client certificate',
}

export const WORDS = {
  language: LANGUAGE,
  product: 'Postern',
  app: 'Application',
  route: 'Route',
  owner: 'Owner',
  decision: 'Decision',
  time: 'Time',
  code: 'Code',
  claim: 'Claim',
  signIn: 'Sign in',
  signInAgain: 'Sign in again',
  signOut: 'Sign out',
  tryAgain: 'Try again',
  goOn: 'Go on',
  goBack: 'Go back',
  otherAccount: 'Use another account',
  requestAccess: 'Request access',
  credential: (kind: CredentialKind): string => CREDENTIALS[kind],
  choose: {
    title: (host: string | undefined): string => (host === undefined ? 'Sign in' : `Sign in to ${host}`),
    asks: (app: string): string => `${app} asks you to sign in. How do you want to do that?`,
    plain: 'How do you want to sign in?',
    with: (provider: string): string => `Sign in with ${provider}`,
  },
  denied: {
    title: (host: string): string => `You have no access to ${host}`,
    as: (who: string, provider: string): string => `You are signed in as ${who}, by ${provider}.`,
    anonymous: 'You are not signed in.',
    missing: 'What is missing',
    refuses: 'What refuses you',
    nothingOpen: 'No rule of this application lets anybody do this.',
    noRoute: 'No application that is set up here answers at this address.',
    ended: 'The access that you had has ended.',
    failed: 'A rule could not be evaluated, and so nobody is let in by it.',
    more: (count: number): string => `and ${count} more`,
  },
  signOutPage: {
    title: 'Sign out?',
    what: (who: string, provider: string): string =>
      `You are signed in as ${who}, by ${provider}. Signing out ends this session for every application behind this service.`,
  },
  signedOut: {
    title: 'You are signed out',
    nobody: 'You were not signed in here.',
    here: 'Your session here has ended, for every application behind this service.',
    stays: (provider: string): string =>
      `Your session at ${provider} has not been ended. On a shared computer, sign out there too.`,
    everywhere: (provider: string): string => `Your session at ${provider} has ended as well.`,
    unrecorded:
      'The end of the session could not be recorded for every replica. The cookie is gone from this browser; sign out again in a few minutes to be sure.',
    own: 'Applications that keep a session of their own may still know you: sign out there too.',
  },
  me: {
    title: 'Who you are here',
    user: 'Signed in as',
    provider: 'Identity provider',
    subject: 'Subject',
    groups: 'Groups',
    noGroups: 'none',
    groupsUnknown: 'not read by any rule',
    claims: 'Claims that access rules use',
    noClaims: 'none',
    started: 'Session started',
    ends: 'Session ends',
    proved: 'Identity proved',
    unknownTime: 'the provider does not say',
    methods: 'Methods',
    level: 'Level',
  },
  notSignedIn: { title: 'You are not signed in', what: 'Sign in to see who you are here.' },
  noSession: {
    title: (host: string): string => `${host} does not take a sign-in`,
    what: 'This address is for programs. Signing in with a browser does not open it. It takes:',
    nothing: 'It takes no credential at all.',
  },
  hop: { title: 'One moment', what: 'You are being sent on. If nothing happens, use the button.' },
  error: { seen: 'What was seen', retry: (seconds: number): string => `Try again in ${seconds} seconds.` },
} as const

/** An instant for people, in UTC, so that it can be compared with a log. */
export const instantText = (atMs: number): string =>
  `${new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`
