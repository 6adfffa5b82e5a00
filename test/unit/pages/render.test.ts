// Pages: everything from outside is escaped, nothing is loaded or framed, nothing needs a script, none is large.
import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { errorText } from '../../../src/pages/error-codes.ts'
import { pageHtml, renderAnswer } from '../../../src/pages/render.ts'
import { SCRIPT } from '../../../src/pages/script.ts'
import { STYLE } from '../../../src/pages/style.ts'
import type { TracedPredicate, TracedRule } from '../../../src/policy/trace.ts'
import { ERROR_CODES, type CircleCause, type Page } from '../../../src/signin/page.ts'

const EVIL = `"><img src=x onerror=alert(1)>'&<script>`

const predicate = (kind: string, wants: string, finding: TracedPredicate['finding']): TracedPredicate => ({
  kind,
  wants,
  has: 'eng',
  finding,
  needs: undefined,
})

const rule = (
  effect: 'allow' | 'deny',
  id: string,
  finding: TracedRule['finding'],
  predicates: readonly TracedPredicate[],
): TracedRule => ({
  rule: { id, name: `grafana#${id}`, effect, predicates: [], from: '/', why: undefined, review: undefined },
  finding,
  predicates,
})

const app = (text: string) => ({ route: text, host: text, owner: text })

const denied = (
  text: string,
  rules: readonly TracedRule[],
  determining?: string,
): Extract<Page, { name: 'denied' }> => ({
  name: 'denied',
  app: app(text),
  as: { provider: text, subject: text, label: text },
  reason: 'DENY_NO_RULE',
  rule: determining,
  rules,
  decisionId: text,
  atMs: Date.UTC(2026, 10, 24, 12, 0, 1),
  otherAccountHref: 'https://auth.example.com/sign-in?prompt=select_account',
  requestAccessHref: undefined,
  signOutHref: 'https://auth.example.com/sign-out',
})

const circle = (text: string, cause: CircleCause): Extract<Page, { name: 'circle' }> => ({
  name: 'circle',
  app: app(text),
  cause,
  evidence: {
    copiesHere: 1,
    countsHere: true,
    atApplication: 'expired',
    cookieName: text,
    cookieDomain: text,
    publicHost: text,
    application: text,
    applicationScheme: 'http',
    publicScheme: 'https',
    forwardedScheme: 'http',
    decision: 'ALLOW_RULE',
    clocks: [{ provider: text, aheadSeconds: -90 }],
  },
  tryAgainHref: 'https://app.example.com/x',
  atMs: 0,
})

const pages = (text: string): readonly Page[] => [
  {
    name: 'choose',
    app: app(text),
    providers: [{ label: text, href: 'https://auth.example.com/sign-in', isLast: true }],
  },
  denied(text, [rule('allow', text, 'miss', [predicate('groups', text, 'miss')])]),
  ...ERROR_CODES.map((code): Page => ({
    name: 'error',
    code,
    app: app(text),
    tryAgainHref: 'https://auth.example.com/sign-in',
    fragmentKey: text,
    retryAfterSeconds: 5,
    seen: [[text, text]],
    atMs: 0,
  })),
  {
    name: 'sign-out',
    as: { provider: text, subject: text, label: undefined },
    actionHref: 'https://auth.example.com/sign-out',
    token: text,
    backHref: 'https://auth.example.com/me',
  },
  {
    name: 'signed-out',
    provider: text,
    ended: 'here',
    recorded: false,
    signInHref: 'https://auth.example.com/sign-in',
  },
  {
    name: 'me',
    as: { provider: text, subject: text, label: text },
    claims: [
      { name: text, value: text },
      { name: 'list', value: [text, 1, true] },
    ],
    groups: [text],
    session: { issuedAtSeconds: 1, expiresAtSeconds: 2, authTimeSeconds: 0, amr: [text], acr: text },
    signOutHref: 'https://auth.example.com/sign-out',
  },
  { name: 'not-signed-in', signInHref: 'https://auth.example.com/sign-in' },
  { name: 'no-session-accepted', app: app(text), accepts: ['api-key'] },
  { name: 'hop', to: `https://idp.example.com/?x=${text}` },
  { name: 'hop', to: `https://idp.example.com/?x=${text}`, fragment: { deed: 'keep', key: text } },
  circle(text, 'not-sent-there'),
]

/** Without the one script, where there is one: it is ours, and the headers pin it. */
const html = (page: Page): string => pageHtml(page).replace(`<script>${SCRIPT}</script>`, '')

