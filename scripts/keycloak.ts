// Keycloak for `npm run test:idp`: its distribution, by Maven from wherever the machine's Maven is told to look, unpacked
// once into .cache/. Needs Java 17 or newer. Where it cannot be had, the line to run is printed, and the tests that need
// it are skipped aloud.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram } from './debian-packages.ts'

const VERSION = '26.7.3'
const PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1'
const CACHE = '.cache/keycloak'
const FOLDER = join(CACHE, `keycloak-${VERSION}`)
const NEW = `${CACHE}.new`

const UNPACK: readonly string[] = [
  '-q',
  '-B',
  `${PLUGIN}:unpack`,
  `-Dartifact=org.keycloak:keycloak-quarkus-dist:${VERSION}:zip`,
  '-DoutputDirectory=.',
]

/**
 * Makes sure that Keycloak is there; the first time it loads about 180 MB.
 * @returns its folder, or undefined where it cannot be had: then the reason and the line to run were printed
 */
export const ensureKeycloak = (): string | undefined => {
  const missing = [['java', 'openjdk-17-jre-headless'] as const, ['mvn', 'maven'] as const]
    .filter(([program]) => findProgram(program) === undefined)
    .filter(([program]) => program === 'java' || !existsSync(FOLDER))
  if (missing.length > 0) {
    const packages = missing.map(([, name]) => name).join(' ')
    console.error(
      `missing: ${missing.map(([program]) => program).join(', ')}; as root, run: apt-get update && apt-get install -y ${packages}`,
    )
    return undefined
  }
  return existsSync(FOLDER) ? FOLDER : load()
}

const load = (): string | undefined => {
  console.error(`loading Keycloak ${VERSION} by Maven into ${CACHE}/ (once, about 180 MB)`)
  rmSync(NEW, { recursive: true, force: true })
  mkdirSync(NEW, { recursive: true })
  try {
    // There, because the plugin also leaves a marker where it runs.
    execFileSync('mvn', [...UNPACK], { cwd: NEW, stdio: ['ignore', 'inherit', 'inherit'] })
  } catch {
    console.error(`could not load Keycloak; to see why, run: mvn ${UNPACK.slice(1).join(' ')}`)
    return undefined
  }
  // Whole or not at all: a run that was interrupted leaves nothing that looks like Keycloak.
  rmSync(CACHE, { recursive: true, force: true })
  renameSync(NEW, CACHE)
  return existsSync(FOLDER) ? FOLDER : undefined
}

if (import.meta.main) {
  const folder = ensureKeycloak()
  if (folder === undefined) process.exitCode = 3
  else console.log(folder)
}
