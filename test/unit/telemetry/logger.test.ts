// What the service says about itself: enough to find a fault, and no secret even where an error carries one.
import { describe, expect, it } from 'vitest'
import { withoutCredentials } from '../../../src/telemetry/credential-net.ts'
import { errorFields, makeLogger, type Level, type Logger } from '../../../src/telemetry/logger.ts'
import { terminalLine } from '../../../src/telemetry/terminal-line.ts'
import { Secret } from '../../../src/policy/secret.ts'

const PLANTED = 'pst_ci-bot_PLANTEDSECRETPLANTEDSECRET'

const logged = (say: (log: Logger) => void, level: Level = 'info'): string => {
  const lines: string[] = []
  say(makeLogger(level, { write: (line) => lines.push(line) }))
  return lines.join('')
}

const errorOf = (run: () => unknown): unknown => {
  try {
    run()
  } catch (error) {
    return error
  }
  throw new Error('it did not throw')
}

describe('the service log', () => {
  it('is one line of JSON with level, time and message', () => {
    const line = logged((log) => log.info({ port: 4181, text: 'two\nlines' }, 'listening'))
    expect(line.trimEnd().split('\n')).toHaveLength(1)
    expect(JSON.parse(line)).toMatchObject({
      level: 'info',
      msg: 'listening',
      port: 4181,
      text: 'two\nlines',
    })
    expect(JSON.parse(line).time).toMatch(/^\d{4}-\d\d-\d\dT/)
  })

  it.each<[Level, number]>([
    ['info', 3],
    ['warn', 2],
    ['error', 1],
    ['silent', 0],
  ])('at level %s writes %i of three lines', (level, count) => {
    const text = logged((log) => {
      log.info({}, 'a')
      log.warn({}, 'b')
      log.error(new Error('c'), 'c')
    }, level)
    expect(text.split('\n').filter((line) => line !== '')).toHaveLength(count)
  })

  it('writes an error by name, code and message, without what it carries', () => {
    const cause = Object.assign(new Error(PLANTED), { code: 'ECONNRESET', headers: { cookie: PLANTED } })
    const error = Object.assign(new Error('connect failed', { cause }), {
      code: 'ECONNREFUSED',
      request: PLANTED,
    })
    const line = logged((log) => log.error(error, 'discovery failed', { provider: 'corp' }))
    expect(JSON.parse(line)).toMatchObject({
      level: 'error',
      msg: 'discovery failed',
      provider: 'corp',
      error: 'Error',
      code: 'ECONNREFUSED',
      cause: 'ECONNRESET',
      detail: 'connect failed',
      at: expect.stringMatching(/^at .*logger\.test\.ts/),
    })
    expect(line).not.toContain('PLANTED')
  })

  it.each<[string, () => unknown]>([
    ['JSON that cannot be read', () => errorOf(() => JSON.parse(`hunter2PLANTED`))],
    [
      'a URL that cannot be fetched',
      () => new TypeError(`Failed to parse URL from https://a.example.com/cb?code=PLANTED&state=PLANTED`),
    ],
    ['a URL with a password', () => new Error('cannot reach redis://:PLANTED@r.example.com')],
    ['a header', () => new Error(`invalid header Authorization: Bearer PLANTED`)],
    ['a token', () => new Error(`no such key: ${PLANTED}`)],
    ['a message of several lines', () => new SyntaxError('first\nPLANTED\nPLANTED')],
    ['something that is no error', () => PLANTED],
    ['a secret', () => new Secret(PLANTED)],
  ])('does not repeat %s', (_, make) => {
    const line = logged((log) => log.error(make(), 'failed', { key: new Secret(PLANTED) }))
    expect(line).not.toContain('PLANTED')
    expect(JSON.parse(line)).toMatchObject({ msg: 'failed', key: '[secret]' })
  })
})

describe('the net', () => {
  it.each([
    'connect ECONNREFUSED 127.0.0.1:443',
    "ENOENT: no such file or directory, open '/etc/postern/session.key'",
    'unexpected "iss" (issuer) response parameter value',
  ])('lets through what helps: %s', (text) => {
    expect(withoutCredentials(text)).toBe(text)
  })
})

describe('an error without a stack', () => {
  it('has no place', () => {
    const error = new Error('x')
    delete error.stack
    expect(errorFields(error)['at']).toBeUndefined()
  })
})

describe('a line for a terminal', () => {
  it('is readable and cannot move the cursor', () => {
    const json = logged((log) => log.warn({ route: 'grafana', why: '\u001b[2J\u202e' }, 'skipped'))
    expect(terminalLine(json)).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} warn {2}skipped {2}route=grafana {2}why=\\u001b\[2J/,
    )
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    expect(terminalLine(json).slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/)
  })

  it('is what it was where it is no JSON', () => {
    expect(terminalLine('plain\n')).toBe('plain\n')
  })
})
