import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmod, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { makeSeal, SEAL_KEY_BYTES } from '../../../src/identity/seal.ts'
import {
  openMemoryState,
  type MemoryState,
  type MemoryStateOpening,
  type MemoryStateSettings,
} from '../../../src/state/memory-state.ts'
import type { Revocable } from '../../../src/state/revocation-entries.ts'
import { makeClock } from './clock.ts'

const key = randomBytes(SEAL_KEY_BYTES)
const alice = { source: 'corp', subject: 'alice' }

let folder = ''
let path = ''
const open: MemoryState[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-state-'))
  path = join(folder, 'postern.state')
})

afterEach(async () => {
  await Promise.all(open.splice(0).map((state) => state.close()))
  await rm(folder, { recursive: true })
})

const openFile = async (changes: Partial<MemoryStateSettings> = {}): Promise<MemoryStateOpening> => {
  const opening = await openMemoryState({
    file: { path, seal: makeSeal({ keys: [key], purpose: 'state' }) },
    nowSeconds: makeClock().now,
    absoluteSeconds: 43_200,
    every: () => () => undefined,
    onFault: (why) => expect.unreachable(why),
    ...changes,
  })
  if (opening.kind === 'opened') open.push(opening.state)
  return opening
}

const opened = async (changes?: Partial<MemoryStateSettings>): Promise<MemoryState> => {
  const opening = await openFile(changes)
  if (opening.kind === 'refused') throw new Error(opening.why)
  return opening.state
}

const respelled = (line: string): string =>
  line.slice(0, 30) + (line[30] === 'A' ? 'B' : 'A') + line.slice(31)

const session = (id: string, number: number, subject = 'alice'): Revocable => ({
  id,
  source: 'corp',
  subject,
  number,
  providerSession: undefined,
  issuedAtSeconds: undefined,
})

describe('a state without a file', () => {
  test('revokes, and says that a restart would forget it', async () => {
    const state = await opened({ file: undefined })
    const old = session('s1', state.revocationNumber())
    expect(state.revocations.check(old)).toBe('live')
    expect(await state.revocations.revokeCredential('s1', alice)).toMatchObject({
      kind: 'stored',
      durable: false,
    })
    expect(state.revocations.check(old)).toBe('revoked')
  })
})

