// The page on NGINX as it stands there, with real ports, before a real Postern and an application that tells what it saw.
import { userInfo } from 'node:os'
import { makeEnds, type Ends } from '../../src/demo/ends.ts'
import type { NginxPlaces } from '../../src/demo/nginx-config.ts'
import { startEchoApp, type EchoApp } from '../support/echo-app.ts'
import { freePort } from '../support/free-port.ts'
import { makeInstallation, PROXY_KEY, type Installation } from '../support/installation.ts'
import { startTestNginx } from '../support/nginx.ts'
import { startTestPostern } from '../support/postern.ts'
import { blocksOf } from './markdown.ts'

export interface NginxPage {
  readonly port: number
  readonly app: EchoApp
  readonly installation: Installation
  readonly errorLog: () => string
  readonly close: () => Promise<void>
}

/** The NGINX blocks of the page: the whole configuration, then what may be changed in it. */
export const nginxBlocks = (): readonly string[] =>
  blocksOf('docs/nginx.md')
    .filter(({ language }) => language === 'nginx')
    .map(({ text }) => text)

/** Starts it; what had started is stopped where the rest does not. */
export const startNginxPage = async (policy: string, block: string): Promise<NginxPage> => {
  const ends = makeEnds()
  try {
    return await assemble(policy, block, ends)
  } catch (error) {
    await ends.run()
    throw error
  }
}

const assemble = async (policy: string, block: string, ends: Ends): Promise<NginxPage> => {
  const installation = await makeInstallation({ policies: { 'grafana.yaml': policy } })
  ends.add(installation.remove)
  const app = await startEchoApp()
  ends.add(app.close)
  const postern = await startTestPostern(installation)
  ends.add(() => postern.close())
  const port = await freePort()
  const real = block
    .replaceAll('127.0.0.1:4181', `127.0.0.1:${installation.decisionPort}`)
    .replaceAll('127.0.0.1:4180', `127.0.0.1:${installation.publicPort}`)
    .replaceAll('127.0.0.1:3000', `127.0.0.1:${app.port}`)
    .replaceAll('listen 8080;', `listen 127.0.0.1:${port};`)
    .replaceAll('TEXT-OF-PROXY-KEY', PROXY_KEY)
  const nginx = await startTestNginx(port, (places) => whole(real, places))
  ends.add(nginx.stop)
  return { port, app, installation, errorLog: nginx.errorLog, close: ends.run }
}

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
