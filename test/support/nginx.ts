// A real nginx for tests, with a folder of its own. Where the machine has none, suites say so and are skipped.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import type { NginxPlaces } from '../../src/demo/nginx-config.ts'
import { findNginx, startNginx, type RunningNginx } from '../../src/demo/nginx-process.ts'

/** The program, or undefined. */
export const NGINX = findNginx(process.env['PATH'])

/** For `describe.skipIf`; prints the reason once for each suite that asks. */
export const nginxIsMissing = (suite: string): boolean => {
  if (NGINX === undefined) console.warn(`SKIPPED ALOUD: ${suite} needs nginx (Debian: apt-get install nginx)`)
  return NGINX === undefined
}

/**
 * Starts nginx on `port` and waits until it accepts.
 * @param config writes the configuration for the folder that it gets
 */
export const startTestNginx = async (
  port: number,
  config: (places: NginxPlaces) => string,
): Promise<RunningNginx> => {
  if (NGINX === undefined) throw new Error('no nginx on this machine')
  const folder = await mkdtemp(join(tmpdir(), 'postern-nginx-'))
  const user = process.getuid?.() === 0 ? userInfo().username : undefined
  const nginx = await startNginx({ program: NGINX, folder, config: config({ folder, user }), port })
  return {
    errorLog: nginx.errorLog,
    stop: async () => {
      await nginx.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