describe('a state with a file', () => {
  test('remembers everything over a restart', async () => {
    const clock = makeClock()
    const first = await opened({ nowSeconds: clock.now })
    const number = first.revocationNumber()
    expect(await first.revocations.revokeCredential('s1', alice)).toMatchObject({
      kind: 'stored',
      durable: true,
    })
    await first.revocations.revokeSubject({ source: 'corp', subject: 'bob' })
    await first.revocations.revokeProviderSession('corp', 'sid-1')
    expect(first.usedMarks.burn('ticket:1', 30)).toBe('first')
    first.lastUse.touch('s2')
    await first.close()

    const second = await opened({ nowSeconds: clock.now })
    expect(second.revocations.check(session('s1', number))).toBe('revoked')
    expect(second.revocations.check(session('s3', number, 'bob'))).toBe('revoked')
    const carol = session('s4', number, 'carol')
    expect(second.revocations.check({ ...carol, providerSession: 'sid-1' })).toBe('revoked')
    expect(second.revocations.check({ ...carol, providerSession: 'sid-2' })).toBe('live')
    expect(second.revocationNumber()).toBeGreaterThanOrEqual(first.revocationNumber())
    expect(second.usedMarks.burn('ticket:1', 30)).toBe('again')
    expect(second.lastUse.lastUse('s2')).toBe(clock.now())
    expect(second.lastUse.lastUse('s1')).toBeUndefined()
  })

  test('remembers the last use of a session that has ended by idling, over every restart of its life', async () => {
    const clock = makeClock()
    const first = await opened({ nowSeconds: clock.now })
    first.lastUse.touch('s1')
    const usedAtSeconds = clock.now()
    await first.close()
    for (const _ of ['second start', 'third start']) {
      clock.advance(14_400)
      const next = await opened({ nowSeconds: clock.now })
      // Forgotten, it would count from the start of the process, and so live again.
      expect(next.lastUse.lastUse('s1')).toBe(usedAtSeconds)
      await next.close()
    }
    clock.advance(14_461)
    const last = await opened({ nowSeconds: clock.now })
    await last.close()
    expect((await opened({ nowSeconds: clock.now })).lastUse.lastUse('s1')).toBeUndefined()
  })

  test('writes last uses when the interval comes round', async () => {
    let run = (): void => undefined
    const state = await opened({
      every: (_, given) => {
        run = given
        return () => undefined
      },
    })
    const { size } = await stat(path)
    state.lastUse.touch('s1')
    run()
    // Waits for a write that comes after it in the queue.
    await state.revocations.revokeCredential('s9', alice)
    await writeFile(`${path}.copy`, await readFile(path))
    expect((await stat(path)).size).toBeGreaterThan(size)
    const copy = await opened({
      file: { path: `${path}.copy`, seal: makeSeal({ keys: [key], purpose: 'state' }) },
    })
    expect(copy.lastUse.lastUse('s1')).toBeDefined()
  })

  test('is readable by its owner alone, even where it was not', async () => {
    const first = await opened()
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    await first.close()
    await chmod(path, 0o644)
    await opened()
    expect((await stat(path)).mode & 0o777).toBe(0o600)
  })

  test('shows nobody in the file', async () => {
    const state = await opened()
    await state.revocations.revokeSubject({ source: 'corp', subject: 'planted-secret' })
    await state.revocations.revokeCredential('planted-secret', undefined)
    expect(await readFile(path, 'latin1')).not.toContain('planted-secret')
  })

  test('is rewritten when it has grown, and loses nothing by it', async () => {
    const state = await opened({ limits: { compactFromBytes: 1500 } })
    const inodes = new Set<number>()
    let largest = 0
    for (let index = 0; index < 60; index += 1) {
      state.lastUse.touch(`s${index % 3}`)
      await state.revocations.revokeSubject({ source: 'corp', subject: `user${index % 4}` })
      const found = await stat(path)
      inodes.add(found.ino)
      largest = Math.max(largest, found.size)
    }
    expect(inodes.size).toBeGreaterThan(1)
    expect(largest).toBeLessThan(5000)
    const number = state.revocationNumber()
    await state.close()
    const again = await opened()
    for (let index = 0; index < 4; index += 1) {
      expect(again.revocations.check(session('x', number - 5, `user${index}`))).toBe('revoked')
    }
    expect(again.revocations.check(session('x', number - 5, 'somebody'))).toBe('live')
    expect(await readdir(folder)).toEqual(['postern.state'])
  })

  test('has every one of many revocations at once on disk before it says so', async () => {
    const state = await opened({ limits: { compactFromBytes: 3000 } })
    const ids = Array.from({ length: 200 }, (_, index) => `s${index}`)
    const results = await Promise.all(ids.map((id) => state.revocations.revokeCredential(id, alice)))
    expect(results.every((one) => one.kind === 'stored' && one.durable)).toBe(true)
    await writeFile(`${path}.copy`, await readFile(path))
    const seal = makeSeal({ keys: [key], purpose: 'state' })
    const copy = await opened({ file: { path: `${path}.copy`, seal } })
    expect(ids.map((id) => copy.revocations.check(session(id, 0)))).toEqual(ids.map(() => 'revoked'))
  })
})

describe('a state file after kill -9', () => {
  test('holds every revocation that was acknowledged', async () => {
    const writer = spawn(process.execPath, [
      new URL('journal-writer.ts', import.meta.url).pathname,
      path,
      key.toString('base64'),
    ])
    const acknowledged: string[] = []
    for await (const line of createInterface({ input: writer.stdout })) {
      acknowledged.push(line)
      if (acknowledged.length === 120) writer.kill('SIGKILL')
    }
    if (writer.signalCode === null) await once(writer, 'exit')
    expect(writer.signalCode).toBe('SIGKILL')
    const state = await opened({ nowSeconds: () => Date.now() / 1000 })
    expect(acknowledged.length).toBeGreaterThanOrEqual(120)
    const found = acknowledged.map((id) => state.revocations.check(session(id, state.revocationNumber())))
    expect(found).toEqual(acknowledged.map(() => 'revoked'))
    expect(state.revocations.check(session('session-x', state.revocationNumber()))).toBe('live')
  })

  test('loses a last write that was cut off anywhere, says so, and keeps all before it', async () => {
    const first = await opened()
    await first.revocations.revokeCredential('s1', alice)
    const whole = await readFile(path)
    await first.revocations.revokeCredential('s2', alice)
    const longer = await readFile(path)
    await first.close()
    for (const length of [whole.length + 1, whole.length + 40, longer.length - 2, longer.length - 1]) {
      await writeFile(path, longer.subarray(0, length))
      const opening = await openFile()
      expect(opening.kind === 'opened' && opening.notice).toMatch(
        new RegExp(`cut off and is dropped \\(${length - whole.length} bytes\\)`),
      )
      if (opening.kind !== 'opened') return
      expect(opening.state.revocations.check(session('s1', 0))).toBe('revoked')
      expect(opening.state.revocations.check(session('s2', Number.MAX_SAFE_INTEGER))).toBe('live')
      // What follows is readable again.
      await opening.state.revocations.revokeCredential('s3', alice)
      await opening.state.close()
      const again = await opened()
      expect(again.revocations.check(session('s3', 0))).toBe('revoked')
      await again.close()
    }
    await writeFile(path, longer)
    const opening = await openFile()
    expect(opening).toMatchObject({ kind: 'opened', notice: undefined })
  })
})

