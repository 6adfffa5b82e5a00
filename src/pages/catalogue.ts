// Every word that a page says, in one place: a second language is a second object of this shape.
import type { CredentialKind } from '../policy/credential-kind.ts'
import type { AnonymousNote } from '../policy/principal.ts'
import type { CircleCause } from '../signin/page.ts'

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
  yes: 'yes',
  no: 'no',
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
    last: 'used last time',
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

/** Words of the page about a circle: `here` is sign-in, `there` the application. */
export const CIRCLE = {
  forOperators: 'For your administrator',
  here: 'Session cookie at sign-in',
  there: 'Session cookie at the application',
  cookie: 'Cookie',
  target: 'You are sent to',
  schemeThere: 'Scheme at the application',
  schemeHere: 'Scheme at sign-in',
  browserScheme: 'Scheme in your browser',
  browserClock: 'Clock of your browser, ahead by',
  browserCookies: 'Your browser keeps cookies',
  notTold: 'not told',
  notSent: 'not sent',
  sent: (copies: number, counts: boolean): string => {
    const sent = copies === 1 ? 'sent' : `sent ${copies} times`
    return `${sent}, ${counts ? 'and accepted' : 'but not accepted'}`
  },
  nothingThere: 'not sent, as far as is known',
  notes: {
    expired: 'sent, but expired',
    revoked: 'sent, but revoked',
    stale: 'sent, but due to be confirmed by the provider',
    'two-sessions': 'two different ones sent, so that none counts',
    'does-not-open': 'sent, but it cannot be opened',
    'not-believed': 'sent, but from a provider that the route does not believe',
  } satisfies Record<AnonymousNote, string>,
  cookieOf: (name: string, domain: string | undefined, host: string): string =>
    domain === undefined ? `${name}, for ${host} alone` : `${name}, for ${domain} and all hosts below it`,
  schemesDiffer: (own: string, forwarded: string): string =>
    `${own} by the configuration, ${forwarded} by its proxy`,
  clock: (provider: string): string => `Clock, against ${provider}`,
  clockText: (aheadSeconds: number): string => {
    if (Math.abs(aheadSeconds) < 2) return 'the same'
    return `${Math.abs(aheadSeconds)} s ${aheadSeconds < 0 ? 'behind' : 'ahead'}`
  },
  cause: {
    'not-kept':
      'The browser was given a session cookie each time, and brought none back, not even to sign-in.',
    'two-sessions': 'The browser carries two different session cookies, and so none of them counts.',
    'not-accepted-here': 'The browser brings the session cookie back, and sign-in itself does not accept it.',
    'insecure-application':
      'The application was reached by http. A browser sends the session cookie by https only.',
    'not-sent-there': 'The session counts at sign-in, but the application’s proxy asks without its cookie.',
    'not-accepted-there': 'The session counts at sign-in, and where the application asks it does not.',
  } satisfies Record<CircleCause, string>,
  next: {
    'not-kept':
      'Look whether a proxy before sign-in drops or rewrites Set-Cookie, and whether session.domain covers the host of sign-in.',
    'two-sessions':
      'Delete both cookies in the browser. If it comes back, look for a second service that sets a cookie of this name for another domain.',
    'not-accepted-here':
      'Look whether all replicas have the same session.keys, session.domain and clock, and whether the session was revoked.',
    'insecure-application':
      'Make the application’s proxy redirect http to https before it asks for a decision.',
    'not-sent-there':
      'Let the request of the proxy to the decision service carry the browser’s Cookie header, and look whether the application is really reached by https: by http the cookie is not sent.',
    'not-accepted-there':
      'Look whether the decision service that the proxy asks has the same session.keys, session.domain, state and clock as this one.',
  } satisfies Record<CircleCause, string>,
} as const

/** An instant for people, in UTC, so that it can be compared with a log. */
export const instantText = (atMs: number): string =>
  `${new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`
