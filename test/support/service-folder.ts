// A folder that a whole service runs from: a configuration made to measure, keys, policies, state and decision log. The
// configuration is written as JSON, which is YAML; its secrets are random and known to the test.
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { makeSeal } from '../../src/identity/seal.ts'
import { sealSession, SESSION_PURPOSE } from '../../src/identity/session-seal.ts'
import type { Session } from '../../src/identity/session.ts'
import { freePort } from './free-port.ts'

export type Settings = Readonly<Record<string, unknown>>

export interface ServicePlan {
  /** File name → text, below `policies`. */
  readonly policies: Readonly<Record<string, string>>
  /** Top-level keys of the configuration, laid over the usual ones; an undefined one is left out. */
  readonly settings?: Settings
  /** File name → text: more files, or other texts for the usual ones. */
  readonly files?: Readonly<Record<string, string>>
}

export interface ServiceFolder {
  readonly folder: string
  readonly configFile: string
  readonly ports: { readonly decision: number; readonly public: number; readonly admin: number }
  readonly adminUrl: string
  readonly adminToken: string
  readonly proxyKey: string
  /** The settings as they were written last. */
  readonly settings: () => Settings
  /** Writes the configuration again with other keys. */
  readonly configure: (changes: Settings) => Promise<void>
  /** Replaces a file at once, as an editor does. */
  readonly write: (name: string, text: string) => Promise<void>
  readonly read: (name: string) => Promise<string>
  /** The decision log so far, whole lines. */
  readonly log: () => Promise<readonly Readonly<Record<string, unknown>>[]>
  /** `name=value` of a session that is good, but for the changes. */
  readonly cookie: (subject: string, groups: readonly string[], changes?: Partial<Session>) => string
  /** The same, sealed by another key or for another place. */
  readonly sealed: (session: Session, by?: Partial<Sealing>) => string
  readonly remove: () => Promise<void>
}

export interface Sealing {
  readonly key: Uint8Array
  readonly cookie: '__Secure-postern' | '__Host-postern' | 'postern'
  readonly boundTo: string
}

export const SESSION_COOKIE = '__Secure-postern'
const LOG_FILE = 'decisions.ndjson'

/** Writes the folder; nothing is started. */
export const makeServiceFolder = async (plan: ServicePlan): Promise<ServiceFolder> => {
  const folder = await mkdtemp(join(tmpdir(), 'postern-service-'))
  const ports = { decision: await freePort(), public: await freePort(), admin: await freePort() }
  const key = randomBytes(32)
  const [adminToken, proxyKey] = [randomBytes(24).toString('hex'), randomBytes(24).toString('hex')]
  let settings = without({ ...usualSettings(ports), ...plan.settings })
  const write = (name: string, text: string): Promise<void> => put(join(folder, name), text)
  const configure = async (changes: Settings): Promise<void> => {
    settings = without({ ...settings, ...changes })
    await write('postern.yaml', `${JSON.stringify(settings, undefined, 2)}\n`)
  }
  const files: Readonly<Record<string, string>> = {
    'session.key': key.toString('base64'),
    'proxy.key': proxyKey,
    'admin.token': adminToken,
    'oidc.secret': CLIENT_SECRET,
    'assertion.pem': newAssertionKey(),
    ...Object.fromEntries(Object.entries(plan.policies).map(([name, text]) => [`policies/${name}`, text])),
    ...plan.files,
  }
  for (const [name, text] of Object.entries(files)) await write(name, text)
  await configure({})
  const sealed: ServiceFolder['sealed'] = (session, by = {}) =>
    seal(session, { key, cookie: SESSION_COOKIE, boundTo: 'example.com', ...by })
  return {
    folder,
    configFile: join(folder, 'postern.yaml'),
    ports,
    adminUrl: `http://127.0.0.1:${ports.admin}`,
    adminToken,
    proxyKey,
    settings: () => settings,
    configure,
    write,
    read: (name) => readFile(join(folder, name), 'utf8'),
    log: async () => linesOf(await readFile(join(folder, LOG_FILE), 'utf8').catch(() => '')),
    cookie: (subject, groups, changes = {}) => sealed(sessionOf(subject, groups, changes)),
    sealed,
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

export const CLIENT_SECRET = 'secret-of-the-client'

const newAssertionKey = (): string =>
  generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  }).privateKey

const usualSettings = (ports: ServiceFolder['ports']): Settings => ({
  apiVersion: 'postern/v1',
  publicUrl: 'https://login.example.com',
  listen: {
    decision: `127.0.0.1:${ports.decision}`,
    public: `127.0.0.1:${ports.public}`,
    admin: `127.0.0.1:${ports.admin}`,
  },
  proxies: { trusted: ['127.0.0.1/32'], externalScheme: 'https' },
  session: { keys: [{ file: 'session.key' }], domain: 'example.com' },
  providers: [
    {
      id: 'corp',
      issuer: 'http://127.0.0.1:9',
      clientId: 'postern',
      clientSecret: { file: 'oidc.secret' },
      claims: { groups: 'groups' },
    },
  ],
  assertion: { key: { file: 'assertion.pem' } },
  state: { kind: 'memory', file: './postern.state' },
  audit: { sink: { file: LOG_FILE } },
  admin: { token: { file: 'admin.token' } },
  log: { level: 'silent' },
})

const without = (settings: Settings): Settings =>
  Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))

const put = async (file: string, text: string): Promise<void> => {
  await mkdir(dirname(file), { recursive: true })
  await writeFile(`${file}.new`, text, { mode: 0o600 })
  await rename(`${file}.new`, file)
}

/** The lines of a decision log that are whole. */
export const linesOf = (text: string): readonly Readonly<Record<string, unknown>>[] =>
  text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)

/** A session of provider `corp`, an hour from its end. */
export const sessionOf = (
  subject: string,
  groups: readonly string[],
  changes: Partial<Session> = {},
): Session => {
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
    claims: { email: `${subject}@example.com`, groups: [...groups] },
    captured: ['email', 'groups', 'name', 'preferred_username', 'user'],
    cut: [],
    groupsRevision: undefined,
    emailVerified: true,
    stepUp: undefined,
    ...changes,
  }
}

const seal = (session: Session, { key, cookie, boundTo }: Sealing): string => {
  const sealing = sealSession(makeSeal({ keys: [key], purpose: SESSION_PURPOSE }), session, {
    name: cookie,
    boundTo,
  })
  if (sealing.kind === 'too-large') throw new RangeError(`a session of ${sealing.bytes} bytes`)
  return `${cookie}=${sealing.value}`
}
