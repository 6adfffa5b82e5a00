// Every bad input has a code and a place; nothing is repaired, nothing is silently dropped, nothing throws.
import { readFileSync } from 'node:fs'
import { METHODS } from 'node:http'
import { describe, expect, it } from 'vitest'
import { issueText } from '../../../src/policy-file/issue.ts'
import { issueSpots, loadTexts } from '../../support/policy-text.ts'

const HEAD = 'apiVersion: postern/v1\nroute: app\nhosts: [app.example.com]\n'
/** Line 4 and on. */
const route = (more: string): string =>
  `${HEAD}${more}\nsections:\n- {path: /, allow: [{id: view, groups: [eng]}]}\n`
/** The rule stands in line 7 from column 5. */
const allow = (rule: string, head = HEAD): string => `${head}sections:\n- path: /\n  allow:\n  - ${rule}\n`
/** The rule stands in line 7 from column 5. */
const deny = (rule: string): string => `${HEAD}sections:\n- path: /\n  deny:\n  - ${rule}\n  allow: []\n`
/** Two sections, in lines 5 and 6. */
const sections = (...lines: readonly string[]): string =>
  `${HEAD}sections:\n${lines.map((line) => `- ${line}\n`).join('')}`
/** The test stands in line 7 from column 3. */
const test = (line: string, head = HEAD): string =>
  `${head}sections:\n- {path: /, allow: [{id: view, groups: [eng]}]}\ntests:\n- ${line}\n`
const ACCOUNTS = HEAD.replace('hosts:', 'accepts: [session, service-account]\nhosts:')
const BOTH = HEAD.replace('hosts:', 'accepts: [session, bearer]\nhosts:')

interface Bad {
  readonly name: string
  readonly text: string
  readonly spots: readonly string[]
}

const table = (rows: readonly (readonly [string, string, ...string[]])[]): readonly Bad[] =>
  rows.map(([name, text, ...spots]) => ({ name, text, spots }))

const refuses = (rows: readonly Bad[]): void => {
  it.each(rows)('$name', ({ text, spots }) => {
    expect(issueSpots(loadTexts({ 'app.yaml': text }))).toEqual(spots)
  })
}

