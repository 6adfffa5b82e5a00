import { mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { readLine } from '../../../src/audit/read.ts'
import { openFileSink, type Sink } from '../../../src/audit/sink.ts'
import { makeAuditWriter, type AuditWriter } from '../../../src/audit/writer.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-audit-'))
const SETTINGS = { writerId: 'w1', maxPending: 100_000, flushMs: 5, retryMs: 5 }
const event = (n: number) => ({ v: 1, type: 'login', ts: '2026-11-24T10:00:00.000Z', n }) as const
const lines = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '')

afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** A sink that fails as often as it is told, and holds what it took. */
class FlakySink implements Sink {
  text = ''
  failures = 0
  closed = false
  async write(chunk: string): Promise<void> {
    await Promise.resolve()
    if (this.failures > 0) {
      this.failures -= 1
      throw new Error('disk full')
    }
    this.text += chunk
  }
  async reopen(): Promise<void> {}
  async close(): Promise<void> {
    this.closed = true
  }
}

const faults: string[] = []
const over = (sink: Sink, settings = SETTINGS): AuditWriter => {
  faults.length = 0
  return makeAuditWriter(sink, settings, (what) => faults.push(what))
}

describe('the writer', () => {
  it('writes every line once, in order, numbered per writer', async () => {
    const sink = new FlakySink()
    const writer = over(sink)
    for (let n = 0; n < 5_000; n += 1) writer.write(event(n))
    await writer.close()
    const read = lines(sink.text).map((line) => JSON.parse(line) as { n: number; seq: number; w: string })
    expect(read.map((line) => line.n)).toEqual(Array.from({ length: read.length }, (_, n) => n))
    expect(read.map((line) => line.seq)).toEqual(read.map((_, index) => index + 1))
    expect(read.length + writer.stats().dropped).toBe(5_000)
    expect(new Set(read.map((line) => line.w))).toEqual(new Set(['w1']))
  })

  it('drops beyond its bound, counts what it dropped, and says so once', async () => {
    const sink = new FlakySink()
    const writer = over(sink, { ...SETTINGS, maxPending: 1_000 })
    const taken = Array.from({ length: 50 }, (_, n) => writer.write(event(n))).filter(Boolean).length
    expect(taken).toBeLessThan(50)
    expect(writer.isBehind()).toBe(true)
    await writer.flush()
    expect(writer.isBehind()).toBe(false)
    expect(writer.stats()).toMatchObject({ written: taken, dropped: 50 - taken, pending: 0 })
    expect(faults).toEqual(['dropping'])
    expect(lines(sink.text)).toHaveLength(taken)
  })

  it('keeps what a failing sink refused, is behind meanwhile, and loses nothing', async () => {
    const sink = new FlakySink()
    const writer = over(sink)
    sink.failures = 1
    writer.write(event(1))
    await writer.flush()
    expect([writer.isBehind(), sink.text, faults]).toEqual([true, '', ['write-failed']])
    writer.write(event(2))
    await writer.flush()
    expect(writer.isBehind()).toBe(false)
    expect(lines(sink.text).map((line) => (JSON.parse(line) as { n: number }).n)).toEqual([1, 2])
  })

  it('tries again by itself', async () => {
    const sink = new FlakySink()
    const writer = over(sink)
    sink.failures = 3
    writer.write(event(1))
    while (sink.text === '') await new Promise((resolve) => setImmediate(resolve))
    expect(lines(sink.text)).toHaveLength(1)
    await writer.close()
  })

  it('takes nothing after it is closed, and closes its sink', async () => {
    const sink = new FlakySink()
    const writer = over(sink)
    await writer.close()
    expect([writer.write(event(1)), sink.closed, writer.isBehind()]).toEqual([false, true, true])
  })
})

describe('a file', () => {
  it('is private, appended to, and opened anew when somebody moved it away', async () => {
    const home = mkdtempSync(join(tmpdir(), 'postern-audit-'))
    const path = join(home, 'decisions.ndjson')
    const writer = over(await openFileSink(path))
    writer.write(event(1))
    await writer.flush()
    expect(statSync(path).mode & 0o777).toBe(0o600)
    renameSync(path, `${path}.1`)
    await writer.reopen()
    writer.write(event(2))
    await writer.close()
    const numbers = [`${path}.1`, path].map((file) =>
      lines(readFileSync(file, 'utf8')).map((line) => readLine(line, 1).kind),
    )
    expect(numbers).toEqual([['event'], ['event']])
    rmSync(home, { recursive: true })
  })

  it('that cannot be opened is refused at once', async () => {
    await expect(openFileSink('/no/such/folder/log')).rejects.toThrow(/ENOENT/)
  })
})
