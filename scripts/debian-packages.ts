// The programs that tests need and npm does not bring. Installs them from Debian's packages when it may, and says so;
// where it may not, it prints the line to run, and the tests that need them are skipped aloud.
import { execFileSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Program → Debian package. */
export const PROGRAMS: Readonly<Record<string, string>> = {
  nginx: 'nginx',
  chromium: 'chromium',
  wrk: 'wrk',
  curl: 'curl',
  openssl: 'openssl',
}

const SEARCHED = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/bin']

/** The path of a program, or undefined where the machine lacks it. */
export const findProgram = (name: string): string | undefined =>
  SEARCHED.map((folder) => join(folder, name)).find((path) => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })

/** Installs what is missing; returns the programs that are still not there. */
export const installMissingPrograms = (): readonly string[] => {
  const missing = Object.keys(PROGRAMS).filter((name) => findProgram(name) === undefined)
  if (missing.length === 0) return []
  const packages = missing.map((name) => PROGRAMS[name] ?? name)
  const line = `apt-get install -y --no-install-recommends ${packages.join(' ')}`
  if (process.getuid?.() !== 0 || findProgram('apt-get') === undefined) {
    console.error(`missing: ${missing.join(', ')}; as root, run: apt-get update && ${line}`)
    return missing
  }
  console.error(`installing Debian packages: ${packages.join(' ')}`)
  const options = {
    stdio: ['ignore', 'ignore', 'inherit'] as const,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  }
  try {
    execFileSync('apt-get', ['update', '-qq'], { ...options, stdio: [...options.stdio] })
    execFileSync('sh', ['-c', `exec ${line} -qq`], { ...options, stdio: [...options.stdio] })
  } catch (error) {
    console.error(`could not install: ${error instanceof Error ? error.message : String(error)}`)
  }
  return missing.filter((name) => findProgram(name) === undefined)
}
