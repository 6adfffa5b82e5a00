// A log file that is full is changed for a new one between two blocks; where that fails, lines go on into the old one.
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { appendChain, wholeChain } from '../../../src/audit/append-chain.ts'
import { inOrderOfWriting, readEnds } from '../../../src/audit/file-order.ts'
import { openFileSink } from '../../../src/audit/file-sink.ts'
import { readLogTail } from '../../../src/audit/log-tail.ts'
import { moveAside, rotatedFiles } from '../../../src/audit/rotated-files.ts'
import { makeAuditWriter } from '../../../src/audit/writer.ts'
import { event, judge, logOf, NOW, SIGNER } from './sealed-log.ts'

let folder = ''
let log = ''
const faults: string[] = []

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'postern-rotation-'))
  log = path.join(folder, 'd.ndjson')
  faults.length = 0
})
afterEach(() => rmSync(folder, { recursive: true }))

const writer = async (rotation: Parameters<typeof openFileSink>[1], signer?: typeof SIGNER) =>
  makeAuditWriter(
    await openFileSink(log, rotation),
    { writerId: 'w1', nowMs: () => NOW, maxPending: 1e7, flushMs: 60_000, retryMs: 60_000, signer },
    (what) => faults.push(what),
  )

const names = (): readonly string[] => readdirSync(folder).toSorted()
const text = (name: string): string => readFileSync(path.join(folder, name), 'latin1')
const all = (): Readonly<Record<string, string>> =>
  Object.fromEntries(names().map((name) => [name, text(name)]))

describe('rotation by size', () => {
  it('names files so that they sort, never overwrites one, and keeps them private', async () => {
    writeFileSync(path.join(folder, 'd.000007.ndjson'), 'somebody else’s', { mode: 0o644 })
    const one = await writer({ bytes: 1_000, keep: undefined })
    for (let n = 0; n < 6; n += 1) {
      one.write(event(n, { text: 'x'.repeat(1_000) }))
      await one.flush()
    }
    await one.close()
    expect(names()).toEqual([
      'd.000007.ndjson',
      ...[8, 9, 10, 11, 12, 13].map((n) => `d.${String(n).padStart(6, '0')}.ndjson`),
      'd.ndjson',
    ])
    expect(statSync(path.join(folder, 'd.000008.ndjson')).mode & 0o777).toBe(0o600)
    const { 'd.000007.ndjson': _, ...own } = all()
    expect(judge(own)).toMatchObject({ findings: [], notes: [] })
    expect((await rotatedFiles(log)).map(({ number }) => number)).toEqual([7, 8, 9, 10, 11, 12, 13])
  })

  it('ends the old file with what waited, and a checkpoint behind it', async () => {
    const one = await writer({ bytes: 100_000, keep: undefined }, SIGNER)
    // Three blocks of 64 KB wait while the first is written.
    for (let n = 0; n < 300; n += 1) one.write(event(n, { text: 'x'.repeat(1_000) }))
    await one.flush()
    one.write(event(300))
    await one.close()
    const [first = '', second] = names()
    expect(second).toBe('d.ndjson')
    const last = text(first).trimEnd().split('\n').at(-2) ?? ''
    expect(last.slice(0, 200)).toMatch(/"type":"log.checkpoint".*"why":"rotate"/)
    expect(judge(all()).findings).toEqual([])
  })

  it('deletes the oldest beyond what is kept', async () => {
    const one = await writer({ bytes: 1_000, keep: 2 })
    for (let n = 0; n < 5; n += 1) {
      one.write(event(n, { text: 'x'.repeat(1_000) }))
      await one.flush()
    }
    await one.close()
    expect(names()).toEqual(['d.000004.ndjson', 'd.000005.ndjson', 'd.ndjson'])
    expect(judge(all())).toMatchObject({ findings: [], notes: [{ kind: 'begins-late' }] })
  })

  it('that fails is told, and loses no line', async () => {
    mkdirSync(path.join(folder, 'logs'))
    log = path.join(folder, 'logs', 'd.ndjson')
    const one = await writer({ bytes: 1_000, keep: undefined })
    renameSync(path.join(folder, 'logs'), path.join(folder, 'moved'))
    for (let n = 0; n < 3; n += 1) {
      one.write(event(n, { text: 'x'.repeat(1_000) }))
      await one.flush()
    }
    await one.close()
    expect(faults.length).toBeGreaterThan(0)
    expect(new Set(faults)).toEqual(new Set(['rotate-failed']))
    const whole = readFileSync(path.join(folder, 'moved', 'd.ndjson'), 'latin1')
    expect(judge(whole)).toMatchObject({ findings: [], notes: [] })
    expect(whole.match(/"type":"login"/g)).toHaveLength(3)
  })
})

