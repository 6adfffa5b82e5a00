// The chain of the decision log as a service writes it and `postern audit verify` reads it: through rotation, a restart
// and kill -9 it is whole or torn, and any change of it is named.
import { generateKeyPairSync } from 'node:crypto'
import { appendFile, readdir, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { startPosternProcess, runPostern, type PosternProcess } from '../support/postern-process.ts'
import { askNginx, startService, until, type Question } from '../support/running-service.ts'
import { makeServiceFolder, type ServiceFolder } from '../support/service-folder.ts'

const POLICY = `apiVersion: postern/v1
route: app
owner: team
hosts: [app.example.com]
sections:
- path: /
  allow: [{id: dev, groups: [dev]}]
`
const LOG = 'decisions.ndjson'

const ending: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ending.splice(0).toReversed()) await end()
})

const { privateKey, publicKey } = generateKeyPairSync('ed25519', {
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
})

const makeFolder = async (audit: Readonly<Record<string, unknown>> = {}): Promise<ServiceFolder> => {
  const service = await makeServiceFolder({
    policies: { 'app.yaml': POLICY },
    files: { 'audit.pem': privateKey, 'audit.pub': publicKey },
    settings: {
      audit: { sink: { file: LOG }, chain: { key: { file: 'audit.pem' } }, ...audit },
    },
  })
  ending.push(service.remove)
  return service
}

const start = async (service: ServiceFolder): Promise<PosternProcess> => {
  const child = await startPosternProcess(service.configFile)
  ending.push(async () => {
    child.signal('SIGKILL')
    await child.ended
  })
  return child
}

const ask = async (service: ServiceFolder, question: Question = {}): Promise<number> =>
  (
    await askNginx(service, 'https://app.example.com/x', {
      cookie: service.cookie('ada', ['dev']),
      ...question,
    })
  ).status

/** Asks from several sides until it is told to stop, whatever the answers are. */
const load = (
  service: ServiceFolder,
): { readonly answered: () => number; readonly stop: () => Promise<void> } => {
  const asking = { on: true }
  let answered = 0
  const cookie = service.cookie('ada', ['dev'])
  const worker = async (): Promise<void> => {
    while (asking.on) {
      await ask(service, { cookie }).then(
        () => (answered += 1),
        () => undefined,
      )
    }
  }
  const workers = Array.from({ length: 8 }, worker)
  return {
    answered: () => answered,
    stop: async () => {
      asking.on = false
      await Promise.all(workers)
    },
  }
}

const files = async (service: ServiceFolder): Promise<readonly string[]> =>
  (await readdir(service.folder))
    .filter((name) => name.endsWith('.ndjson'))
    .toSorted()
    .map((name) => join(service.folder, name))

interface Report {
  readonly verdict: string
  readonly files: readonly string[]
  readonly findings: readonly { readonly kind: string; readonly what: string }[]
  readonly notes: readonly { readonly kind: string }[]
  readonly writers: readonly { readonly writer: string; readonly end: string; readonly head: string }[]
}

const verify = async (
  paths: readonly string[],
  ...options: readonly string[]
): Promise<{ readonly code: number | null; readonly report: Report }> => {
  const { code, stdout, stderr } = await runPostern(['audit', 'verify', ...paths, ...options, '-o', 'json'])
  expect(stderr).toBe('')
  return { code, report: JSON.parse(stdout) as Report }
}

const keyOf = (service: ServiceFolder): readonly string[] => ['--key', join(service.folder, 'audit.pub')]

describe('a service that is stopped', () => {
  it('leaves a log that is whole and signed to the end', async () => {
    const service = await makeFolder()
    const child = await start(service)
    expect([await ask(service), await ask(service, { method: 'POST', cookie: '' })]).toEqual([200, 401])
    child.signal('SIGTERM')
    await child.ended
    const { code, report } = await verify(await files(service), ...keyOf(service))
    expect([code, report.verdict, report.findings, report.notes]).toEqual([0, 'whole', [], []])
    expect(report.writers).toMatchObject([{ end: 'closed', checkpoints: 2 }])
    const log = await service.read(LOG)
    expect(log.match(/"type":"log.checkpoint"/g)).toHaveLength(2)
  })

  it('whose log is changed, cut or added to is found out', async () => {
    const service = await makeFolder()
    const child = await start(service)
    for (let n = 0; n < 5; n += 1) expect(await ask(service)).toBe(200)
    child.signal('SIGTERM')
    await child.ended
    const path = join(service.folder, LOG)
    const text = await service.read(LOG)
    const { report: whole } = await verify([path], ...keyOf(service))
    const changed = async (to: string, ...options: readonly string[]): Promise<readonly string[]> => {
      await writeFile(path, to)
      const { code, report } = await verify([path], ...keyOf(service), ...options)
      expect(code).toBe(1)
      return report.findings.map(({ kind }) => kind)
    }
    expect(await changed(text.replace('"decision":"allow"', '"decision":"deny"'))).toEqual(['edited'])
    expect(await changed(text.replace(/^.*"type":"decision".*\n/m, ''))).toEqual(['missing'])
    expect(await changed(`${text}{"v":1,"type":"login"}\n`)).toEqual(['foreign'])
    const lines = text.match(/.*\n/g) ?? []
    const blockAt = lines.findIndex((line) => line.includes('"block":3,'))
    const shorter = lines.slice(0, blockAt + 1).join('')
    await writeFile(path, shorter)
    const cut = await verify([path], ...keyOf(service))
    expect([cut.code, cut.report.verdict]).toEqual([0, 'not-signed'])
    expect((await verify([path])).report.verdict).toBe('whole')
    expect(await changed(shorter, '--expect', whole.writers[0]?.head ?? '')).toEqual(['cut-off'])
  })
})