describe('a state file that somebody changed', () => {
  const written = async (): Promise<string[]> => {
    const state = await opened()
    for (const id of ['s1', 's2', 's3']) await state.revocations.revokeCredential(id, alice)
    await state.close()
    return (await readFile(path, 'latin1')).trimEnd().split('\n')
  }

  test.each<[string, (lines: string[]) => string[], number]>([
    ['has one character changed', (lines) => lines.with(4, respelled(lines[4] ?? '')), 5],
    ['lost a line in the middle', (lines) => lines.toSpliced(2, 1), 3],
    ['lost its first line', (lines) => lines.slice(1), 1],
    ['has two lines swapped', (lines) => lines.with(2, lines[3] ?? '').with(3, lines[2] ?? ''), 3],
    ['has a line twice', (lines) => lines.toSpliced(2, 0, lines[2] ?? ''), 4],
    ['has an empty line', (lines) => lines.toSpliced(2, 0, ''), 3],
    ['was emptied', () => [], 1],
  ])('stops the start when it %s, and says where and how to mend', async (_, change, line) => {
    const lines = await written()
    const changed = change(lines)
    expect(changed).not.toEqual(lines)
    const content = changed.map((one) => `${one}\n`).join('')
    await writeFile(path, content)
    const opening = await openFile()
    expect(opening).toMatchObject({ kind: 'refused' })
    expect(opening.kind === 'refused' && opening.why).toMatch(
      new RegExp(`^state file \`.*\`: line ${line} does not open.*; restore .* move it away`),
    )
    expect(await readFile(path, 'latin1')).toBe(content)
  })

  test('stops the start when a line comes from an earlier file of ours', async () => {
    const earlier = await written()
    const later = await written()
    await writeFile(path, [...later.slice(0, -1), earlier.at(-1), ''].join('\n'))
    expect(await openFile()).toMatchObject({ kind: 'refused' })
    await writeFile(path, [...later, ''].join('\n'))
    expect(await openFile()).toMatchObject({ kind: 'opened' })
  })

  test('stops the start when it was sealed by another key or for another purpose', async () => {
    await written()
    const seals = [
      makeSeal({ keys: [randomBytes(SEAL_KEY_BYTES)], purpose: 'state' }),
      makeSeal({ keys: [key], purpose: 'session' }),
    ]
    for (const seal of seals)
      expect(await openFile({ file: { path, seal } })).toMatchObject({ kind: 'refused' })
    const rotated = makeSeal({ keys: [randomBytes(SEAL_KEY_BYTES), key], purpose: 'state' })
    expect(await openFile({ file: { path, seal: rotated } })).toMatchObject({ kind: 'opened' })
  })

  test('stops the start when a row of our own key has an unknown shape', async () => {
    const seal = makeSeal({ keys: [key], purpose: 'state' })
    for (const row of [
      ['z', 1],
      ['c', 's1', 1],
      ['c', 's1', 'x', 2],
      'c',
      [],
      ['__proto__', 1],
      ['n', null],
    ]) {
      const lines = [seal.seal('["f"]', ['first']), seal.seal(JSON.stringify([row]), ['f', '1']), '']
      await writeFile(path, lines.join('\n'))
      const opening = await openFile()
      expect(opening.kind === 'refused' && opening.why).toMatch(/line 2 holds something unknown/)
    }
    const good = [seal.seal('["f"]', ['first']), seal.seal('[["n",7]]', ['f', '1']), '']
    await writeFile(path, good.join('\n'))
    expect(await openFile()).toMatchObject({ kind: 'opened' })
  })
})

