// What a check adds to a request through a real nginx with keep-alive: beside a check that nginx answers itself.
import { mkdirSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { findNginx, startNginx } from '../../src/demo/nginx-process.ts'
import { freePort } from '../support/free-port.ts'
import { withFixture, type Fixture } from './fixture.ts'
import { burst, type Burst, type BurstResult } from './load.ts'
import { measurePairs, summarize } from './paired.ts'
import type { Figure } from './report.ts'
import { startPostern, withServers } from './server-process.ts'
import { checkHeaders, USUAL_SHAPE, type Settings } from './throughput.ts'

/** Few, so that what is measured is the way and not a queue. */
const CONNECTIONS = 4

const configOf = (folder: string, port: number, postern: string, user: string | undefined): string => `
daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log stderr warn;
${user === undefined ? '' : `user ${user};`}
events { worker_connections 512; }
http {
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path ${folder}/a; proxy_temp_path ${folder}/b; fastcgi_temp_path ${folder}/c; uwsgi_temp_path ${folder}/d; scgi_temp_path ${folder}/e;
  upstream postern { server ${postern}; keepalive 16; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port};
    # A return here would answer before anybody was asked: it comes first in nginx.
    location / { auth_request /_postern; empty_gif; }
    location /bare/ { auth_request /_bare; empty_gif; }
    location = /_bare { internal; return 204; }
    location = /_postern {
      internal;
      proxy_pass http://postern/authz/nginx;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_set_header X-Original-URL https://$http_host$request_uri;
      proxy_set_header X-Original-Method $request_method;
      proxy_set_header X-Real-IP $remote_addr;
    }
  }
}
`

const loadOf = (fixture: Fixture, url: string, seconds: number): Burst => {
  const { Cookie = '', Accept = '', 'User-Agent': agent = '' } = checkHeaders(fixture)
  return {
    url,
    headers: { Host: fixture.host, Cookie, Accept, 'User-Agent': agent },
    seconds,
    connections: CONNECTIONS,
  }
}

/** Empty where this machine has no nginx; says so. */
export const measureThroughNginx = async ({ pairs, seconds }: Settings): Promise<readonly Figure[]> => {
  const program = findNginx(process.env['PATH'])
  if (program === undefined) {
    console.error('no nginx on this machine; as root, run: apt-get update && apt-get install -y nginx')
    return []
  }
  return withFixture(USUAL_SHAPE, (fixture) =>
    withServers([() => startPostern(fixture.configFile)], async ([postern]) => {
      const folder = join(fixture.folder, 'nginx')
      mkdirSync(folder)
      const port = await freePort()
      const user = process.getuid?.() === 0 ? userInfo().username : undefined
      const config = configOf(folder, port, new URL(postern?.url ?? '').host, user)
      const nginx = await startNginx({ program, folder, config, port })
      try {
        return await compare(fixture, `http://127.0.0.1:${port}`, { pairs, seconds })
      } finally {
        await nginx.stop()
      }
    }),
  )
}

const compare = async (
  fixture: Fixture,
  url: string,
  { pairs, seconds }: Pick<Settings, 'pairs' | 'seconds'>,
): Promise<readonly Figure[]> => {
  const checked = loadOf(fixture, `${url}/d/abc?orgId=1`, seconds)
  const bare = loadOf(fixture, `${url}/bare/d/abc?orgId=1`, seconds)
  for (let turn = 0; turn < 3; turn += 1) for (const one of [checked, bare]) await burst(one)
  const found = await measurePairs(
    pairs,
    () => burst(checked),
    () => burst(bare),
  )
  const of = (value: (ours: BurstResult, bares: BurstResult) => number) =>
    summarize(found.map(([ours, bares]) => value(ours, bares)))
  return [
    { name: 'through nginx, p50', unit: 'ms', spread: of((a) => a.p50Ms) },
    { name: 'nginx with `return 204` for the check, p50', unit: 'ms', spread: of((_, b) => b.p50Ms) },
    { name: 'added by the check, p50', unit: 'ms', spread: of((a, b) => a.p50Ms - b.p50Ms) },
    { name: 'through nginx, p99', unit: 'ms', spread: of((a) => a.p99Ms) },
    { name: 'nginx with `return 204` for the check, p99', unit: 'ms', spread: of((_, b) => b.p99Ms) },
    {
      name: 'added by the check, p99',
      unit: 'ms',
      spread: of((a, b) => a.p99Ms - b.p99Ms),
      budget: { value: 1, direction: 'at most' },
    },
  ]
}
