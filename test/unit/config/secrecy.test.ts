// A secret is never shown: not where it belongs, and not where somebody put it by mistake.
import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { parse } from 'yaml'
import { z } from 'zod'
import { describe, expect, it } from 'vitest'
import { configSchema } from '../../../src/config/schema.ts'
import { showJson, showYaml } from '../../../src/config/show.ts'
import { complaints, configOf, HEAD, load, PLANTED } from './installation-folder.ts'

const WITH_SECRETS = [
  ...HEAD,
  'providers: [{id: corp, issuer: "https://a.example.com", clientId: p, clientSecret: {file: oidc.secret}}]',
  'assertion: {key: {file: ec.pem}}',
  'admin: {token: {env: ADMIN_SECRET}}',
]
const ENV = { ADMIN_SECRET: PLANTED }
const SECRETS = new RegExp(`${PLANTED}|${Buffer.alloc(32, 7).toString('base64').slice(0, 20)}|PRIVATE KEY`)

describe('a configuration that loads', () => {
  const loaded = load(WITH_SECRETS, { env: ENV })
  const config = configOf(loaded)

  it('holds its secrets', () => {
    expect(config.providers[0]?.clientSecret?.reveal()).toBe(PLANTED)
    expect(config.assertion?.key.reveal()).toMatch(/PRIVATE KEY/)
  })

  it.each([
    ['JSON', () => JSON.stringify(config)],
    ['inspect', () => inspect(config, { depth: 20, showHidden: true })],
    [
      'a template',
      () => `${config.admin.tokens.map(({ token }) => token).join()} ${String(config.assertion?.key)}`,
    ],
    ['a clone', () => JSON.stringify(structuredClone(config))],
  ])('shows none in %s', (_, print) => {
    expect(print()).not.toMatch(SECRETS)
  })

  it.each([true, false])('shows none in `config show`, with origin: %s', (withOrigin) => {
    if (loaded.kind === 'refused') throw new Error('refused')
    const shown = [showYaml(loaded, withOrigin), showJson(loaded, withOrigin)]
    expect(shown.join()).toContain('oidc.secret')
    expect(shown.join()).toContain('ADMIN_SECRET')
    expect(shown.join()).not.toMatch(SECRETS)
  })
})

describe('a secret in the wrong place', () => {
  it.each([
    ['instead of a reference', ['admin: {token: PLANTED}']],
    ['under the wrong key of a reference', ['admin: {token: {value: PLANTED}}']],
    ['beside a reference', ['admin: {token: {file: oidc.secret, value: PLANTED}}']],
    ['in a list of references', ['admin: {tokens: [{id: a, token: PLANTED}]}']],
    ['under a misspelt key', ['admin: {tokn: PLANTED}']],
    ['under a misspelt key on top', ['clientSecret: PLANTED']],
    ['on the line of another mistake', ['admin: {token: PLANTED, tokn: x, more: [PLANTED]}']],
    ['in a block', ['admin:', '  token: |', '    PLANTED']],
    [
      'in the user part of a URL',
      ['issuers: [{id: a, issuer: "https://me:PLANTED@a.example.com", audience: a}]'],
    ],
    ['in the URL of a store', ['state: {kind: valkey, url: "redis://:PLANTED@r.example.com:6379"}']],
    ['in a file that is not YAML', ['admin: {token: PLANTED']],
    ['quoted in a file that is not YAML', ['admin: {token: "PLANTED}']],
    ['in a block of a file that is not YAML', ['admin:', '  token: |', '    PLANTED', ' x']],
    ['under a key that is there twice', ['admin: {token: PLANTED, token: PLANTED}']],
    ['as a variable of ours', ['cache: {ttl: x}']],
  ])('is refused and not shown: %s', (_, lines) => {
    const text = lines.map((line) => line.replaceAll('PLANTED', PLANTED))
    const loaded = load([...HEAD, ...text], { env: { POSTERN_ADMIN_TOKEN: PLANTED } })
    expect(loaded.kind).toBe('refused')
    expect(complaints(loaded).join('\n')).not.toContain(PLANTED)
  })

  it('says why it does not belong there', () => {
    expect(complaints(load([...HEAD, `admin: {token: ${PLANTED}}`]))).toEqual([
      [
        'postern.yaml:5:16: `admin.token`: a secret must not stand in the configuration, which many read and which is kept in git; write `{file: …}` (a path from the folder of this file) or `{env: …}` (a variable)',
        '5 | admin: {token: **************}',
        '  |                ^^^^^^^^^^^^^^',
      ].join('\n'),
    ])
  })
})

describe('a key file that is no key', () => {
  it('is refused without its content', () => {
    const loaded = load([...HEAD, 'assertion: {key: {file: oidc.secret}}'])
    expect(loaded.kind).toBe('refused')
    expect(complaints(loaded).join('\n')).not.toContain(PLANTED)
  })
})

describe('config show', () => {
  const loaded = load(WITH_SECRETS, { env: { ...ENV, POSTERN_CACHE_TTL: '5s' } })
  if (loaded.kind === 'refused') throw new Error('refused')

  it('gives YAML that is a configuration again', () => {
    const again = load(showYaml(loaded, true).split('\n'), { env: ENV })
    expect(configOf(again)).toMatchObject({ cache: { ttlMs: 5000 }, providers: [{ id: 'corp' }] })
    expect(parse(showYaml(loaded, false))).toEqual(parse(showYaml(loaded, true)))
  })

  it('says where each value comes from', () => {
    const lines = showYaml(loaded, true).split('\n')
    expect(lines).toContain('  ttl: 5s # POSTERN_CACHE_TTL')
    expect(lines).toContain('  decisions: 50000 # default')
    expect(lines.find((line) => line.startsWith('publicUrl'))).toMatch(/ # .*postern\.yaml:2:12$/)
    const { origins } = JSON.parse(showJson(loaded, true))
    expect(origins).toMatchObject({ 'cache.ttl': 'POSTERN_CACHE_TTL', 'cache.decisions': 'default' })
  })
})

describe('the published schema', () => {
  it('is the one that the service reads with; `npm run schemas` writes it', () => {
    const published: unknown = JSON.parse(readFileSync('config.schema.json', 'utf8'))
    expect(published).toMatchObject(z.toJSONSchema(configSchema, { io: 'input', target: 'draft-07' }))
    expect(published).toMatchObject({
      additionalProperties: false,
      required: ['apiVersion', 'publicUrl', 'proxies', 'session'],
    })
  })
})
