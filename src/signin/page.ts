// What sign-in has to say to a person, as data. How it looks is the business of the pages; no markup in here.
import type { CredentialKind } from '../policy/credential-kind.ts'
import type { AnonymousNote, ClaimValue } from '../policy/principal.ts'
import type { ReasonCode } from '../policy/reason.ts'
import type { TracedRule } from '../policy/trace.ts'

/** Stable codes of what can go wrong on the way in; each has a text in the pages' table. Additive. */
export const ERROR_CODES = [
  'PST-1001',
  'PST-1002',
  'PST-1003',
  'PST-1004',
  'PST-1005',
  'PST-1006',
  'PST-1007',
  'PST-1008',
  'PST-1009',
  'PST-1010',
  'PST-1011',
  'PST-1012',
  'PST-1013',
  'PST-1014',
  'PST-1015',
  'PST-1016',
  'PST-1017',
  'PST-1018',
  'PST-1019',
  'PST-1020',
  'PST-1030',
  'PST-1031',
  'PST-1032',
  'PST-1033',
] as const

export type ErrorCode = (typeof ERROR_CODES)[number]

/** The application that asks. `host` is one that a route lists; nothing here is taken from the browser unchecked. */
export interface AskingApp {
  readonly route: string | undefined
  readonly host: string
  readonly owner: string | undefined
}

/** Who is signed in, as far as a page shows it. */
export interface SignedInAs {
  /** What the operator calls the provider. */
  readonly provider: string
  readonly subject: string
  /** The friendliest name that was captured: name, e-mail or user name; undefined = only the subject is known. */
  readonly label: string | undefined
}

export interface ProviderChoice {
  /** What the operator calls it. */
  readonly label: string
  readonly href: string
  /** This browser signed in with it the last time. */
  readonly isLast: boolean
}

export interface MeSession {
  readonly issuedAtSeconds: number
  readonly expiresAtSeconds: number
  /** 0 = the provider did not say. */
  readonly authTimeSeconds: number
  readonly amr: readonly string[]
  readonly acr: string | undefined
}

export interface MeClaim {
  readonly name: string
  readonly value: ClaimValue
}

export type Scheme = 'http' | 'https'

/** What was seen of a browser that goes in a circle. Nothing here is a value of a cookie. */
export interface CircleEvidence {
  /** How many copies of the session cookie came with the request for sign-in. */
  readonly copiesHere: number
  /** True where they make a session that counts. */
  readonly countsHere: boolean
  /** What the decision about the application found of the cookie; undefined = it told of none that was bad. */
  readonly atApplication: AnonymousNote | undefined
  readonly cookieName: string
  /** Undefined = a cookie of the public host alone. */
  readonly cookieDomain: string | undefined
  readonly publicHost: string
  /** Origin that the browser is sent to. */
  readonly application: string
  /** How the application's proxy reported that it was reached. */
  readonly applicationScheme: Scheme | undefined
  readonly publicScheme: Scheme
  /** How the proxy before the public listener says that it was reached. */
  readonly forwardedScheme: Scheme | undefined
  readonly decision: ReasonCode
  /** How far the clock of this service is ahead of each provider's, as their last token showed. */
  readonly clocks: readonly { readonly provider: string; readonly aheadSeconds: number }[]
}

/** `here` = at sign-in, `there` = at the application. */
export type CircleCause =
  | 'not-kept'
  | 'two-sessions'
  | 'not-accepted-here'
  | 'insecure-application'
  | 'not-sent-there'
  | 'not-accepted-there'

export type Page =
  | {
      readonly name: 'choose'
      readonly app: AskingApp | undefined
      readonly providers: readonly ProviderChoice[]
    }
  | {
      readonly name: 'denied'
      readonly app: AskingApp
      readonly as: SignedInAs | undefined
      readonly reason: ReasonCode
      /** `route#rule` of the rule that refused; undefined where none allowed. */
      readonly rule: string | undefined
      /** The rules that were walked, told step by step; what is missing is worded from these. */
      readonly rules: readonly TracedRule[]
      readonly decisionId: string
      readonly atMs: number
      readonly otherAccountHref: string
      /** `mailto:` link, only where the operator configured an address. */
      readonly requestAccessHref: string | undefined
      readonly signOutHref: string
    }
  | {
      readonly name: 'error'
      readonly code: ErrorCode
      readonly app: AskingApp | undefined
      readonly tryAgainHref: string | undefined
      /** What the tab's own storage calls the fragment of where `tryAgainHref` leads in the end. */
      readonly fragmentKey: string | undefined
      readonly retryAfterSeconds: number | undefined
      /** What was seen, in pairs of words; never a token, cookie value or query string. */
      readonly seen: readonly (readonly [string, string])[]
      readonly atMs: number
    }
  /** A browser that goes in a circle; its code is `PST-1011`. */
  | {
      readonly name: 'circle'
      readonly app: AskingApp
      readonly cause: CircleCause
      readonly evidence: CircleEvidence
      readonly tryAgainHref: string
      readonly atMs: number
    }
  | {
      readonly name: 'sign-out'
      readonly as: SignedInAs
      readonly actionHref: string
      readonly token: string
      readonly backHref: string
    }
  | {
      readonly name: 'signed-out'
      /** What the operator calls it. */
      readonly provider: string | undefined
      /** `none`: nobody was signed in; `here`: this session ended; `everywhere`: the provider's ended too. */
      readonly ended: 'none' | 'here' | 'everywhere'
      /** False where the end could not be recorded for every replica. */
      readonly recorded: boolean
      readonly signInHref: string
    }
  | {
      readonly name: 'me'
      readonly as: SignedInAs
      readonly claims: readonly MeClaim[]
      readonly groups: readonly string[] | undefined
      readonly session: MeSession
      readonly signOutHref: string
    }
  | { readonly name: 'not-signed-in'; readonly signInHref: string }
  | {
      readonly name: 'no-session-accepted'
      readonly app: AskingApp
      readonly accepts: readonly CredentialKind[]
    }
  /** A way on: shown where the status of the proxy keeps the browser from following `Location`. */
  | {
      readonly name: 'hop'
      readonly to: string
      /** What the script of the page does about the `#fragment`; it only improves. */
      readonly fragment?: {
        readonly deed: 'keep' | 'restore'
        /** What the tab's own storage calls it. */
        readonly key: string
      }
    }

export type PageName = Page['name']
