// A folder with the keys that a configuration names, and the shortest configuration that is complete.
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { issueText } from '../../../src/config/issue.ts'
import { loadConfig, type Loaded, type LoadInput } from '../../../src/config/load.ts'

/** Stands in a secret's place wherever one must not be shown. */
export const PLANTED = 'hunter2hunter2'

export const folder = mkdtempSync(join(tmpdir(), 'postern-config-'))
afterAll(() => rmSync(folder, { recursive: true }))

export const put = (name: string, content: string): string => {
  const file = join(folder, name)
  writeFileSync(file, content)
  return file
}

const pem = (name: string, key: KeyObject, type: 'pkcs8' | 'sec1'): string =>
  put(name, key.export({ type, format: 'pem' }).toString())

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
pem('ec.pem', ec, 'pkcs8')
pem('sec1.pem', ec, 'sec1')
pem('p384.pem', generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey, 'pkcs8')
pem('ed25519.pem', generateKeyPairSync('ed25519').privateKey, 'pkcs8')
pem('rsa1024.pem', generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey, 'pkcs8')
export const SESSION_KEY = Buffer.alloc(32, 7).toString('base64')
put('session.key', `${SESSION_KEY}\n`)
put('oidc.secret', PLANTED)
put('short.key', Buffer.alloc(16, 7).toString('base64'))
put('empty.key', '\n')
put('two-lines.key', 'one\ntwo\n')

/** Line 1 to 4 of most tests. */
export const HEAD = [
  'apiVersion: postern/v1',
  'publicUrl: https://auth.example.com',
  'proxies: {trusted: ["127.0.0.1/32"]}',
  'session: {keys: [{file: session.key}], domain: example.com}',
]

export const load = (lines: readonly string[], more: Partial<LoadInput> = {}): Loaded =>
  loadConfig({ file: put('postern.yaml', `${lines.join('\n')}\n`), env: {}, ...more })

/** What a person reads, with the folder left out. */
export const complaints = (loaded: Loaded): readonly string[] =>
  (loaded.kind === 'refused' ? loaded.issues : loaded.warnings).map((issue) =>
    issueText(issue).replaceAll(`${folder}/`, ''),
  )

export const configOf = (loaded: Loaded) => {
  if (loaded.kind === 'refused') throw new Error(complaints(loaded).join('\n'))
  return loaded.config
}