describe('YAML that two readers read in two ways is refused', () => {
  refuses(
    table([
      ['an empty file', '', 'E16 1:1'],
      ['a comment alone', '# nothing\n', 'E16 1:1'],
      ['a list', '- a\n', 'E16 1:1'],
      ['a word', 'policy\n', 'E16 1:1'],
      ['a byte order mark', `\uFEFF${allow('{id: a, groups: [b]}')}`, 'E15 1:1'],
      ['a tab as indentation', `${HEAD}sections:\n-\tpath: /\n`, 'E15 5:2'],
      ['a tab in a comment', `${HEAD}# a\tb\n`, 'E15 4:4'],
      ['an invisible character', allow('{id: a, groups: ["s\u200bre"]}'), 'E15 7:24'],
      ['a character that reorders text', allow('{id: a, why: "\u202ex", groups: [b]}'), 'E15 7:19'],
      ['a control character', allow('{id: a, groups: ["\u0007"]}'), 'E15 7:23'],
      ['a carriage return alone', 'apiVersion: postern/v1\rroute: app\n', 'E15 1:23'],
      ['two documents', `${allow('{id: a, groups: [b]}')}---\nroute: other\n`, 'E15 8:1'],
      ['a second document that is empty', `${allow('{id: a, groups: [b]}')}---\n`, 'E15 8:1'],
      ['a directive', `%YAML 1.1\n---\n${HEAD}`, 'E15 1:1'],
      ['a duplicate key', `${HEAD}route: other\nsections: [{path: /, allow: []}]\n`, 'E01 4:1'],
      ['a duplicate key deep inside', allow('{id: a, groups: [b], groups: [c]}'), 'E01 7:26'],
      ['a duplicate claim', allow('{id: a, claims: {dept: x, dept: y}}'), 'E01 7:31'],
      ['an anchor', allow('{id: a, groups: &g [b]}'), 'E15 7:24'],
      ['an alias', allow('{id: a, groups: [*g]}'), 'E15 7:22'],
      ['a merge key', allow('{<<: {groups: [b]}, id: a}'), 'E15 7:6'],
      ['a tag', allow('{id: a, groups: [!!str 1]}'), 'E15 7:28'],
      ['a tag of its own', allow('{id: !secret a, groups: [b]}'), 'E15 7:18'],
      [
        'a wildcard host without quotes',
        allow('{id: a, groups: [b]}', HEAD.replace('app.ex', '*.ex')),
        'E15 3:9',
      ],
      ['a bare star', allow('{id: a, groups: [b]}', HEAD.replace('app.example.com', '*')), 'E15 3:9'],
      ['the key __proto__', allow('{id: a, claims: {__proto__: x}}'), 'E15 7:22'],
      ['a bracket that is not closed', `${HEAD}sections: [{path: /`, 'E15 4:19'],
      ['a quote that is not closed', `${HEAD}owner: "team`, 'E15 4:12'],
      ['two keys on one line', `${HEAD}owner: a route: b\n`, 'E15 4:8'],
      ['a list as a key', `${HEAD}? [a]\n: b\n`, 'E15 4:3'],
    ]),
  )

  // A deny that names a group with one of these would never hit, and nobody would see why.
  it.each([
    ['a no-break space', '\u00a0'],
    ['a wide space', '\u3000'],
    ['an Arabic letter mark', '\u061c'],
    ['a Mongolian vowel separator', '\u180e'],
    ['a grapheme joiner', '\u034f'],
    ['a filler', '\u3164'],
    ['a variation selector', '\ufe0f'],
    ['a variation selector beyond the first plane', '\u{e0100}'],
    ['a tag character', '\u{e0041}'],
    ['a blank pattern of Braille', '\u2800'],
  ])('%s in a value or in a name', (_, hidden) => {
    const place = [expect.stringMatching(/^E15 7:2[1-5]$/)]
    expect(issueSpots(loadTexts({ 'app.yaml': deny(`{id: a, groups: [s${hidden}re]}`) }))).toEqual(place)
    expect(issueSpots(loadTexts({ 'app.yaml': deny(`{id: a, claims: {s${hidden}re: x}}`) }))).toEqual(place)
  })

  it('an invisible character in a comment, unless it is one that people write there', () => {
    const remark = (text: string): readonly string[] =>
      issueSpots(loadTexts({ 'app.yaml': `# s${text}re\n${deny('{id: a, groups: [sre]}')}` }))
    for (const character of ['\u00a0', '\u3000', '\ufe0f']) expect(remark(character)).toEqual(['loaded'])
    expect(remark('\u061c')).toEqual(['E15 1:4'])
  })

  it('an invisible character that is written as an escape', () => {
    for (const escape of [String.raw`\u00a0`, String.raw`\u200b`, String.raw`\U000E0041`, String.raw`\x07`]) {
      const text = deny(`{id: a, groups: ["sre${escape}"]}`)
      expect(issueSpots(loadTexts({ 'app.yaml': text }))).toEqual(['E15 7:22'])
    }
    expect(issueSpots(loadTexts({ 'app.yaml': deny(String.raw`{id: a, groups: ["sr\u0065"]}`) }))).toEqual([
      'loaded',
    ])
  })

  it('an alias bomb, quickly', () => {
    const bomb = [
      'a: &a [x]',
      ...'bcdefghijk'
        .split('')
        .map((name, index) => `${name}: &${name} [${`*${'abcdefghij'[index]},`.repeat(9)}]`),
    ]
    expect(issueSpots(loadTexts({ 'app.yaml': `${bomb.join('\n')}\n` }))[0]).toBe('E15 1:7')
  })

  it('brackets without end', () => {
    // Where the parser's stack ends, and how many complaints that makes, differs from run to run.
    const spots = issueSpots(loadTexts({ 'app.yaml': `a: ${'['.repeat(100_000)}` }))
    expect(spots.filter((spot) => !spot.startsWith('E15 1:'))).toEqual([])
    expect(spots).not.toEqual([])
    expect(issueSpots(loadTexts({ 'app.yaml': `a: ${'['.repeat(30)}${']'.repeat(30)}\n` }))).toContain(
      'E15 1:28',
    )
  })

  it('a file over 1 MiB, unread', () => {
    expect(issueSpots(loadTexts({ 'app.yaml': `# ${'x'.repeat(1_048_576)}` }))).toEqual(['E15 0:0'])
  })

  it('bytes that are not UTF-8, at their place', () => {
    const bytes = new Uint8Array([...new TextEncoder().encode(`${HEAD}owner: "caf`), 0xe9, 0x22, 0x0a])
    expect(issueSpots(loadTexts({ 'app.yaml': bytes }))).toEqual(['E15 4:12'])
  })
})