describe('a state file that cannot be written', () => {
  test('stops the start where its folder does not exist', async () => {
    const opening = await openFile({
      file: { path: join(folder, 'absent', 'x'), seal: makeSeal({ keys: [key], purpose: 'state' }) },
    })
    expect(opening.kind === 'refused' && opening.why).toMatch(/ENOENT.*folder must be writable/)
  })

  test('makes a revocation say so when another process took the file over; it is in force all the same', async () => {
    const first = await opened()
    const second = await opened()
    const revoked = await first.revocations.revokeCredential('s1', alice)
    expect(revoked.kind === 'not-stored' && revoked.why).toMatch(/another process writes to it/)
    expect(first.revocations.check(session('s1', 0))).toBe('revoked')
    expect(await second.revocations.revokeCredential('s2', alice)).toMatchObject({ kind: 'stored' })
  })

  test('is told until a write succeeds, which makes up for what failed', async () => {
    const state = await opened()
    expect(state.writeFault()).toBeUndefined()
    await rename(path, `${path}.away`)
    expect(await state.revocations.revokeCredential('s1', alice)).toMatchObject({ kind: 'not-stored' })
    expect(state.writeFault()).toMatch(/was not written: ENOENT/)
    await rename(`${path}.away`, path)
    expect(await state.revocations.revokeCredential('s2', alice)).toMatchObject({ durable: true })
    expect(state.writeFault()).toBeUndefined()
    await state.close()
    const next = await opened()
    for (const id of ['s1', 's2']) expect(next.revocations.check(session(id, 0))).toBe('revoked')
    expect(next.revocations.check(session('s3', 0))).toBe('live')
  })

  test('makes a revocation say so when the file is gone, and a mark tells the log', async () => {
    const faults: string[] = []
    const state = await opened({ onFault: (why) => faults.push(why) })
    await rm(path)
    expect(state.usedMarks.burn('ticket:1', 30)).toBe('first')
    expect(await state.revocations.revokeAll()).toMatchObject({ kind: 'not-stored' })
    expect(faults).toEqual([expect.stringMatching(/was not written: ENOENT/)])
  })

  test('takes no revocation after it was closed, and says so', async () => {
    const state = await opened()
    await state.close()
    expect(await state.revocations.revokeAll()).toMatchObject({
      kind: 'not-stored',
      why: 'the state file is closed',
    })
  })
})

describe('what providers gave with sign-ins', () => {
  const grant = (refreshToken: string) => ({
    learnedAtSeconds: 1,
    endsAtSeconds: 4_000_000_000,
    session: '',
    refreshToken,
    idToken: '',
    former: '',
  })

  test('is there after a restart, and what was dropped is not', async () => {
    const state = await opened()
    expect(await state.grants.put('s1', grant('one'))).toEqual({ kind: 'durable' })
    await state.grants.put('s1', grant('two'))
    await state.grants.put('s2', grant('gone'))
    await state.grants.drop('s2')
    await state.close()
    const again = await opened()
    expect(again.grants.get('s1')).toEqual(grant('two'))
    expect(again.grants.get('s2')).toBeUndefined()
  })

  test('is not legible in the file', async () => {
    const state = await opened()
    await state.grants.put('s1', grant('secret-of-the-provider'))
    expect(await readFile(path, 'latin1')).not.toContain('secret')
  })

  test('stays within its bytes: the oldest goes, in the file too, and it is counted', async () => {
    const limits = { grantBytesMax: 5_000 }
    const state = await opened({ limits })
    for (let index = 0; index < 20; index += 1) await state.grants.put(`s${index}`, grant('x'.repeat(1_000)))
    expect(state.grants.bytes()).toBeLessThanOrEqual(5_000)
    expect(state.grants.get('s19')).toBeDefined()
    expect(state.grants.get('s0')).toBeUndefined()
    expect(state.grants.evicted()).toBe(17)
    await state.close()
    const again = await opened({ limits })
    expect(again.grants.get('s19')).toBeDefined()
    expect(again.grants.get('s0')).toBeUndefined()
  })

  test('ends with its session', async () => {
    const clock = makeClock()
    const state = await opened({ nowSeconds: clock.now })
    await state.grants.put('s1', { ...grant('one'), endsAtSeconds: clock.now() + 10 })
    await state.close()
    clock.advance(11)
    const again = await opened({ nowSeconds: clock.now })
    await again.close()
    expect((await opened({ nowSeconds: clock.now })).grants.get('s1')).toBeUndefined()
  })
})
