// The demo's temporary folder: a complete installation (configuration, policies, fresh keys) that lives for one run.
// Nothing of it is meant to be kept.
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { demoPolicies } from './policies.ts'
import { SECOND_FACTOR_ACR } from './provider-prompts.ts'

export interface Workspace {
  readonly folder: string
  readonly configFile: string
  readonly policyFolder: string
}

export interface WorkspaceValues {
  readonly domain: string
  readonly publicUrl: string
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  readonly proxyKey: string
  readonly decisionPort: number
  readonly publicPort: number
  readonly adminPort: number
}

export interface Folder {
  readonly path: string
  /** Removes it with everything in it. */
  readonly remove: () => Promise<void>
}

/** Makes the empty folder, readable by its owner alone. It goes with the process, even with one that fails. */
export const makeFolder = async (): Promise<Folder> => {
  const path = await mkdtemp(join(tmpdir(), 'postern-demo-'))
  const removeAtExit = (): void => rmSync(path, { recursive: true, force: true })
  process.once('exit', removeAtExit)
  return {
    path,
    remove: async () => {
      process.off('exit', removeAtExit)
      await rm(path, { recursive: true, force: true })
    },
  }
}

/** Fills `folder`. */
export const writeWorkspace = async (folder: string, values: WorkspaceValues): Promise<Workspace> => {
  const policyFolder = join(folder, 'policies')
  const policies = Object.entries(demoPolicies(values.domain)).map(
    ([name, text]) => [join('policies', name), text] as const,
  )
  for (const [name, text] of [...Object.entries(installation(values)), ...policies]) {
    const file = join(folder, name)
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    await writeFile(file, text, { mode: 0o600 })
  }
  return {
    folder,
    configFile: join(folder, 'postern.yaml'),
    policyFolder,
  }
}

const installation = (values: WorkspaceValues): Readonly<Record<string, string>> => ({
  'postern.yaml': configuration(values),
  'session.key': `${randomBytes(32).toString('base64')}\n`,
  'proxy.key': `${values.proxyKey}\n`,
  'oidc.secret': `${values.clientSecret}\n`,
  'admin.token': `${randomBytes(24).toString('base64url')}\n`,
  'assertion.pem': generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  }).privateKey,
})

const configuration = (
  values: WorkspaceValues,
): string => `# Written by \`postern demo\`; removed when it ends.
apiVersion: postern/v1
publicUrl: ${values.publicUrl}
listen:
  decision: "127.0.0.1:${values.decisionPort}"
  public: "127.0.0.1:${values.publicPort}"
  admin: "127.0.0.1:${values.adminPort}"
policies: ./policies
proxies:
  trusted: ["127.0.0.1/32"]
  key: {file: proxy.key}
  hostHeader: required
  externalScheme: http
  clientIp: {nginx: X-Real-IP}
session:
  keys: [{file: session.key}]
  domain: ${values.domain}
  absolute: 12h
  idle: 1h
  claims: [name]
providers:
- id: demo
  label: Example Identity
  issuer: "${values.issuer}"
  clientId: ${values.clientId}
  clientSecret: {file: oidc.secret}
  scopes: [openid, profile, email, groups]
  claims: {groups: groups}
  mfa: {acr: ["${SECOND_FACTOR_ACR}"]}
assertion: {key: {file: assertion.pem}, alg: ES256, lifetime: 5m}
state: {kind: memory, file: ./postern.state}
audit: {sink: {file: decisions.ndjson}}
admin: {token: {file: admin.token}}
`