describe('keys and values are exactly those of the language', () => {
  refuses(
    table([
      ['an unknown route key', route('hsts: [a]'), 'E01 4:1'],
      [
        'another language altogether',
        'rules:\n- allow: all\n',
        'E01 1:1',
        'E16 1:1',
        'E16 1:1',
        'E16 1:1',
        'E16 1:1',
      ],
      ['an unknown section key', sections('{path: /, allow: [], alow: []}'), 'E01 5:24'],
      ['an unknown rule key', allow('{id: a, groups: [b], grops: [c]}'), 'E01 7:26'],
      ['an unknown test key', test('{as: anonymous, get: /, expects: deny}'), 'E16 7:4', 'E01 7:27'],
      ['an unknown subject of a test', test('{as: {grops: [b]}, get: /, expect: deny}'), 'E01 7:9'],
      [
        'a claim that looks like a rule key is one',
        allow('{id: a, claims: {anyone: true}, extra: 1}'),
        'E01 7:37',
      ],
      ['another version', allow('{id: a, groups: [b]}', HEAD.replace('v1', 'v2')), 'E16 1:13'],
      ['no version', allow('{id: a, groups: [b]}', HEAD.replace(/^.*\n/, '')), 'E16 1:1'],
      ['no hosts', 'apiVersion: postern/v1\nroute: app\nsections: [{path: /, allow: []}]\n', 'E16 1:1'],
      [
        'an empty list of hosts',
        allow('{id: a, groups: [b]}', HEAD.replace('app.example.com', '')),
        'E16 3:8',
      ],
      [
        'a host that is no list',
        allow('{id: a, groups: [b]}', HEAD.replace('[app.example.com]', 'app.example.com')),
        'E16 3:8',
      ],
      ['no sections', HEAD, 'E16 1:1'],
      ['a section without allow', sections('{path: /}'), 'E16 5:4'],
      ['allow: NO', sections('{path: /, allow: NO}'), 'E16 5:20'],
      ['allow: nothing', sections('{path: /, allow: }'), 'E16 5:20'],
      ['an empty deny', sections('{path: /, deny: [], allow: []}'), 'E16 5:19'],
      ['exact: false', sections('{path: /, exact: false, allow: []}'), 'E16 5:20'],
      ['exact: yes', sections('{path: /, exact: yes, allow: []}'), 'E16 5:20'],
      ['a flag that is False', allow('{id: a, anyone: False}'), 'E16 7:21'],
      ['an empty list of groups', allow('{id: a, groups: []}'), 'E16 7:21'],
      ['a group 1.10', allow('{id: a, groups: [1.10]}'), 'E16 7:22'],
      ['a group NO', allow('{id: a, groups: [NO]}'), 'E16 7:22'],
      ['a group that is a date', allow('{id: a, groups: [2027-01-31]}'), 'E16 7:22'],
      ['a group that is a time', allow('{id: a, groups: [12:30]}'), 'E16 7:22'],
      ['a group that is nothing', allow('{id: a, groups: [~]}'), 'E16 7:22'],
      ['a group that is a mapping', allow('{id: a, groups: [{b: c}]}'), 'E16 7:23'],
      ['groups as text', allow('{id: a, groups: b}'), 'E16 7:21'],
      ['a claim 010', allow('{id: a, claims: {level: 010}}'), 'E16 7:29'],
      ['a claim 0x10', allow('{id: a, claims: {level: 0x10}}'), 'E16 7:29'],
      ['a claim 1e3', allow('{id: a, claims: {level: 1e3}}'), 'E16 7:29'],
      ['a claim 1_000', allow('{id: a, claims: {level: 1_000}}'), 'E16 7:29'],
      ['a claim 1.10', allow('{id: a, claims: {level: 1.10}}'), 'E16 7:29'],
      ['a claim .inf', allow('{id: a, claims: {level: .inf}}'), 'E16 7:29'],
      ['a claim beyond safe integers', allow('{id: a, claims: {level: 90071992547409931}}'), 'E16 7:29'],
      ['a claim that is an object', allow('{id: a, claims: {address: {city: x}}}'), 'E16 7:32'],
      ['an empty list of claim values', allow('{id: a, claims: {dept: []}}'), 'E16 7:28'],
      ['an id that a token carries as text', allow('{id: a, claims: {repository_id: 4711}}'), 'E16 7:13'],
      ['a group with a space before it', deny('{id: a, groups: [" b"]}'), 'E16 7:22'],
      ['a group with a space behind it', deny('{id: a, all_groups: ["b "]}'), 'E16 7:26'],
      ['a claim with a space behind it', deny('{id: a, claims: {dept: "b "}}'), 'E16 7:28'],
      ['a claim of two lines', deny(String.raw`{id: a, claims: {dept: ["b\nc"]}}`), 'E16 7:29'],
      ['a user with a space behind it', deny('{id: a, users: ["corp|1 "]}'), 'E16 7:21'],
      ['an address with a space behind it', deny('{id: a, emails: ["a@x.org "]}'), 'E16 7:22'],
      ['a domain with a space behind it', deny('{id: a, email_domains: ["x.org "]}'), 'E16 7:29'],
      ['a method that nobody sends', deny('{id: a, methods: [GTE]}'), 'E16 7:23'],
      ['a lower-case method', allow('{id: a, groups: [b], methods: [get]}'), 'E16 7:36'],
      ['a method that is no list', allow('{id: a, groups: [b], methods: GET}'), 'E16 7:35'],
      ['an upper-case id', allow('{id: View, groups: [b]}'), 'E16 7:10'],
      ['a rule without id', allow('{groups: [b]}'), 'E16 7:6'],
      ['an until that no calendar has', allow('{id: a, groups: [b], until: 2027-02-30}'), 'E16 7:33'],
      ['an until without offset', allow('{id: a, groups: [b], until: 2027-02-03T10:00:00}'), 'E16 7:33'],
      ['an age without unit', allow('{id: a, groups: [b], auth_age: 30}'), 'E16 7:36'],
      ['an age of nothing', allow('{id: a, groups: [b], auth_age: 0m}'), 'E16 7:36'],
      ['an address without domain', allow('{id: a, emails: [anna]}'), 'E16 7:22'],
      ['a domain with @', allow('{id: a, email_domains: ["@example.com"]}'), 'E16 7:29'],
      ['a domain with a star', allow('{id: a, email_domains: ["*.example.com"]}'), 'E16 7:29'],
      ['a user without provider', allow('{id: a, users: [anna]}'), 'E16 7:21'],
      ['an unknown kind', route('accepts: [session, cookie]'), 'E16 4:20'],
      ['an unknown preset', route('identity: grafna'), 'E16 4:11'],
      ['an unknown name of a header', route('identity: {usr: X-User}'), 'E01 4:12'],
      ['an unknown sign-in mode', route('signin: always'), 'E16 4:9'],
      ['an expectation in other words', test('{as: anonymous, get: /, expect: forbid}'), 'E16 7:35'],
      ['a caller in other words', test('{as: somebody, get: /, expect: deny}'), 'E16 7:8'],
    ]),
  )

  it('knows every method that a proxy can hand on, and says which one was probably meant', () => {
    for (const method of [...METHODS, 'WEBSOCKET'])
      expect(issueSpots(loadTexts({ 'app.yaml': deny(`{id: a, methods: [${method}]}`) }))).toEqual(['loaded'])
    const load = loadTexts({ 'app.yaml': deny('{id: a, methods: [DELTE]}') })
    expect(load.kind === 'refused' && load.issues[0]?.why).toBe(
      'it is the text `DELTE` (did you mean `DELETE`?)',
    )
  })

  it('says what was probably meant', () => {
    const load = loadTexts({ 'app.yaml': allow('{id: a, grops: [sre]}') })
    const [issue] = load.kind === 'refused' ? load.issues : []
    expect(issueText(issue!, allow('{id: a, grops: [sre]}')).split('\n')).toEqual([
      'app.yaml:7:13: error E01: unknown key `grops` (did you mean `groups`?)',
      '7 |   - {id: a, grops: [sre]}',
      '  |             ^^^^^',
      '  why: a key that nobody reads would change nothing, and nobody would notice',
      expect.stringMatching(/^ {2}mend: known here: id, users, /),
    ])
  })
})

