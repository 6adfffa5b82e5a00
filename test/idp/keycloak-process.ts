// A real Keycloak with the realm `staff`, on a port of 127.0.0.1, with nothing kept on disk; and its administrator.
import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { vi } from 'vitest'

const REALM = 'staff'
/** Half a minute on a machine with nothing else to do. */
const READY_WITHIN_MS = 280_000
const REALM_FILE = new URL('realm.json', import.meta.url)

export interface KeycloakPlan {
  /** Folder of the distribution. */
  readonly folder: string
  readonly port: number
  /** What the realm file leaves open. */
  readonly realm: Readonly<Record<'publicUrl' | 'backChannelLogoutUrl' | 'clientSecret' | 'password', string>>
}

export interface Keycloak {
  readonly issuer: string
  /** From the start of the process to the first answer of the realm. */
  readonly readyAfterMs: number
  /** Resident memory now; undefined where the system does not say. */
  readonly residentBytes: () => number | undefined
  readonly admin: Administrator
  /** Names of the keys that it publishes for signatures. */
  readonly signingKeys: () => Promise<readonly string[]>
  readonly close: () => Promise<void>
}

export interface Administrator {
  readonly leaveGroup: (username: string, group: string) => Promise<void>
  readonly joinGroup: (username: string, group: string) => Promise<void>
  /** Ends every session of a person; clients are told over the back channel. */
  readonly endSessions: (username: string) => Promise<void>
  /** How many sessions a person has now. */
  readonly sessionsOf: (username: string) => Promise<number>
  readonly disable: (username: string) => Promise<void>
  /** From now on tokens are signed with a new key. */
  readonly rotateKeys: () => Promise<void>
}

export const issuerOf = (port: number): string => `http://127.0.0.1:${port}/realms/${REALM}`

/** Starts it and resolves when the realm answers; rejects with what it printed where it ends first. */
export const startKeycloak = async (plan: KeycloakPlan): Promise<Keycloak> => {
  const password = randomBytes(16).toString('hex')
  importRealm(plan)
  const startedMs = performance.now()
  const child = launch(plan, password)
  let printed = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => (printed += text))
  const issuer = issuerOf(plan.port)
  const isReady = (): Promise<boolean> =>
    fetch(`${issuer}/.well-known/openid-configuration`).then(
      async (answer) => {
        await answer.arrayBuffer()
        return answer.ok
      },
      () => false,
    )
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()))
  const close = async (): Promise<void> => {
    if (child.exitCode === null) endGroup(child)
    await ended
  }
  try {
    await vi.waitFor(
      async () => {
        if (child.exitCode === null && !(await isReady())) throw new Error('not ready')
      },
      { timeout: READY_WITHIN_MS, interval: 200 },
    )
    if (child.exitCode !== null) throw new Error('ended by itself')
  } catch (error) {
    await close()
    throw new Error(`Keycloak: ${String(error)}; it printed:\n${printed.slice(-4000)}`, { cause: error })
  }
  return {
    issuer,
    readyAfterMs: performance.now() - startedMs,
    residentBytes: () => residentBytes(child.pid),
    admin: makeAdministrator(`http://127.0.0.1:${plan.port}`, password),
    signingKeys: async () => {
      const answer = await fetch(`${issuer}/protocol/openid-connect/certs`)
      const { keys } = (await answer.json()) as { readonly keys: readonly { kid: string; use: string }[] }
      return keys.filter(({ use }) => use === 'sig').map(({ kid }) => kid)
    },
    close,
  }
}

/** Its start script runs Java beside itself the first time: whatever it started ends with it. */
const endGroup = ({ pid }: ChildProcess): void => {
  if (pid !== undefined) process.kill(-pid, 'SIGTERM')
}

const importRealm = ({ folder, realm }: KeycloakPlan): void => {
  const importFolder = join(folder, 'data', 'import')
  rmSync(join(folder, 'data'), { recursive: true, force: true })
  mkdirSync(importFolder, { recursive: true })
  const text = readFileSync(REALM_FILE, 'utf8').replaceAll(/\$\{(\w+)\}/g, (whole, name: string) =>
    Object.hasOwn(realm, name) ? realm[name as keyof typeof realm] : whole,
  )
  writeFileSync(join(importFolder, `${REALM}-realm.json`), text, { mode: 0o600 })
}

const launch = ({ folder, port }: KeycloakPlan, password: string): ChildProcess =>
  spawn(
    join(folder, 'bin', 'kc.sh'),
    ['start-dev', '--http-host=127.0.0.1', `--http-port=${port}`, '--db=dev-mem', '--import-realm'],
    {
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: folder,
        KC_BOOTSTRAP_ADMIN_USERNAME: 'admin',
        KC_BOOTSTRAP_ADMIN_PASSWORD: password,
        JAVA_OPTS_KC_HEAP: '-Xms64m -Xmx512m',
        // It runs for a minute: compiling well would take longer than it saves.
        JAVA_OPTS_APPEND: '-XX:TieredStopAtLevel=1',
        ...(process.env['JAVA_HOME'] === undefined ? {} : { JAVA_HOME: process.env['JAVA_HOME'] }),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    },
  )

/** Of the process and whatever it started. */
const residentBytes = (pid: number | undefined): number | undefined => {
  try {
    const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1])
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)
    return children.reduce((sum, child) => sum + (residentBytes(Number(child)) ?? 0), pages * 4096)
  } catch {
    return undefined
  }
}

const makeAdministrator = (base: string, password: string): Administrator => {
  const call = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const answer = await fetch(`${base}/admin/realms/${REALM}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${await adminToken(base, password)}`,
        'content-type': 'application/json',
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
    return text === '' ? undefined : JSON.parse(text)
  }
  const idOf = async (path: string): Promise<string> => {
    const [first] = (await call('GET', path)) as readonly { readonly id: string }[]
    if (first === undefined) throw new Error(`nothing at ${path}`)
    return first.id
  }
  const user = (username: string): Promise<string> => idOf(`/users?exact=true&username=${username}`)
  const group = (name: string): Promise<string> => idOf(`/groups?exact=true&search=${name}`)
  return {
    leaveGroup: async (username, name) =>
      void (await call('DELETE', `/users/${await user(username)}/groups/${await group(name)}`)),
    joinGroup: async (username, name) =>
      void (await call('PUT', `/users/${await user(username)}/groups/${await group(name)}`)),
    endSessions: async (username) => void (await call('POST', `/users/${await user(username)}/logout`)),
    sessionsOf: async (username) =>
      ((await call('GET', `/users/${await user(username)}/sessions`)) as readonly unknown[]).length,
    disable: async (username) =>
      void (await call('PUT', `/users/${await user(username)}`, { enabled: false })),
    rotateKeys: async () =>
      void (await call('POST', '/components', {
        name: 'rotated',
        providerId: 'rsa-generated',
        providerType: 'org.keycloak.keys.KeyProvider',
        config: {
          priority: ['1000'],
          enabled: ['true'],
          active: ['true'],
          algorithm: ['RS256'],
          keySize: ['2048'],
        },
      })),
  }
}

/** A new one for each call: they live a minute. */
const adminToken = async (base: string, password: string): Promise<string> => {
  const answer = await fetch(`${base}/realms/master/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'password',
      client_id: 'admin-cli',
      username: 'admin',
      password,
    }),
  })
  const body = (await answer.json()) as { readonly access_token?: string }
  if (body.access_token === undefined) throw new Error(`no token for the administrator: ${answer.status}`)
  return body.access_token
}
