// What sign-in has to say to a person, as data. How it looks is the business of the pages; no markup in here.
import type { CredentialKind } from '../policy/credential-kind.ts'
import type { ClaimValue } from '../policy/principal.ts'
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
      readonly retryAfterSeconds: number | undefined
      /** What was seen, in pairs of words; never a token, cookie value or query string. */
      readonly seen: readonly (readonly [string, string])[]
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
  | { readonly name: 'hop'; readonly to: string }

export type PageName = Page['name']