describe('patterns mean one thing on every reading of a path', () => {
  refuses(
    table([
      ['a path without a slash', sections('{path: docs, allow: []}'), 'E16 5:10'],
      ['a section with /**', sections('{path: /docs/**, allow: []}'), 'E20 5:10'],
      ['a section with a query', sections('{path: "/docs?x", allow: []}'), 'E20 5:10'],
      ['a section with an escape', sections('{path: /docs%20x, allow: []}'), 'E20 5:10'],
      ['a section with dots', sections('{path: /docs/../x, allow: []}'), 'E20 5:10'],
      ['a section with two slashes', sections('{path: //docs, allow: []}'), 'E20 5:10'],
      ['a section with a semicolon', sections('{path: "/docs;v=1", allow: []}'), 'E20 5:10'],
      ['a section with a backslash', sections("{path: '/docs\\x', allow: []}"), 'E20 5:10'],
      ['a section beyond ASCII', sections('{path: /döcs, allow: []}'), 'E20 5:10'],
      ['a star inside a segment', sections('{path: /doc*, allow: []}'), 'E20 5:10'],
      ['a regular expression', sections('{path: "/(a+)+$", allow: []}'), 'loaded'],
      ['a character class', sections('{path: "/[a-z]", allow: []}'), 'E20 5:10'],
      [
        'two sections of one path',
        sections('{path: /docs, allow: []}', '{path: /docs, allow: []}'),
        'E20 6:10',
      ],
      [
        'two sections equal but for case',
        sections('{path: /docs, allow: []}', '{path: /Docs/, allow: []}'),
        'E20 6:10',
      ],
      [
        'a section beside its exact twin',
        sections('{path: /docs, allow: []}', '{path: /docs, exact: true, allow: []}'),
        'loaded',
      ],
      [
        'a rule path outside its section',
        sections('{path: /a, allow: [{id: x, groups: [b], paths: [/b]}]}'),
        'E20 5:51',
      ],
      [
        'a rule path beside its section',
        sections('{path: /a, allow: [{id: x, groups: [b], paths: [/ab]}]}'),
        'E20 5:51',
      ],
      [
        'a rule path below an exact section',
        sections('{path: /a, exact: true, allow: [{id: x, groups: [b], paths: [/a/b]}]}'),
        'E20 5:64',
      ],
      [
        'everything below an exact section',
        sections('{path: /a, exact: true, allow: [{id: x, groups: [b], paths: [/a/**]}]}'),
        'E20 5:64',
      ],
      ['two rule paths equal after folding', allow('{id: a, groups: [b], paths: [/x, /X/]}'), 'E20 7:38'],
      ['a double star in the middle', allow('{id: a, groups: [b], paths: [/x/**/y]}'), 'E20 7:34'],
      ['a host with a port', route('').replace('app.example.com', '"app.example.com:443"'), 'E20 3:9'],
      ['a host with a scheme', route('').replace('app.example.com', '"https://app.example.com"'), 'E20 3:9'],
      ['a host with a path', route('').replace('app.example.com', 'app.example.com/x'), 'E20 3:9'],
      ['a host with upper case', route('').replace('app.example.com', 'App.example.com'), 'E20 3:9'],
      ['a host beyond ASCII', route('').replace('app.example.com', 'bücher.example'), 'E20 3:9'],
      [
        'a star in the middle of a host',
        route('').replace('app.example.com', '"a.*.example.com"'),
        'E20 3:9',
      ],
      ['a star inside a label', route('').replace('app.example.com', '"a*.example.com"'), 'E20 3:9'],
      ['two stars', route('').replace('app.example.com', '"*.*.example.com"'), 'E20 3:9'],
      [
        'one host twice',
        route('').replace('app.example.com', 'app.example.com, app.example.com.'),
        'E20 3:26',
      ],
      ['an origin with a path', route('origins: ["https://app.example.com/"]'), 'E16 4:11'],
      ['an origin with its default port', route('origins: ["https://app.example.com:443"]'), 'E16 4:11'],
      ['an origin without scheme', route('origins: [app.example.com]'), 'E16 4:11'],
    ]),
  )
})

