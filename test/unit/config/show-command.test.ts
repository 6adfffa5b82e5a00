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

  it('puts a flag over a variable, a variable over the file, and the file over the default', () => {
    put(
      'layers.yaml',
      [...HEAD.slice(0, 3), `${HEAD[3]?.replace('{', '{idle: 20m, freshness: 5m, ')}`, ''].join('\n'),
    )
    const shown = show(
      'layers.yaml',
      ['-o', 'json', '--origin', '--session-idle', '40m', '--proxies-trusted=127.0.0.1/32,10.0.0.0/8'],
      { POSTERN_SESSION_IDLE: '30m', POSTERN_SESSION_FRESHNESS: '6m', POSTERN_CACHE_TTL: '5s' },
    )
    expect([shown.status, shown.stderr]).toEqual([0, ''])
    expect(JSON.parse(shown.stdout)).toMatchObject({
      settings: {
        session: { idle: '40m', freshness: '6m', domain: 'example.com', absolute: '12h' },
        proxies: { trusted: ['127.0.0.1/32', '10.0.0.0/8'] },
        cache: { ttl: '5s' },
      },
      origins: {
        'session.idle': '--session-idle',
        'proxies.trusted[0]': '--proxies-trusted',
        'session.freshness': 'POSTERN_SESSION_FRESHNESS',
        'cache.ttl': 'POSTERN_CACHE_TTL',
        'session.domain': expect.stringMatching(/layers\.yaml:4:/),
        'session.absolute': 'default',
      },
    })
  })

  it('names the flag whose value is wrong, and refuses a flag that is none', () => {
    put('flags.yaml', [...HEAD, ''].join('\n'))
    const wrong = show('flags.yaml', ['--session-idle', 'soon'])
    expect([wrong.status, wrong.stdout]).toEqual([2, ''])
    expect(wrong.stderr).toMatch(/^--session-idle: /)
    const unknown = show('flags.yaml', ['--session-idel', '30m'])
    expect([unknown.status, unknown.stdout]).toEqual([2, ''])
    expect(unknown.stderr).toContain(
      "error: unknown option '--session-idel' (did you mean `--session-idle`?)\n",
    )
    const strange = show('flags.yaml', ['--frobnicate'])
    expect([strange.status, strange.stderr.split('\n')[0]]).toEqual([
      2,
      "error: unknown option '--frobnicate'",
    ])
  })

  it('says in its help that every key is an option, without listing them', () => {
    const { stdout } = show('flags.yaml', ['--help'])
    expect(stdout).toContain('--session-idle')
    expect(stdout).not.toContain('--session-freshness')
  })

  it('takes several files and folders, of which later ones win', () => {
    put('one.yaml', [...HEAD, 'cache: {ttl: 5s}', ''].join('\n'))
    put('two.yaml', 'cache: {ttl: 7s}\n')
    const shown = show('one.yaml', ['-c', join(folder, 'two.yaml'), '--origin', '--session-freshness', '5m'])
    expect([shown.status, shown.stderr]).toEqual([0, ''])
    expect(shown.stdout.replaceAll(`${folder}/`, '')).toContain(
      '  ttl: 7s # two.yaml:1:14, over one.yaml:5:14\n',
    )
    const turned = show('two.yaml', ['-c', join(folder, 'one.yaml'), '-o', 'json'])
    expect(JSON.parse(turned.stdout)).toMatchObject({ cache: { ttl: '5s' } })
  })

  it('prints nothing but faults where there are some', () => {
    put('bad.yaml', [...HEAD, `admin: {tokn: ${PLANTED}}`, ''].join('\n'))
    const shown = show('bad.yaml', [])
    expect([shown.status, shown.stdout]).toEqual([2, ''])
    expect(shown.stderr).toContain('bad.yaml:5:9: unknown key `tokn` in `admin` (did you mean `token`?)')
    expect(shown.stderr).not.toContain(PLANTED)
  })
})
