// Keys of `postern.yaml` that say who may vouch for whom: providers of sessions and issuers of bearer tokens.
import { z } from 'zod'
import {
  duration,
  id,
  isAnything,
  notBuilt,
  providerUrl,
  quoted,
  secretReference,
  text,
} from './schema-fields.ts'

/** Mapped name → claim of the token; `false` takes a default away. */
const claimMapping = () =>
  z
    .record(text(), z.union([text(), z.literal(false)], { error: 'write the name of a claim, or `false`' }))
    .describe('name that policies use → claim of the token; extends the defaults, `false` removes one')

const multiFactor = () =>
  z
    .strictObject({ amr: z.array(text()).default([]), acr: z.array(text()).default([]) })
    .refine((mfa) => mfa.amr.length + mfa.acr.length > 0, 'name at least one `amr` or `acr`, or leave it out')
    .describe('what `mfa: true` means here; without it, two factors of different classes (RFC 8176)')

/** One provider that signs people in. */
export const provider = z.strictObject({
  id: id().describe('names the provider in policies, logs and `/callback/<id>`'),
  issuer: providerUrl().describe('exact issuer identifier; discovery starts from it'),
  clientId: text().describe('Postern at the provider'),
  clientSecret: secretReference().optional().describe('without it Postern is a public client'),
  scopes: z
    .array(text())
    .refine((scopes) => scopes.includes('openid'), '`openid` is missing: without it there is no ID token')
    .default(['openid', 'profile', 'email']),
  claims: claimMapping().prefault({}),
  mfa: multiFactor().optional(),
  emailTrusted: z.boolean().default(false).describe('believe `email` without `email_verified`'),
  default: z.boolean().optional().describe('believed by routes that name no `issuers`'),
  label: text().optional().describe('what the sign-in page calls it'),
})

/** Signature algorithms with a public key (RFC 7518 §3.1, RFC 8037 §3.1). */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const

const ISSUER_KINDS = ['oidc', 'kubernetes', 'github', 'gitlab', 'spiffe'] as const

/** Those that some code stands behind. */
const BUILT_KINDS: readonly string[] = ['oidc', 'kubernetes']

/** One issuer of bearer tokens. */
export const issuer = z.strictObject({
  id: id().describe('names the issuer in policies and logs'),
  issuer: providerUrl().describe('exact `iss` of its tokens'),
  audience: z
    .union([text(), z.array(text()).min(1)], { error: 'write one audience, or a list of them' })
    .describe('`aud` that a token must have'),
  kind: z
    .enum(ISSUER_KINDS)
    .refine((kind) => BUILT_KINDS.includes(kind), {
      error: (issue) =>
        `${quoted(issue.input)} is not built yet; \`oidc\` is, for any issuer of JWTs with a JWKS`,
    })
    .default('oidc'),
  jwksUri: providerUrl().optional().describe('where its keys are; without it, by discovery at the issuer'),
  claims: claimMapping().prefault({}),
  subjects: z
    .enum(['people', 'machines'])
    .default('machines')
    .describe('`people`: `authenticated` hits them'),
  algorithms: z.array(z.enum(ALGORITHMS)).min(1).default(['RS256', 'PS256', 'ES256', 'EdDSA']),
  tokenTypes: z
    .array(z.string().regex(/^[a-z0-9.+/-]+$/, 'write a `typ` in lower case, such as `at+jwt`'))
    .min(1)
    .optional()
    .describe(
      'accepted `typ` of the token header, lower case; default `[at+jwt, jwt]`, for `kubernetes` `[jwt]`; a token without one is a `jwt`',
    ),
  maxTokenAge: duration()
    .optional()
    .describe('longest time since `iat`; for `kubernetes` also between `iat` and `exp`, and `1h` by default'),
  mfa: multiFactor().optional(),
  emailTrusted: z.boolean().default(false),
  default: z.boolean().optional(),
})

export const introspection = notBuilt(
  z.array(
    z.strictObject({ id: id(), endpoint: providerUrl(), clientId: text(), clientSecret: secretReference() }),
  ),
  'token introspection',
  isAnything,
)

export const kubernetes = notBuilt(
  z.strictObject({ tokenReview: z.boolean().default(false), audiences: z.array(text()).default([]) }),
  'TokenReview',
  () => true,
)

export const apiKeys = notBuilt(text(), 'the use of API keys', isAnything)

export const basic = notBuilt(
  z.strictObject({
    files: z.array(z.strictObject({ id: id(), path: text() })).default([]),
    identities: text().optional(),
  }),
  'the basic-auth bridge',
  () => true,
)