describe('what comes from outside is inert', () => {
  it.each(pages(EVIL).map((page) => [page.name, page] as const))('%s', (_, page) => {
    const text = html(page)
    expect(text).not.toContain('<img')
    expect(text).not.toContain('<script')
    expect(text.replaceAll(/"[^"]*"/g, '""')).not.toMatch(/<[^>]*\son\w+=/)
  })

  it('holds for any text: no tag appears that is not ours', () => {
    const tagsOf = (text: string): readonly string[] => text.match(/<[a-z!/][^>]*>/gi) ?? []
    const plain = pages('x').map((page) => tagsOf(html(page)).length)
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), (text) => {
        expect(pages(`x${text}`).map((page) => tagsOf(html(page)).length)).toEqual(plain)
      }),
      { numRuns: 100 },
    )
  })
})

describe('each page stands alone', () => {
  it.each(pages('x').map((page) => [page.name, page] as const))('%s', (_, page) => {
    const text = html(page)
    expect(text).toMatch(/^<!doctype html>\n<html lang="en">/)
    expect(text).toMatch(/<title>[^<]+ · Postern<\/title>/)
    expect(text.match(/<h1>/g)).toHaveLength(1)
    expect(text).not.toMatch(/<script|<link|<iframe|\ssrc=|\sstyle=|undefined|\[object/)
    expect(Buffer.byteLength(text)).toBeLessThan(15_000)
  })

  it('stays under 15 KB with the most that a session can carry', () => {
    const many = Array.from({ length: 300 }, (_, index) => `group-${index}-${'x'.repeat(20)}`)
    const me = pages('x').find((page) => page.name === 'me')
    if (me?.name !== 'me') throw new Error('no such page')
    const claims = many.map((name) => ({ name, value: many }))
    expect(Buffer.byteLength(html({ ...me, groups: many, claims: claims.slice(0, 20) }))).toBeLessThan(15_000)
    const rules = many.map((id) => rule('allow', id, 'miss', [predicate('groups', many.join('|'), 'miss')]))
    expect(Buffer.byteLength(html(denied('x', rules)))).toBeLessThan(15_000)
  })
})

describe('the headers of an answer', () => {
  const rendered = renderAnswer(
    {
      status: 403,
      headers: [['retry-after', '5']],
      body: { kind: 'page', page: denied('x', []), as: 'html' },
    },
    true,
  )
  const header = (name: string): string | undefined => rendered.headers.find(([key]) => key === name)?.[1]

  it('allow the style and the script that are in the page, byte for byte, and nothing else', () => {
    const style = /<style>([^]*)<\/style>/.exec(rendered.body)?.[1]
    expect(style).toBe(STYLE)
    const script = /<script>([^]*)<\/script>/.exec(rendered.body)?.[1]
    expect(script).toBe(SCRIPT)
    const hashOf = (text: string): string => createHash('sha256').update(text).digest('base64')
    expect(header('content-security-policy')).toBe(
      `default-src 'none'; style-src 'sha256-${hashOf(style ?? '')}'; script-src 'sha256-${hashOf(script ?? '')}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
    )
  })

  it('forbid sniffing, caching, referring and sharing', () => {
    expect(header('x-content-type-options')).toBe('nosniff')
    expect(header('cache-control')).toBe('no-store')
    expect(header('referrer-policy')).toBe('no-referrer')
    expect(header('cross-origin-opener-policy')).toBe('same-origin')
    expect(header('content-type')).toBe('text/html; charset=utf-8')
    expect(header('content-length')).toBe(String(Buffer.byteLength(rendered.body)))
    expect(header('retry-after')).toBe('5')
  })

  it('carry HSTS by https and not by http', () => {
    const plain = renderAnswer({ status: 200, headers: [], body: { kind: 'none' } }, false)
    expect(header('strict-transport-security')).toBe('max-age=31536000')
    expect(plain.headers.some(([name]) => name === 'strict-transport-security')).toBe(false)
    expect(plain.headers).toContainEqual(['content-length', '0'])
  })
})

describe('the denied page says what is missing, from the walk itself', () => {
  const allow = rule('allow', 'edit', 'miss', [predicate('groups', 'sre|platform', 'miss')])
  const elsewhere = rule('allow', 'view', 'miss', [
    predicate('methods', 'GET', 'miss'),
    predicate('groups', 'eng', 'hit'),
  ])

  it('names the groups of the rule that is about this request, and no other', () => {
    const text = html(denied('grafana', [allow, elsewhere]))
    expect(text).toContain('Rule “edit” needs one of the groups sre, platform.')
    expect(text).not.toContain('“view”')
    expect(html(denied('grafana', [elsewhere]))).toContain('Rule “view” needs the method GET.')
  })

  it('speaks of one group in the singular, of several in the plural', () => {
    const lacking = (kind: string, wants: string): string =>
      html(denied('grafana', [rule('allow', 'edit', 'miss', [predicate(kind, wants, 'miss')])]))
    expect(lacking('groups', 'sre')).toContain('needs the group sre.')
    expect(lacking('all_groups', 'sre')).toContain('needs the group sre.')
    expect(lacking('groups', 'sre|eng')).toContain('needs one of the groups sre, eng.')
    expect(lacking('all_groups', 'sre+eng')).toContain('needs all of the groups sre, eng.')
  })

  it('names the rule that refuses, not the ways that would not help', () => {
    const deny = rule('deny', 'no-contractors', 'hit', [predicate('groups', 'contractors', 'hit')])
    const text = html(denied('grafana', [deny, allow], 'grafana#no-contractors'))
    expect(text).toContain('What refuses you')
    expect(text).toContain('Rule “no-contractors” refuses callers with the group contractors.')
    expect(text).not.toContain('“edit”')
  })

  it('does not give away who else is let in', () => {
    const named = rule('allow', 'boss', 'miss', [predicate('emails', 'boss@example.com', 'miss')])
    expect(html(denied('grafana', [named]))).not.toContain('boss@example.com')
  })

  it('offers to request access only where an address is configured', () => {
    expect(html(denied('grafana', [allow]))).not.toContain('Request access')
    const asking = { ...denied('grafana', [allow]), requestAccessHref: 'mailto:sre@example.com?subject=x' }
    expect(html(asking)).toContain('href="mailto:sre@example.com?subject=x"')
  })

  it('says the same in problem+json', () => {
    const answer = renderAnswer(
      { status: 403, headers: [], body: { kind: 'page', page: denied('grafana', [allow]), as: 'problem' } },
      true,
    )
    expect(answer.headers).toContainEqual(['content-type', 'application/problem+json'])
    expect(JSON.parse(answer.body)).toMatchObject({
      status: 403,
      detail: 'Rule “edit” needs one of the groups sre, platform.',
      decision: 'grafana',
      reason: 'DENY_NO_RULE',
      time: '2026-11-24T12:00:01.000Z',
    })
  })
})

describe('an error says what happened, what to do, and its code', () => {
  it.each(ERROR_CODES)('%s', (code) => {
    const page: Page = {
      name: 'error',
      code,
      app: undefined,
      tryAgainHref: undefined,
      fragmentKey: undefined,
      retryAfterSeconds: undefined,
      seen: [],
      atMs: 0,
    }
    const text = html(page)
    expect(text).toContain(code)
    expect(text).toContain(`<h1>${errorText(code).title}</h1>`)
    expect(text).not.toContain('Try again</a>')
  })
})

describe('the hop goes on without a script', () => {
  it('refreshes by itself and has a button, to the same place', () => {
    const text = html({ name: 'hop', to: 'https://app.example.com/x?a=1&b=2' })
    expect(text).toContain(
      '<meta http-equiv="refresh" content="0; url=https://app.example.com/x?a=1&amp;b=2" />',
    )
    expect(text).toContain('href="https://app.example.com/x?a=1&amp;b=2"')
  })
})

describe('the hop that keeps the fragment', () => {
  const page: Page = {
    name: 'hop',
    to: 'https://idp.example.com/auth?state=x',
    fragment: { deed: 'keep', key: 'postern:1' },
  }

  it('goes on by itself where there is no script, and leaves it to the script where there is one', () => {
    const text = pageHtml(page)
    expect(text).toContain(
      '<noscript><meta http-equiv="refresh" content="0; url=https://idp.example.com/auth?state=x" /></noscript>',
    )
    expect(text).toContain('data-fragment="keep" data-key="postern:1"')
    expect(text.indexOf('<script>')).toBeGreaterThan(text.indexOf('data-fragment'))
    expect(pageHtml({ name: 'hop', to: page.to })).not.toMatch(/<script|<noscript/)
  })
})

describe('the page about a circle', () => {
  it.each([
    ['not-kept', 'drops or rewrites Set-Cookie'],
    ['two-sessions', 'Delete both cookies'],
    ['not-accepted-here', 'same session.keys, session.domain and clock'],
    ['insecure-application', 'redirect http to https'],
    ['not-sent-there', 'carry the browser’s Cookie header'],
    ['not-accepted-there', 'the decision service that the proxy asks'],
  ] as const)('%s: says what to do', (cause, what) => {
    const text = html(circle('x', cause))
    for (const part of [
      'PST-1011',
      what,
      'Try again</a>',
      '90 s behind',
      'https by the configuration, http by its proxy',
    ])
      expect(text).toContain(part)
  })
})
