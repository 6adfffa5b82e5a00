// `postern config show` as a person runs it: values on standard output, faults on standard error, exit 2 for them.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { folder, HEAD, PLANTED, put } from './installation-folder.ts'

const show = (file: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['src/main.ts', 'config', 'show', '-c', join(folder, file), ...args],
    { encoding: 'utf8', env: { PATH: process.env['PATH'], ...env } },
  )
  return { status, stdout, stderr }
}

describe('config show', () => {
  it('prints what is in force, and notes apart from it', () => {
    put('good.yaml', [...HEAD, 'admin: {token: {file: oidc.secret}}', ''].join('\n'))
    const shown = show('good.yaml', ['-o', 'json', '--origin'], {
      POSTERN_CACHE_TTL: '5s',
      POSTERN_SOMETHING: 'x',
    })
    expect(shown.status).toBe(0)
    expect(JSON.parse(shown.stdout)).toMatchObject({
      settings: { cache: { ttl: '5s' }, admin: { token: { file: 'oidc.secret' } } },
      origins: { 'cache.ttl': 'POSTERN_CACHE_TTL' },
    })
    expect(shown.stderr).toBe('POSTERN_SOMETHING: this variable sets nothing\n')
    expect(shown.stdout).not.toContain(PLANTED)
  })

  it('prints nothing but faults where there are some', () => {
    put('bad.yaml', [...HEAD, `admin: {tokn: ${PLANTED}}`, ''].join('\n'))
    const shown = show('bad.yaml', [])
    expect([shown.status, shown.stdout]).toEqual([2, ''])
    expect(shown.stderr).toContain('bad.yaml:5:9: unknown key `tokn` in `admin` (did you mean `token`?)')
    expect(shown.stderr).not.toContain(PLANTED)
  })
})
