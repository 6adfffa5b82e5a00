// A complete installation of Postern in a temporary folder: configuration, keys, policies, and sessions minted for it.
// Its sign-in host is login.example.com, and its provider is never reached.
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { makeSeal } from '../../src/identity/seal.ts'
import { sealSession, SESSION_PURPOSE } from '../../src/identity/session-seal.ts'
import type { Session } from '../../src/identity/session.ts'
import { freePort } from './free-port.ts'

export const PROXY_KEY = 'the-key-that-proxies-share'
export const SESSION_COOKIE = '__Secure-postern'

export interface InstallationPlan {
  /** File name → text, below `policies`. */
  readonly policies: Readonly<Record<string, string>>
  /** More top-level keys of postern.yaml. */
  readonly more?: string
  readonly hostHeader?: 'optional' | 'required'
  readonly externalScheme?: 'http' | 'https'
}

export interface Installation {
  readonly folder: string
  readonly configFile: string
  readonly decisionPort: number
  readonly publicPort: number
  readonly adminPort: number
  /** Replaces a file below `policies` at once, as an editor does. */
  readonly writePolicy: (name: string, text: string) => Promise<void>
  /** `name=value` of a session that is good, but for the changes. */
  readonly cookie: (subject: string, groups: readonly string[], changes?: Partial<Session>) => string
  readonly remove: () => Promise<void>
}

/** Writes it; nothing is started. */
export const makeInstallation = async (plan: InstallationPlan): Promise<Installation> => {
  const folder = await mkdtemp(join(tmpdir(), 'postern-test-'))
  const key = randomBytes(32)
  const ports = { decision: await freePort(), public: await freePort(), admin: await freePort() }
  const files: Readonly<Record<string, string>> = {
    'postern.yaml': configuration(plan, ports),
    'session.key': key.toString('base64'),
    'proxy.key': PROXY_KEY,
    'oidc.secret': 'secret-of-the-client',
    'assertion.pem': generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    }).privateKey,
    ...Object.fromEntries(
      Object.entries(plan.policies).map(([name, text]) => [join('policies', name), text]),
    ),
  }
  for (const [name, text] of Object.entries(files)) await put(join(folder, name), text)
  return {
    folder,
    configFile: join(folder, 'postern.yaml'),
    decisionPort: ports.decision,
    publicPort: ports.public,
    adminPort: ports.admin,
    writePolicy: (name, text) => put(join(folder, 'policies', name), text),
    cookie: (subject, groups, changes = {}) => mint(key, sessionOf(subject, groups, changes)),
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

const put = async (file: string, text: string): Promise<void> => {
  await mkdir(dirname(file), { recursive: true })
  await writeFile(`${file}.new`, text, { mode: 0o600 })
  await rename(`${file}.new`, file)
}

const configuration = (
  plan: InstallationPlan,
  ports: Readonly<Record<'decision' | 'public' | 'admin', number>>,
): string => `apiVersion: postern/v1
publicUrl: https://login.example.com
listen:
  decision: "127.0.0.1:${ports.decision}"
  public: "127.0.0.1:${ports.public}"
  admin: "127.0.0.1:${ports.admin}"
proxies:
  trusted: ["127.0.0.1/32"]
  key: {file: proxy.key}
  hostHeader: ${plan.hostHeader ?? 'required'}
  externalScheme: ${plan.externalScheme ?? 'https'}
  clientIp: {nginx: X-Real-IP}
session: {keys: [{file: session.key}], domain: example.com}
providers:
- {id: corp, issuer: "http://127.0.0.1:9", clientId: postern, clientSecret: {file: oidc.secret}, claims: {groups: groups, user: sub}, default: true}
assertion: {key: {file: assertion.pem}}
state: {kind: memory, file: ./postern.state}
audit: {sink: {file: decisions.ndjson}}
log: {level: silent}
${plan.more ?? ''}
`

const sessionOf = (subject: string, groups: readonly string[], changes: Partial<Session>): Session => {
  const nowSeconds = Math.floor(Date.now() / 1000)
  return {
    id: randomBytes(16).toString('base64url'),
    provider: 'corp',
    subject,
    providerSession: undefined,
    authTimeSeconds: nowSeconds - 60,
    amr: ['pwd'],
    acr: undefined,
    issuedAtSeconds: nowSeconds - 60,
    learnedAtSeconds: nowSeconds - 60,
    expiresAtSeconds: nowSeconds + 3600,
    revocationNumber: 0,
    claims: { user: subject, email: `${subject}@example.com`, groups: [...groups] },
    captured: ['user', 'email', 'groups', 'name', 'preferred_username'],
    cut: [],
    groupsRevision: undefined,
    emailVerified: true,
    stepUp: undefined,
    ...changes,
  }
}

const mint = (key: Uint8Array, session: Session): string => {
  const seal = makeSeal({ keys: [key], purpose: SESSION_PURPOSE })
  const sealing = sealSession(seal, session, { name: SESSION_COOKIE, boundTo: 'example.com' })
  if (sealing.kind === 'too-large') throw new RangeError(`a session of ${sealing.bytes} bytes`)
  return `${SESSION_COOKIE}=${sealing.value}`
}
