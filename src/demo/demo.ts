// The whole demo in one process: provider, two applications, Postern, and nginx (or a stand-in) before them. Loopback
// only, fresh keys, one temporary folder; after the end nothing of it is left.
import { generateKeyPairSync, randomBytes, randomInt } from 'node:crypto'
import { lookup } from 'node:dns/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import type { BannerValues } from './banner.ts'
import { startBuiltinProxy } from './builtin-proxy.ts'
import { makeEnds, type Ends } from './ends.ts'
import type { Front } from './front.ts'
import { nginxConfig } from './nginx-config.ts'
import { findNginx, startNginx } from './nginx-process.ts'
import { makePeople, type Person } from './people.ts'
import { choosePorts, type Ports } from './ports.ts'
import { startProvider, type RunningProvider } from './provider.ts'
import { startService } from './postern.ts'
import { startSites } from './sites.ts'
import { makeFolder, writeWorkspace, type Workspace } from './workspace.ts'

export interface DemoOptions {
  /** undefined = nginx where there is one. */
  readonly proxy: 'nginx' | 'builtin' | undefined
  /** Where programs are looked for: `PATH`. */
  readonly path: string | undefined
  /** How this `postern` is run from the shell, for the printed lines. */
  readonly command: string
  /** Hears of policies that were loaded or refused, and of what goes wrong. */
  readonly note: (line: string) => void
}

export interface RunningDemo {
  /** What `banner` tells: addresses, people, files. */
  readonly values: BannerValues
  /** Stops everything and removes the folder; may be called twice. */
  readonly stop: () => Promise<void>
}

const DOMAIN = 'postern.localhost'
const PROVIDER_PORT = 4185
const CLIENT_ID = 'postern'

/**
 * Starts the demo.
 * @throws where a part does not start, saying which; what had started is stopped before
 */
export const startDemo = async (options: DemoOptions): Promise<RunningDemo> => {
  const ends = makeEnds()
  try {
    return await assemble(options, ends)
  } catch (error) {
    await ends.run()
    throw error
  }
}

const assemble = async (options: DemoOptions, ends: Ends): Promise<RunningDemo> => {
  const nginx = programFor(options)
  const people = makePeople((max) => randomInt(max))
  const ports = await choosePorts()
  const publicUrl = `http://auth.${DOMAIN}:${ports.front}`
  const secrets = { clientSecret: randomKey(), proxyKey: randomKey() }
  const provider = await provide(people, ports, publicUrl, secrets.clientSecret)
  ends.add(provider.close)
  const folder = await makeFolder()
  ends.add(folder.remove)
  const workspace = await writeWorkspace(folder.path, {
    ...secrets,
    domain: DOMAIN,
    publicUrl,
    issuer: provider.issuer,
    clientId: CLIENT_ID,
    decisionPort: ports.decision,
    publicPort: ports.public,
    adminPort: ports.admin,
  })
  const service = await startService(workspace.configFile, options.note)
  ends.add(service.close)
  const sites = await startSites(DOMAIN, publicUrl, ports.public, ends.add)
  const front: Front = {
    port: ports.front,
    decisionPort: ports.decision,
    publicPort: ports.public,
    authHost: `auth.${DOMAIN}`,
    proxyKey: secrets.proxyKey,
    sites,
  }
  ends.add((await startFront(front, nginx, workspace)).close)
  return { values: told({ options, nginx, people, ports, provider, workspace }), stop: ends.run }
}

const programFor = ({ proxy, path }: DemoOptions): string | undefined => {
  if (proxy === 'builtin') return undefined
  const program = findNginx(path)
  if (proxy === 'nginx' && program === undefined)
    throw new Error(
      'there is no nginx on PATH or in /usr/sbin: install it (Debian: `apt-get install nginx`), or use `--proxy builtin`',
    )
  return program
}

const randomKey = (): string => randomBytes(32).toString('base64url')

const provide = async (
  people: readonly Person[],
  ports: Ports,
  clientUrl: string,
  clientSecret: string,
): Promise<RunningProvider> =>
  startProvider({
    host: await loopbackName(`idp.${DOMAIN}`),
    preferredPort: PROVIDER_PORT,
    people,
    clientId: CLIENT_ID,
    clientSecret,
    clientUrl,
    backchannelUrl: `http://127.0.0.1:${ports.public}/backchannel-logout`,
    signingKeys: [generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })],
    cookieKey: randomKey(),
  })

/** Browsers resolve every name below .localhost by themselves; this process only where its resolver does. */
const loopbackName = async (name: string): Promise<string> => {
  const found = await lookup(name, { all: true }).catch(() => [])
  const isLoopback = found.length > 0 && found.every(({ address }) => address === '127.0.0.1')
  return isLoopback ? name : '127.0.0.1'
}

const startFront = async (
  front: Front,
  program: string | undefined,
  workspace: Workspace,
): Promise<{ readonly close: () => Promise<void> }> => {
  if (program === undefined) return startBuiltinProxy(front)
  const folder = join(workspace.folder, 'nginx')
  // Started by root, nginx would give its workers to somebody who may not read the folder.
  const user = process.getuid?.() === 0 ? userInfo().username : undefined
  const config = nginxConfig(front, { folder, user })
  const nginx = await startNginx({ program, folder, config, port: front.port })
  return { close: nginx.stop }
}

interface Told {
  readonly options: DemoOptions
  readonly nginx: string | undefined
  readonly people: readonly Person[]
  readonly ports: Ports
  readonly provider: RunningProvider
  readonly workspace: Workspace
}

const told = ({ options, nginx, people, ports, provider, workspace }: Told): BannerValues => ({
  wikiUrl: `http://wiki.${DOMAIN}:${ports.front}`,
  grafanaUrl: `http://grafana.${DOMAIN}:${ports.front}`,
  authUrl: `http://auth.${DOMAIN}:${ports.front}`,
  issuer: provider.issuer,
  adminUrl: `http://127.0.0.1:${ports.admin}`,
  people,
  proxy: proxyInWords(options, nginx, join(workspace.folder, 'nginx', 'nginx.conf')),
  configFile: workspace.configFile,
  policyFolder: workspace.policyFolder,
  command: options.command,
})

const proxyInWords = ({ proxy }: DemoOptions, nginx: string | undefined, config: string): string => {
  if (nginx !== undefined) return `nginx (${nginx}), configured by ${config}`
  return proxy === 'builtin'
    ? 'a stand-in inside the demo that asks as auth_request does'
    : 'a stand-in inside the demo that asks as auth_request does, because there is no nginx on this machine'
}
