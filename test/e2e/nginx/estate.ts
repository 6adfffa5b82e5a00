// A whole estate on loopback: nginx, Postern behind it, and an application that tells what it saw.
import { makeEnds, type Ends } from '../../../src/demo/ends.ts'
import type { Front } from '../../../src/demo/front.ts'
import type { NginxPlaces } from '../../../src/demo/nginx-config.ts'
import { startConnectionCounter } from '../../support/connection-counter.ts'
import { startEchoApp, type EchoApp, type Seen } from '../../support/echo-app.ts'
import { freePort } from '../../support/free-port.ts'
import {
  makeInstallation,
  PROXY_KEY,
  type Installation,
  type InstallationPlan,
} from '../../support/installation.ts'
import { startTestNginx } from '../../support/nginx.ts'
import { startTestPostern, type TestPostern } from '../../support/postern.ts'
import { askProxy, type ProxyRequest } from '../../support/proxy-client.ts'
import type { RawAnswer } from '../../support/raw-http.ts'

export interface Estate {
  /** Where nginx listens. */
  readonly port: number
  readonly app: EchoApp
  readonly installation: Installation
  readonly postern: TestPostern
  readonly errorLog: () => string
  /** Connections from nginx to the decision listener so far. */
  readonly connections: () => number
  readonly ask: (host: string, request: ProxyRequest) => Promise<Asked>
  readonly close: () => Promise<void>
}

export interface Asked extends RawAnswer {
  /** What reached the application because of this request; undefined = nothing did. */
  readonly seen: Seen | undefined
}

/** The application's hosts, in the order of the policies' `hosts` lines. */
const hostsOf = (policies: Readonly<Record<string, string>>): readonly string[] =>
  Object.values(policies).flatMap((text) => /^hosts: \[([^\]]+)\]/m.exec(text)?.[1]?.split(', ') ?? [])

/** Starts it; what had started is stopped where the rest does not. */
export const startEstate = async (plan: InstallationPlan, config: Configure): Promise<Estate> => {
  const ends = makeEnds()
  try {
    return await assemble(plan, config, ends)
  } catch (error) {
    await ends.run()
    throw error
  }
}

type Configure = (front: Front, places: NginxPlaces) => string

const assemble = async (plan: InstallationPlan, config: Configure, ends: Ends): Promise<Estate> => {
  const installation = await makeInstallation(plan)
  ends.add(installation.remove)
  const app = await startEchoApp()
  ends.add(app.close)
  const postern = await startTestPostern(installation)
  ends.add(() => postern.close())
  const counter = await startConnectionCounter(installation.decisionPort)
  ends.add(counter.close)
  const front: Front = {
    port: await freePort(),
    decisionPort: counter.port,
    publicPort: installation.publicPort,
    authHost: 'login.example.com',
    proxyKey: PROXY_KEY,
    sites: hostsOf(plan.policies).map((host) => ({ host, port: app.port })),
  }
  const nginx = await startTestNginx(front.port, (places) => config(front, places))
  ends.add(nginx.stop)
  return {
    port: front.port,
    app,
    installation,
    postern,
    errorLog: nginx.errorLog,
    connections: counter.count,
    ask: async (host, request) => {
      const before = app.seen.length
      const answer = await askProxy(front.port, {
        ...request,
        headers: [['Host', host], ...(request.headers ?? [])],
      })
      return { ...answer, seen: app.seen[before] }
    },
    close: ends.run,
  }
}