describe('a service that is killed under load', () => {
  it.each([1, 2, 3])('leaves a log that is torn or whole, and never changed (%i)', async () => {
    const service = await makeFolder({ sink: { file: LOG, rotate: { size: '100KB' } } })
    const child = await start(service)
    const asking = load(service)
    await until(asking.answered, (count) => count > 300)
    child.signal('SIGKILL')
    await child.ended
    await asking.stop()
    const { code, report } = await verify(await files(service), ...keyOf(service))
    expect([code, report.findings]).toEqual([0, []])
    expect(report.writers).toMatchObject([{ end: expect.stringMatching(/^(?:torn|open)$/) }])
  })

  it('begins a new chain that names what it found, torn lines included', async () => {
    const service = await makeFolder()
    const first = await start(service)
    expect(await ask(service)).toBe(200)
    await until(
      () => service.read(LOG),
      (text) => /"type":"decision".*\n.*"type":"log.block"/.test(text),
    )
    first.signal('SIGKILL')
    await first.ended
    // What a kill in the middle of a write leaves: whole lines without the end of their block, and a part of one.
    const whole = await service.read(LOG)
    const line = whole.split('\n').find((one) => one.includes('"type":"decision"')) ?? ''
    const next = Number(/"seq":(\d+),"w":"[^"]*","hash":"[^"]*"\}\n$/.exec(whole)?.[1]) + 1
    const torn = line.replace(/"seq":\d+/, `"seq":${next}`)
    await appendFile(join(service.folder, LOG), `${torn}\n${torn.slice(0, 200)}`)
    const alone = await verify(await files(service), ...keyOf(service))
    expect([alone.code, alone.report.verdict]).toEqual([0, 'not-signed'])
    expect((await verify(await files(service))).report.verdict).toBe('torn')
    const second = await start(service)
    expect(await ask(service)).toBe(200)
    second.signal('SIGTERM')
    await second.ended
    const path = join(service.folder, LOG)
    const after = await verify([path], ...keyOf(service))
    expect([after.code, after.report.verdict, after.report.findings]).toEqual([0, 'not-signed', []])
    expect(after.report.writers.map(({ end }) => end)).toEqual(['torn', 'closed'])
    const text = await service.read(LOG)
    await writeFile(path, text.replace(`${torn}\n`, ''))
    expect((await verify([path], ...keyOf(service))).report.findings.map(({ kind }) => kind)).toEqual([
      'cut-off',
    ])
  })
})

describe('rotation', () => {
  it('by size loses nothing, proves each seam, keeps as many files as it should, and all are private', async () => {
    const service = await makeFolder({ sink: { file: LOG, rotate: { size: '100KB', keep: 2 } } })
    const child = await start(service)
    const asking = load(service)
    const name = (number: number): string => join(service.folder, `decisions.00000${number}.ndjson`)
    await until(
      () => stat(name(4)).catch(() => undefined),
      (found) => found !== undefined,
    )
    await asking.stop()
    child.signal('SIGTERM')
    await child.ended
    const all = await files(service)
    expect(all).toHaveLength(3)
    for (const file of all) expect((await stat(file)).mode & 0o777).toBe(0o600)
    // Whatever they are called by, and in whichever order they are named.
    const { code, report } = await verify(all.toReversed(), ...keyOf(service))
    expect([code, report.findings, report.files]).toEqual([0, [], all])
    expect(report.notes.map(({ kind }) => kind)).toEqual(['begins-late'])
    const without = await verify([all[0] ?? '', all[2] ?? ''], ...keyOf(service))
    expect([without.code, without.report.findings[0]?.kind]).toEqual([1, 'missing'])
  })

  it('by SIGHUP after the file was moved away proves the seam, too', async () => {
    const service = await makeFolder()
    const child = await start(service)
    expect(await ask(service)).toBe(200)
    const [path, moved] = [join(service.folder, LOG), join(service.folder, 'a-moved.ndjson')]
    await rename(path, moved)
    child.signal('SIGHUP')
    await until(
      () => stat(path).catch(() => undefined),
      (found) => found !== undefined,
    )
    expect(await ask(service)).toBe(200)
    child.signal('SIGTERM')
    await child.ended
    const { code, report } = await verify([path, moved], ...keyOf(service))
    expect([code, report.verdict, report.files]).toEqual([0, 'whole', [moved, path]])
    expect((await verify([path], ...keyOf(service))).report.notes.map(({ kind }) => kind)).toEqual([
      'begins-late',
    ])
  })
})

