// The one vocabulary of credential kinds: `accepts`, `cred` and the decision log all use these words.

/** Every kind of credential that a route may accept, in the words of the policy language. */
export const CREDENTIAL_KINDS = [
  'session',
  'bearer',
  'service-account',
  'api-key',
  'basic',
  'client-certificate',
] as const

/** What the caller carried, as the policy language and the decision log name it. */
export type CredentialKind = (typeof CREDENTIAL_KINDS)[number]