describe('laws of the language', () => {
  refuses(
    table([
      ['strict audit of which not every line is written', route('log: changes\naudit: strict'), 'E17 4:6'],
      ['strict audit with every line, which is no fault', route('log: all\naudit: strict'), 'loaded'],
      ['an allow without subject', allow('{id: a, methods: [GET]}'), 'E17 7:6'],
      ['an allow with a qualifier alone', allow('{id: a, mfa: true}'), 'E17 7:6'],
      ['an allow with a kind alone', allow('{id: a, cred: [session]}'), 'E17 7:6'],
      ['mfa in a deny', deny('{id: a, groups: [b], mfa: true}'), 'E17 7:26'],
      ['amr in a deny', deny('{id: a, amr: [otp]}'), 'E17 7:13'],
      ['acr in a deny', deny('{id: a, acr: [gold]}'), 'E17 7:13'],
      ['auth_age in a deny', deny('{id: a, auth_age: 1h}'), 'E17 7:13'],
      ['until in a deny', deny('{id: a, groups: [b], until: 2027-01-31}'), 'E17 7:26'],
      [
        'one id twice in a section',
        sections('{path: /, allow: [{id: a, groups: [b]}, {id: a, groups: [c]}]}'),
        'E17 5:48',
      ],
      [
        'one id in two sections, which is no fault',
        sections('{path: /, allow: [{id: a, groups: [b]}]}', '{path: /x, allow: [{id: a, groups: [c]}]}'),
        'loaded',
      ],
      [
        'one id in deny and allow',
        sections('{path: /, deny: [{id: a, groups: [b]}], allow: [{id: a, groups: [c]}]}'),
        'E17 5:56',
      ],
      ['anyone without why and end', allow('{id: a, anyone: true}'), 'E08 7:13', 'E08 7:13'],
      ['anyone without end', allow('{id: a, anyone: true, why: "x"}'), 'E08 7:13'],
      ['anyone without why', allow('{id: a, anyone: true, until: 2027-01-31}'), 'E08 7:13'],
      [
        'anyone with groups',
        allow('{id: a, anyone: true, groups: [b], why: "x", until: 2027-01-31}'),
        'E17 7:27',
      ],
      [
        'anyone with a second factor',
        allow('{id: a, anyone: true, mfa: true, why: "x", until: 2027-01-31}'),
        'E17 7:27',
      ],
      ['a preflight with groups', allow('{id: a, preflight: true, groups: [b]}'), 'E17 7:30'],
      ['a review without anyone', allow('{id: a, groups: [b], review: 2027-01-31}'), 'E17 7:26'],
      ['networks without why and end', allow('{id: a, from_networks: [10.0.0.0/8]}'), 'E07 7:13', 'E07 7:13'],
      [
        'networks without end',
        allow('{id: a, from_networks: [10.0.0.0/8], why: "x", groups: [b]}'),
        'E07 7:13',
      ],
      ['networks without why in a deny', deny('{id: a, from_networks: [10.0.0.0/8]}'), 'E07 7:13'],
      [
        'a network with bits beyond its prefix',
        deny('{id: a, from_networks: [10.0.0.1/8], why: "x"}'),
        'E05 7:29',
      ],
      ['a network that nobody knows', deny('{id: a, from_networks: [vpn], why: "x"}'), 'E05 7:29'],
      ['an address with leading zeros', deny('{id: a, from_networks: [010.0.0.1], why: "x"}'), 'E05 7:29'],
      ['clients on a route of sessions', allow('{id: a, clients: [ci|deploy]}'), 'E19 7:13'],
      ['service accounts on a route of sessions', allow('{id: a, service_accounts: [ns/name]}'), 'E19 7:13'],
      [
        'service accounts in a deny of such a route',
        deny('{id: a, service_accounts: [ns/name]}'),
        'E19 7:13',
      ],
      [
        'service accounts on a route of bearer tokens',
        allow('{id: a, service_accounts: [ns/name]}', BOTH),
        'E19 8:13',
      ],
      [
        'service accounts in a section that takes people alone',
        `${ACCOUNTS}sections:\n- path: /\n  accepts: [session]\n  allow:\n  - {id: a, service_accounts: [ns/name]}\n`,
        'E19 9:13',
      ],
      [
        'people on a route of service accounts',
        allow('{id: a, authenticated: true}', ACCOUNTS.replace('session, ', '')),
        'E19 8:13',
      ],
      ['a kind that is not accepted', allow('{id: a, groups: [b], cred: [bearer]}'), 'E19 7:26'],
      [
        'a second factor on a route of tokens that are accepted',
        allow('{id: a, clients: [ci|x]}', HEAD.replace('hosts:', 'accepts: [bearer]\nhosts:')),
        'loaded',
      ],
      ['a claim with a key of its own', allow('{id: a, claims: {groups: [b]}}'), 'E17 7:13'],
      ['the address as a bare claim', allow('{id: a, claims: {email: anna@example.com}}'), 'E17 7:13'],
      [
        'basic behind a redirect for every 401',
        route('accepts: [session, basic]\nsignin: all-401'),
        'E18 4:20',
        'E17 5:9',
      ],
      ['an identity in Authorization', route('identity: {user: Authorization}'), 'E17 4:12'],
      ['an identity in Host', route('identity: {claims: {Host: dept}}'), 'E17 4:12'],
      ['an identity in a header of the proxy', route('identity: {user: X-Forwarded-For}'), 'E17 4:12'],
      ['one header twice', route('identity: {user: X-User, email: x-user}'), 'E17 4:12'],
    ]),
  )
})