describe('a full file', () => {
  it('is never put in the place of an older one because the folder could not be read', async () => {
    const old = path.join(folder, 'd.000001.ndjson')
    writeFileSync(old, 'old lines')
    writeFileSync(log, 'new lines')
    const unreadable = (): Promise<readonly string[]> =>
      Promise.reject(Object.assign(new Error('too many open files'), { code: 'EMFILE' }))
    await expect(moveAside(log, unreadable)).rejects.toThrow('too many open files')
    expect(all()).toEqual({ 'd.000001.ndjson': 'old lines', 'd.ndjson': 'new lines' })
    await moveAside(log)
    expect(all()).toEqual({ 'd.000001.ndjson': 'old lines', 'd.000002.ndjson': 'new lines' })
  })

  it('that is gone already is followed by a new one: an earlier try moved it and could not open another', async () => {
    const one = await writer({ bytes: 1_000, keep: undefined })
    renameSync(log, path.join(folder, 'd.000001.ndjson'))
    for (let n = 0; n < 2; n += 1) {
      one.write(event(n, { text: 'x'.repeat(1_000) }))
      await one.flush()
    }
    await one.close()
    expect(faults).toEqual([])
    expect(names()).toEqual(['d.000001.ndjson', 'd.000002.ndjson', 'd.ndjson'])
    expect(judge(all())).toMatchObject({ findings: [], notes: [] })
  })
})

describe('what a log ended with', () => {
  it('is its last block and what follows, however far back it is', async () => {
    const closed = await logOf('w1', [2])
    const head = closed.match(/"hash":"([0-9a-f]{64})"\}\n$/)?.[1]
    writeFileSync(log, closed)
    expect(await readLogTail(log)).toMatchObject({ after: head, bytes: 0 })
    writeFileSync(log, `${closed}${'x'.repeat(400_000)}`)
    expect(await readLogTail(log)).toMatchObject({ after: head, bytes: 400_000 })
  })

  it('is everything where no block ended, and nothing where there is no file or an empty one', async () => {
    expect(await readLogTail(log)).toBeUndefined()
    writeFileSync(log, '')
    expect(await readLogTail(log)).toBeUndefined()
    writeFileSync(log, 'an older log\n')
    expect(await readLogTail(log)).toMatchObject({ after: undefined, bytes: 13 })
    expect(await readLogTail('/dev/null')).toBeUndefined()
  })

  it('gets a line break where it broke off, so that the next line is one', async () => {
    writeFileSync(log, '{"v":1,"ty')
    const one = await writer(undefined)
    one.write(event(1))
    await one.close()
    expect(text('d.ndjson')).toMatch(/^\{"v":1,"ty\n\{"v":1,"type":"login"/)
    writeFileSync(log, '{"v":1,"ty')
    await appendChain(log, await wholeChain([event(1)], { writerId: 'w', nowMs: () => NOW }))
    expect(text('d.ndjson')).toMatch(/^\{"v":1,"ty\n\{"v":1,"type":"login"/)
  })
})

describe('files in any order', () => {
  it('are read as they were written: by the chain, and by time where it does not go on', async () => {
    const [a1 = '', a2 = ''] = halves(await logOf('a', [1, 1, 1, 1]))
    const b = (await logOf('b', [1])).replaceAll('2026-11-24T10:', '2026-11-24T11:')
    const files = { z: a1, y: a2, x: b }
    for (const [name, content] of Object.entries(files)) writeFileSync(path.join(folder, name), content)
    const ends = await Promise.all(['x', 'y', 'z'].map((name) => readEnds(path.join(folder, name))))
    expect(inOrderOfWriting(ends).map((one) => path.basename(one.path))).toEqual(['z', 'y', 'x'])
  })

  it('are read as their writers found them, where the clock went back between two', async () => {
    const one = await logOf('a', [1])
    const after = /"hash":"([0-9a-f]{64})"\}\n$/.exec(one)?.[1]
    const resume = {
      v: 1,
      type: 'log.resume',
      ts: '2026-11-24T09:00:00.000Z',
      after,
      bytes: 0,
      sha256: '',
    } as const
    const two = await wholeChain([resume], { writerId: 'b', nowMs: () => NOW - 3_600_000 })
    for (const [name, content] of Object.entries({ y: two, z: one }))
      writeFileSync(path.join(folder, name), content)
    const ends = await Promise.all(['y', 'z'].map((name) => readEnds(path.join(folder, name))))
    expect(inOrderOfWriting(ends).map((file) => path.basename(file.path))).toEqual(['z', 'y'])
  })
})

const halves = (whole: string): readonly string[] => {
  const lines = whole.match(/[^\n]*\n/g) ?? []
  return [lines.slice(0, 4).join(''), lines.slice(4).join('')]
}
