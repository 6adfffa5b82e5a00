// Every key of `postern.yaml` and its default. Keys may be added, never renamed. An unknown key is an error: a misspelt
// limit must not be a limit that silently does not hold.
import { z } from 'zod'
import {
  byteSize,
  duration,
  emailAddress,
  headerName,
  id,
  listenAddress,
  network,
  notBuilt,
  pathPrefix,
  publicUrl,
  secretReference,
  text,
} from './schema-fields.ts'
import { apiKeys, basic, introspection, issuer, kubernetes, provider } from './schema-identity.ts'

const listen = z.strictObject({
  decision: listenAddress().default('127.0.0.1:4181').describe('asked by the proxy; decision endpoints only'),
  public: listenAddress().default('127.0.0.1:4180').describe('sign-in, sign-out, pages, keys'),
  admin: listenAddress().default('127.0.0.1:9090').describe('health, metrics, administration'),
})

const proxies = z.strictObject({
  trusted: z
    .array(network())
    .min(
      1,
      'no proxy is trusted, so nobody could ask; list the addresses of your proxy, such as `["127.0.0.1/32"]`',
    )
    .describe('the networks that proxies ask from, such as `["127.0.0.1/32"]`'),
  key: secretReference().optional().describe('shared key that each proxy must send as well'),
  hostHeader: z
    .enum(['optional', 'required'])
    .default('optional')
    .describe('whether `X-Postern-Host` must be sent'),
  externalScheme: z
    .enum(['http', 'https'])
    .optional()
    .describe(
      'overrides the scheme that the proxy reports; `http` counts as a way back from sign-in on `*.localhost` alone, and is what a `publicUrl` of `http` means there',
    ),
  clientIp: z
    .strictObject({
      nginx: headerName().optional(),
      forward: headerName().optional(),
      ext: headerName().optional(),
    })
    .prefault({})
    .describe("the header of each dialect that carries the client's address; without it, unknown"),
})

const dropIn = () => z.strictObject({ listener: z.enum(['decision', 'public']).default('decision') })
const dialects = z.strictObject({
  oauth2Proxy: notBuilt(dropIn(), 'the oauth2-proxy dialect', () => true).optional(),
  authelia: notBuilt(dropIn(), 'the Authelia dialect', () => true).optional(),
  vouch: notBuilt(dropIn(), 'the Vouch dialect', () => true).optional(),
})

const session = z.strictObject({
  keys: z
    .array(secretReference())
    .min(1, 'a session needs a key; make one with `openssl rand -base64 32`')
    .describe(
      '32 random bytes in base64 each (`openssl rand -base64 32`); the first one seals, every one opens',
    ),
  domain: text()
    .optional()
    .describe('where the cookie is valid: a parent of the host of `publicUrl`, or that host'),
  host: z
    .boolean()
    .default(false)
    .describe('one `__Host-` cookie for each host instead of one for the domain'),
  prefix: pathPrefix()
    .optional()
    .describe('with `host`: where each application host reaches the public listener; default `/postern`'),
  absolute: duration().default('12h').describe('longest life of a session'),
  idle: duration().default('1h').describe('longest time between two uses'),
  freshness: duration()
    .default('10m')
    .describe(
      'how old what the provider said may be: after it a refresh token is used, or the browser asks silently',
    ),
  claims: z.array(text()).default([]).describe('claims to keep in the session though no policy reads them'),
})

const assertion = z.strictObject({
  key: secretReference().describe('PKCS#8 PEM'),
  alg: z.enum(['ES256', 'RS256', 'EdDSA']).default('ES256'),
  lifetime: duration().default('5m').describe('at most 5m'),
})

const cache = z.strictObject({
  decisions: z.int().min(0).max(10_000_000).default(50_000).describe('entries; 0 = no cache'),
  ttl: duration().default('60s'),
})

const state = z.strictObject({
  kind: z
    .enum(['memory', 'valkey'])
    .refine(
      (kind) => kind === 'memory',
      '`valkey` is not built yet; `memory` with a `file` serves one replica',
    )
    .default('memory'),
  file: text()
    .optional()
    .describe(
      'keeps over a restart: revocations, last uses, sign-ins that were used, refresh tokens, and what was learned of sessions',
    ),
  url: text().optional().describe('of the Valkey server'),
  maxStale: duration().default('30s').describe('how long decisions go on without word from the store'),
  replicas: z.int().min(1).max(1000).default(1),
})

const logFile = z.strictObject({
  file: text(),
  rotate: z
    .strictObject({
      size: byteSize().describe('a file that has grown to it is full, such as `100MB`'),
      keep: z.int().min(1).max(100_000).optional().describe('full files that are kept; without it, all'),
    })
    .optional()
    .describe('begin a new file by itself'),
})

const audit = z.strictObject({
  sink: z
    .union([z.literal('stdout'), logFile], { error: 'write `stdout` or `{file: decisions.ndjson}`' })
    .default('stdout'),
  chain: z
    .strictObject({
      key: secretReference().describe('Ed25519, PKCS#8 PEM (`openssl genpkey -algorithm ed25519`)'),
      checkpoint: duration()
        .default('1h')
        .describe('how often it is signed, beside start, rotation and stop'),
    })
    .optional()
    .describe('signs the chain of the log; without it the chain is there, unsigned'),
})

const adminToken = z
  .strictObject({ id: id(), file: text().optional(), env: text().optional() })
  .refine(
    (token) => (token.file === undefined) !== (token.env === undefined),
    'name exactly one of `file` and `env`',
  )

const admin = z
  .strictObject({
    token: secretReference().optional(),
    tokens: z
      .array(adminToken)
      .optional()
      .describe('one for each person or tool, so that the log can name them'),
  })
  .refine(
    (value) => value.token === undefined || value.tokens === undefined,
    'write `token` or `tokens`, not both',
  )

/** The configuration file as it may be written. */
export const configSchema = z.strictObject({
  apiVersion: z.literal('postern/v1').describe('write `apiVersion: postern/v1`'),
  publicUrl: publicUrl().describe(
    'where browsers reach Postern, such as `https://auth.example.com`; may end in a path',
  ),
  listen: listen.prefault({}),
  policies: text().default('./policies').describe('folder of the policy files'),
  proxies: proxies.describe('whom to answer, such as `proxies: {trusted: ["127.0.0.1/32"]}`'),
  dialects: dialects.prefault({}),
  session: session.describe('such as `session: {keys: [{file: session.key}], domain: example.com}`'),
  providers: z.array(provider).default([]).describe('sign people in'),
  issuers: z.array(issuer).default([]).describe('issue bearer tokens'),
  introspection: introspection.optional(),
  kubernetes: kubernetes.optional(),
  apiKeys: apiKeys.optional(),
  basic: basic.optional(),
  assertion: assertion.optional(),
  cache: cache.prefault({}),
  state: state.prefault({}),
  audit: audit.prefault({}),
  admin: admin.prefault({}).describe('who may administer a running service; without it, nobody'),
  pages: z
    .strictObject({
      accessContact: emailAddress()
        .optional()
        .describe(
          'whom the denied page offers to write to, such as `access@example.com`; without it, it offers nothing',
        ),
    })
    .prefault({})
    .describe('what pages say and offer'),
  log: z
    .strictObject({
      level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
    })
    .prefault({})
    .describe('the service log; the decision log is `audit`'),
})

/** The configuration with its defaults, as it was written: durations are texts, secrets are references. */
export type Settings = z.output<typeof configSchema>