describe('the rest of what writes the log', () => {
  it('writes a chain of its own beside it: a session that was minted', async () => {
    const service = await makeFolder()
    const child = await start(service)
    expect(await ask(service)).toBe(200)
    const mint = ['session', 'mint', '-c', service.configFile, '--provider', 'corp', '--sub', 'ben']
    expect((await runPostern(mint)).code).toBe(0)
    expect(await ask(service)).toBe(200)
    child.signal('SIGTERM')
    await child.ended
    const { code, report } = await verify(await files(service), ...keyOf(service))
    expect([code, report.findings]).toEqual([0, []])
    expect(report.writers.map(({ end }) => end)).toEqual(['closed', 'closed'])
  })

  it('checkpoints come at each interval, by the clock that is given', async () => {
    const service = await makeFolder()
    const timers: { readonly intervalMs: number; readonly run: () => void }[] = []
    const postern = await startService(service, {
      every: (intervalMs, run) => {
        timers.push({ intervalMs, run })
        return () => undefined
      },
    })
    const hourly = timers.filter(({ intervalMs }) => intervalMs === 3_600_000)
    expect(hourly.length).toBeGreaterThan(0)
    for (const { run } of hourly) run()
    await postern.close()
    const log = await service.log()
    const whys = log.filter(({ type }) => type === 'log.checkpoint').map(({ why }) => why)
    expect(whys).toEqual(['start', 'interval', 'stop'])
    expect(log.filter(({ type }) => type === 'log.checkpoint').map(({ every }) => every)).toEqual([
      3_600, 3_600, 3_600,
    ])
  })

  it('has a chain without a key, which is whole, and which nobody vouches for', async () => {
    const service = await makeFolder({ chain: undefined })
    const postern = await startService(service)
    expect(await ask(service)).toBe(200)
    await postern.close()
    const paths = await files(service)
    expect((await verify(paths)).report).toMatchObject({ verdict: 'whole', findings: [], notes: [] })
    const { code, report } = await verify(paths, ...keyOf(service))
    expect([code, report.findings.map(({ kind }) => kind)]).toEqual([1, ['unsigned']])
  })
})

describe('the command', () => {
  it('reads standard input, and says in words what it found', async () => {
    const service = await makeFolder()
    const postern = await startService(service)
    expect(await ask(service)).toBe(200)
    await postern.close()
    const path = join(service.folder, LOG)
    const told = await runPostern(['audit', 'verify', path, ...keyOf(service)])
    expect(told.code).toBe(0)
    expect(told.stdout).toMatch(/: closed, \d+ whole blocks, 2 checkpoints, sealed to line number \d+/)
    expect(told.stdout).toMatch(/decisions\.ndjson: \d+ lines; whole\n$/)
    await writeFile(path, (await service.read(LOG)).replace('"type":"decision"', '"type":"decisioN"'))
    const changed = await runPostern(['audit', 'verify', path, ...keyOf(service)])
    expect(changed.code).toBe(1)
    expect(changed.stdout).toMatch(/decisions\.ndjson:\d+-\d+: edited: block \d+ of \S+: its bytes are not/)
  })

  it.each([
    ['a file that is not there', ['no-such-file'], /cannot read `no-such-file`: ENOENT/],
    ['standard input beside a file', ['-', 'x'], /`-` is standard input, and stands alone/],
    ['a key that is not there', ['x', '--key', 'no-such-key'], /`no-such-key`: there is no such file/],
    ['a key that is none', ['x', '--key', 'package.json'], /`package.json` is no Ed25519 key in PEM/],
    ['an expectation that is none', ['x', '--expect', 'abc'], /`abc` is neither a hash/],
    ['a file twice', ['package.json', './package.json'], /was named twice/],
  ])('refuses %s', async (_, args, why) => {
    const { code, stdout, stderr } = await runPostern(['audit', 'verify', ...args])
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(why)
  })
})