describe('what is not built yet is said, never skipped', () => {
  refuses(
    table([
      ...(['api_keys', 'basic_users', 'spiffe'] as const).map(
        (key) => [key, allow(`{id: a, ${key}: [x]}`), 'E18 7:13'] as const,
      ),
      ['github', allow('{id: a, github: {repository_id: "4711"}}'), 'E18 7:13'],
      ['gitlab beside groups', allow('{id: a, groups: [b], gitlab: {project_id: "1"}}'), 'E18 7:26'],
      ['when', allow('{id: a, groups: [b], when: "true"}'), 'E18 7:26'],
      ['when in a deny', deny('{id: a, when: "true"}'), 'E18 7:13'],
      ...(['api-key', 'basic', 'client-certificate'] as const).map(
        (kind) => [`accepts ${kind}`, route(`accepts: [session, ${kind}]`), 'E18 4:20'] as const,
      ),
      ['a section that accepts basic', sections('{path: /, allow: [], accepts: [basic]}'), 'E18 5:34'],
      ['a caller of a test', test('{as: {api_keys: [x]}, get: /, expect: deny}'), 'E18 7:9'],
    ]),
  )
})

describe('a test asks one thing of one caller', () => {
  refuses(
    table([
      ['no request', test('{as: anonymous, expect: deny}'), 'E17 7:4'],
      ['two requests', test('{as: anonymous, get: /, post: /, expect: deny}'), 'E17 7:27'],
      ['a path without a slash', test('{as: anonymous, get: docs, expect: deny}'), 'E16 7:24'],
      ['a caller about whom nothing is said', test('{as: {}, get: /, expect: deny}'), 'E17 7:4'],
      ['two people in one', test('{as: {emails: [a@x.org, b@x.org]}, get: /, expect: deny}'), 'E17 7:9'],
      [
        'a person who is a client',
        test('{as: {users: [a|b], clients: [c|d]}, get: /, expect: deny}', BOTH).replace(
          '[session, bearer]',
          '[bearer]',
        ),
        'E17 8:23',
      ],
      [
        'an address and its domain',
        test('{as: {emails: [a@x.org], email_domains: [x.org]}, get: /, expect: deny}'),
        'E17 7:28',
      ],
      [
        'a service account that is a person',
        test('{as: {service_accounts: [a/b], authenticated: true}, get: /, expect: deny}'),
        'E17 7:34',
      ],
      [
        'a service account that is a client',
        test('{as: {service_accounts: [a/b], clients: [c|d]}, get: /, expect: deny}'),
        'E17 7:34',
      ],
      [
        'a service account that signed in',
        test('{as: {cred: service-account, amr: [pwd]}, get: /, expect: deny}'),
        'E17 7:32',
      ],
      [
        'a service account with a session',
        test('{as: {service_accounts: [a/b], cred: session}, get: /, expect: deny}'),
        'E17 7:34',
      ],
      [
        'two service accounts in one',
        test('{as: {service_accounts: [a/b, a/c]}, get: /, expect: deny}'),
        'E17 7:9',
      ],
      [
        'a service account without its namespace',
        test('{as: {service_accounts: [grafana]}, get: /, expect: deny}'),
        'E16 7:28',
      ],
      ['groups as a bare claim', test('{as: {claims: {groups: [a]}}, get: /, expect: deny}'), 'E17 7:9'],
      ['an address that is none', test('{as: {ip: 10.0.0.256}, get: /, expect: deny}'), 'E17 7:9'],
      [
        'a host of another route',
        test('{as: anonymous, get: /, host: other.example.com, expect: deny}'),
        'E17 7:33',
      ],
      [
        'a wildcard route without host',
        test('{as: anonymous, get: /, expect: deny}', HEAD.replace('app.example.com', '"*.example.com"')),
        'E17 7:4',
      ],
      [
        'a preflight that is no OPTIONS',
        test('{as: anonymous, get: /, preflight: true, expect: deny}'),
        'E17 7:27',
      ],
      [
        'an origin without a handshake',
        test('{as: anonymous, get: /, origin: "https://x", expect: deny}'),
        'E17 7:27',
      ],
    ]),
  )
})

