// Two application hosts and sign-in behind one real NGINX, configured as docs/nginx.md says it, a real provider, and an
// application that tells what it saw. Only names are made up: the browser speaks to NGINX whatever host it asks for.
import { userInfo } from 'node:os'
import { makeEnds, type Ends } from '../../src/demo/ends.ts'
import type { NginxPlaces } from '../../src/demo/nginx-config.ts'
import { makeBrowser, type Browser } from '../unit/signin/browser.ts'
import { startEchoApp, type EchoApp } from './echo-app.ts'
import { freePort } from './free-port.ts'
import { publicHost } from './front-hosts.ts'
import { startTestNginx } from './nginx.ts'
import { startTestProvider } from './oidc-provider.ts'
import { startService } from './running-service.ts'
import { CLIENT_SECRET, makeServiceFolder, type ServiceFolder } from './service-folder.ts'

export interface PerHostEstate {
  /** Of NGINX. */
  readonly port: number
  readonly service: ServiceFolder
  /** The application of both hosts. */
  readonly app: EchoApp
  readonly browser: () => Browser
  readonly errorLog: () => string
  readonly close: () => Promise<void>
}

export interface PerHostPlan {
  readonly publicUrl: string
  readonly appHosts: readonly string[]
  /** Another `session`; without it, one for each host. */
  readonly session?: Readonly<Record<string, unknown>>
  /** Within `http { … }`, with the addresses and names of the documentation. */
  readonly nginx: string
}

/** Starts it; what had started is stopped where the rest does not. */
export const startPerHostEstate = async (plan: PerHostPlan): Promise<PerHostEstate> => {
  const ends = makeEnds()
  try {
    return await assemble(plan, ends)
  } catch (error) {
    await ends.run()
    throw error
  }
}

const assemble = async (plan: PerHostPlan, ends: Ends): Promise<PerHostEstate> => {
  const provider = await startTestProvider({
    clientId: 'postern',
    clientSecret: CLIENT_SECRET,
    redirectUris: [`${plan.publicUrl}/callback/corp`],
    postLogoutRedirectUris: [`${plan.publicUrl}/signed-out`],
  })
  ends.add(provider.close)
  const service = await makeServiceFolder({
    policies: Object.fromEntries(
      plan.appHosts.map((host, index) => [`r${index}.yaml`, policy(`r${index}`, host)]),
    ),
    settings: settings(plan, provider.issuer),
  })
  ends.add(service.remove)
  const postern = await startService(service)
  ends.add(() => postern.close())
  const app = await startEchoApp()
  ends.add(app.close)
  const port = await freePort()
  const nginx = await startTestNginx(port, (places) => whole(real(plan, { service, app, port }), places))
  ends.add(nginx.stop)
  const front = publicHost(port)
  const names = [new URL(plan.publicUrl).host, ...plan.appHosts]
  return {
    port,
    service,
    app,
    browser: () => makeBrowser(new Map(names.map((name) => [name, front]))),
    errorLog: nginx.errorLog,
    close: ends.run,
  }
}

const policy = (id: string, host: string): string => `apiVersion: postern/v1
route: ${id}
hosts: [${host}]
sections:
- path: /
  allow: [{id: sre, groups: [sre]}]
`

const settings = (
  { publicUrl, session }: PerHostPlan,
  issuer: string,
): Readonly<Record<string, unknown>> => ({
  publicUrl,
  proxies: {
    trusted: ['127.0.0.1/32'],
    key: { file: 'proxy.key' },
    hostHeader: 'required',
    externalScheme: 'https',
  },
  session: session ?? { keys: [{ file: 'session.key' }], host: true },
  providers: [
    {
      id: 'corp',
      issuer,
      clientId: 'postern',
      clientSecret: { file: 'oidc.secret' },
      scopes: ['openid', 'profile', 'email', 'groups'],
      claims: { groups: 'groups' },
    },
  ],
})

interface Places {
  readonly service: ServiceFolder
  readonly app: EchoApp
  readonly port: number
}

const real = ({ nginx, appHosts, publicUrl }: PerHostPlan, { service, app, port }: Places): string =>
  nginx
    .replaceAll('127.0.0.1:4181', `127.0.0.1:${service.ports.decision}`)
    .replaceAll('127.0.0.1:4180', `127.0.0.1:${service.ports.public}`)
    .replaceAll('127.0.0.1:3000', `127.0.0.1:${app.port}`)
    .replaceAll('listen 8080;', `listen 127.0.0.1:${port};`)
    .replaceAll('TEXT-OF-PROXY-KEY', service.proxyKey)
    .replaceAll('grafana.example.com', appHosts.join(' '))
    .replaceAll('auth.example.com', new URL(publicUrl).hostname)

const whole = (block: string, { folder }: NginxPlaces): string => `daemon off; worker_processes 1;
pid ${folder}/nginx.pid; error_log stderr warn;
${process.getuid?.() === 0 ? `user ${userInfo().username};` : ''}
events { worker_connections 256; }
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${folder}/${kind};`).join(' ')}
${block}
}
`
