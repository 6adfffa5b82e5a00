// Every command that loads the configuration takes the flags that `serve` takes, so that what runs can be checked.
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { folder, HEAD, put } from '../config/installation-folder.ts'

const MAIN = resolve('src/main.ts')
const PROVIDER =
  'providers: [{id: corp, issuer: https://idp.example.com, clientId: postern, clientSecret: {file: oidc.secret}}]'

beforeAll(() => {
  mkdirSync(join(folder, 'policies'))
  put(
    'policies/app.yaml',
    'apiVersion: postern/v1\nroute: app\nhosts: [app.example.com]\nsections:\n- {path: /, allow: [{id: in, authenticated: true}]}\n',
  )
  put('postern.yaml', [...HEAD, PROVIDER, 'admin: {token: {file: oidc.secret}}', ''].join('\n'))
})

/** In the folder of the configuration, as an operator who names no file. */
const postern = (...args: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    encoding: 'utf8',
    cwd: folder,
    env: { PATH: process.env['PATH'], NO_COLOR: '1' },
  })
  return { status, stdout, stderr }
}

const COMMANDS: readonly (readonly string[])[] = [
  ['check'],
  ['test'],
  ['explain', '--request', 'GET https://app.example.com/'],
  ['session', 'mint', '--provider', 'corp', '--sub', 'ada'],
  ['session', 'revoke', '--all'],
]

describe.each(COMMANDS.map((words) => [words.join(' '), words] as const))('%s', (_, command) => {
  const files = ['-c', 'postern.yaml']

  it('refuses the value of a flag that `serve` refuses, and names the flag', () => {
    const ran = postern(...command, ...files, '--session-idle', 'soon')
    expect([ran.status, ran.stdout]).toEqual([2, ''])
    expect(ran.stderr).toMatch(/(^|error: )--session-idle: /m)
  })

  it('loads `postern.yaml`, as `serve` does, for a flag without a file', () => {
    const ran = postern(...command, '--session-idle', 'soon')
    expect([ran.status, ran.stdout]).toEqual([2, ''])
    expect(ran.stderr).toContain('--session-idle: ')
  })

  it('says which flag was probably meant', () => {
    const ran = postern(...command, ...files, '--session-idel', '20m')
    expect([ran.status, ran.stdout]).toEqual([2, ''])
    expect(ran.stderr).toContain("error: unknown option '--session-idel' (did you mean `--session-idle`?)\n")
  })
})

describe('what a flag says', () => {
  it('is what `check` judges, over what the file says', () => {
    expect(postern('check', '-c', 'postern.yaml').stdout).toContain('W27')
    const told = postern('check', '-c', 'postern.yaml', '--proxies-host-header', 'required')
    expect(told.status).toBe(0)
    expect(told.stdout).not.toContain('W27')
  })

  it('leaves `--policies` a folder seen from here, configuration or not', () => {
    const named = postern('check', '--policies', 'policies')
    expect(named.stderr).toMatch(/^policies: 0 errors/)
    expect(postern('check', '--policies', 'nowhere', '-c', 'postern.yaml').status).toBe(2)
  })

  it('limits the life of a minted session', () => {
    const mint = ['session', 'mint', '--provider', 'corp', '--sub', 'ada', '--ttl', '2h']
    expect(postern(...mint).status).toBe(0)
    const limited = postern(...mint, '--session-absolute', '1h')
    expect([limited.status, limited.stdout]).toEqual([2, ''])
    expect(limited.stderr).toContain('longer than a session may live, 60 minutes')
  })

  it('is where a revocation goes', () => {
    const ran = postern('session', 'revoke', '--all', '--listen-admin', '127.0.0.1:1')
    expect(ran.status).toBe(3)
    expect(ran.stderr).toContain('http://127.0.0.1:1')
  })
})