describe('the directory', () => {
  const POLICY = allow('{id: a, groups: [b]}')
  it.each([
    ['an unknown key', 'group: [a]\n', 'E01 1:1'],
    ['a network that is none', 'networks: {vpn: [10.8.0.1/16]}\n', 'E16 1:18'],
    ['an empty network', 'networks: {vpn: []}\n', 'E16 1:17'],
    ['a machine without owner', 'machines: {ci: {expires: 2027-01-31}}\n', 'E16 1:17'],
    ['a duplicate label', 'networks: {vpn: [10.8.0.0/16], vpn: [10.9.0.0/16]}\n', 'E01 1:32'],
  ])('refuses %s', (_, text, spot) => {
    expect(issueSpots(loadTexts({ 'app.yaml': POLICY, 'directory.yaml': text }))).toEqual([spot])
  })
})

describe('a file cut off anywhere', () => {
  it.each(['grafana', 'gitlab', 'internal-api', 'directory'])(
    'loads or is refused, and never throws: %s',
    (name) => {
      const bytes = readFileSync(`policies/${name}.yaml`)
      const whole = { 'app.yaml': allow('{id: a, groups: [b]}'), [`${name}.yaml`]: bytes }
      expect(loadTexts(whole).kind).toBe('loaded')
      // A prime, so that cuts fall into every part of a line and not into the same one of each.
      const step = name === 'directory' ? 1 : 17
      for (let end = 0; end < bytes.length; end += step) {
        const load = loadTexts({ ...whole, [`${name}.yaml`]: bytes.subarray(0, end) })
        // A refusal always says where.
        if (load.kind === 'refused')
          expect(load.issues.every((issue) => issue.what !== '' && issue.mend !== '')).toBe(true)
      }
    },
  )
})
