// Postern itself for tests, started as `serve` starts it, from an installation.
import { loadConfig } from '../../src/config/load.ts'
import { startPostern, type RunningPostern } from '../../src/server/serve.ts'
import type { Installation } from './installation.ts'

export type TestPostern = RunningPostern

/** Starts it; what the configuration says wrong is the error. */
export const startTestPostern = (installation: Installation): Promise<TestPostern> => {
  const loaded = loadConfig({ file: installation.configFile, env: {} })
  if (loaded.kind === 'refused') throw new Error(JSON.stringify(loaded.issues))
  return startPostern(loaded.config)
}
