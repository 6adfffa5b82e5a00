import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterEach, describe, expect, it } from 'vitest'
import { readLine } from '../../../src/audit/read.ts'
import { openFileSink } from '../../../src/audit/file-sink.ts'
import { streamSink, type Sink } from '../../../src/audit/sink.ts'
import { makeAuditWriter, type AuditWriter } from '../../../src/audit/writer.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-audit-'))
const NOW = Date.UTC(2026, 10, 24, 10)
const SETTINGS = { writerId: 'w1', maxPending: 100_000, flushMs: 5, retryMs: 5, nowMs: () => NOW }
const event = (n: number) => ({ v: 1, type: 'login', ts: '2026-11-24T10:00:00.000Z', n }) as const
const lines = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '')

afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** A sink that fails as often as it is told, and holds what it took. */
class FlakySink implements Sink {
  text = ''
  failures = 0
  closed = false
  /** Bytes that one write takes at most. */
  appetite = Number.POSITIVE_INFINITY
  async write(bytes: Uint8Array): Promise<number> {
    await Promise.resolve()
    if (this.failures > 0) {
      this.failures -= 1
      throw new Error('disk full')
    }
    const taken = bytes.subarray(0, this.appetite)
    this.text += Buffer.from(taken).toString('utf8')
    return taken.length
  }
  async reopen(): Promise<void> {}
  isFull(): boolean {
    return false
  }
  async rotate(): Promise<void> {}
  async close(): Promise<void> {
    this.closed = true
  }
}

const faults: string[] = []
const over = (sink: Sink, settings = SETTINGS): AuditWriter => {
  faults.length = 0
  return makeAuditWriter(sink, settings, (what) => faults.push(what))
}

interface Written {
  readonly type: string
  readonly n?: number
  readonly seq: number
  readonly w: string
  readonly lines?: number
}
const readAll = (text: string): readonly Written[] => lines(text).map((line) => JSON.parse(line) as Written)
/** Without the lines that end blocks. */
const read = (text: string): readonly Written[] => readAll(text).filter(({ type }) => type !== 'log.block')

/** Time that passes when the test says so. */
const makeLater = () => {
  const tasks: { task: () => void; delayMs: number }[] = []
  return {
    tasks,
    later: (task: () => void, delayMs: number) => {
      const entry = { task, delayMs }
      tasks.push(entry)
      return () => void (tasks.includes(entry) && tasks.splice(tasks.indexOf(entry), 1))
    },
  }
}

describe('the writer', () => {
  it('writes every line once, in order, numbered per writer', async () => {
    const sink = new FlakySink()
    const writer = over(sink, { ...SETTINGS, maxPending: 10_000_000 })
    for (let n = 0; n < 5_000; n += 1) writer.write(event(n))
    await writer.close()
    expect(read(sink.text).map((line) => line.n)).toEqual(Array.from({ length: 5_000 }, (_, n) => n))
    const written = readAll(sink.text)
    expect(written.map((line) => line.seq)).toEqual(written.map((_, index) => index + 1))
    expect(new Set(written.map((line) => line.w))).toEqual(new Set(['w1']))
  })

  it('drops beyond its bound, counts what it dropped, says so once, and leaves a line that says how many', async () => {
    const sink = new FlakySink()
    const writer = over(sink, { ...SETTINGS, maxPending: 1_000 })
    const taken = Array.from({ length: 50 }, (_, n) => writer.write(event(n))).filter(Boolean).length
    expect(taken).toBeLessThan(50)
    expect(writer.stats().pending).toBeLessThan(1_200)
    expect(writer.isBehind()).toBe(true)
    await writer.flush()
    expect(writer.isBehind()).toBe(false)
    expect(writer.stats()).toMatchObject({ written: taken, dropped: 50 - taken, pending: 0 })
    expect(faults).toEqual(['dropping'])
    writer.write(event(50))
    await writer.close()
    const written = read(sink.text)
    expect(written.slice(taken)).toMatchObject([
      { type: 'log.dropped', lines: 50 - taken, seq: taken + 2 },
      { type: 'login', n: 50, seq: taken + 3 },
    ])
  })

  it('bounds bytes, since each character of a line is one', async () => {
    const sink = new FlakySink()
    const writer = over(sink)
    writer.write({ ...event(1), name: '\u{1f600}\u00e9' })
    const { pending } = writer.stats()
    await writer.close()
    expect(Buffer.byteLength(sink.text.slice(0, sink.text.indexOf('\n') + 1))).toBe(pending)
  })

  it('writes the rest of what a sink took in part, and nothing twice', async () => {
    const sink = new FlakySink()
    sink.appetite = 7
    const writer = over(sink)
    for (let n = 0; n < 20; n += 1) writer.write(event(n))
    sink.failures = 1
    await writer.flush()
    await writer.close()
    expect(read(sink.text).map((line) => line.n)).toEqual(Array.from({ length: 20 }, (_, n) => n))
  })

  it('starts to write when its time comes, or when 64 KB wait', async () => {
    const { tasks, later } = makeLater()
    const sink = new FlakySink()
    const writer = makeAuditWriter(sink, { ...SETTINGS, maxPending: 1_000_000 }, () => {}, later)
    writer.write(event(1))
    writer.write(event(2))
    expect([sink.text, tasks.map(({ delayMs }) => delayMs)]).toEqual(['', [5]])
    tasks.shift()?.task()
    await writer.flush()
    expect(read(sink.text)).toHaveLength(2)
    const big = { ...event(3), text: 'x'.repeat(65_536) }
    writer.write(big)
    expect(tasks).toEqual([])
    await writer.flush()
    expect(read(sink.text)).toHaveLength(3)
  })

  it('tries a failed write again later, not at once', async () => {
    const { tasks, later } = makeLater()
    const sink = new FlakySink()
    sink.failures = 1
    const writer = makeAuditWriter(sink, { ...SETTINGS, retryMs: 77 }, () => {}, later)
    writer.write(event(1))
    await writer.flush()
    expect([writer.isBehind(), tasks.map(({ delayMs }) => delayMs)]).toEqual([true, [77]])
    tasks.shift()?.task()
    await writer.flush()
    expect([writer.isBehind(), read(sink.text)]).toMatchObject([false, [{ n: 1 }]])
  })

  it('counts lines that a failing sink did not take before the close as dropped', async () => {
    const sink = new FlakySink()
    sink.failures = Number.POSITIVE_INFINITY
    const writer = over(sink)
    writer.write(event(1))
    await writer.flush()
    writer.write(event(2))
    await writer.close()
    expect([writer.stats().dropped, sink.closed, faults]).toEqual([2, true, ['write-failed']])
  })

  it('never throws at whoever writes, not even what JSON cannot hold', () => {
    const writer = over(new FlakySink())
    expect(writer.write({ ...event(1), big: 1n })).toBe(false)
    expect(writer.stats().dropped).toBe(1)
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
    expect(read(sink.text).map((line) => line.n)).toEqual([1, 2])
  })

  it('tries again by itself', async () => {
    const sink = new FlakySink()
    const writer = over(sink)
    sink.failures = 3
    writer.write(event(1))
    while (sink.text === '') await new Promise((resolve) => setImmediate(resolve))
    expect(read(sink.text)).toHaveLength(1)
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
    // The line and the end of its block, in both; the end of the log in the second.
    expect(numbers).toEqual([
      ['event', 'event'],
      ['event', 'event'],
    ])
    rmSync(home, { recursive: true })
  })

  it('that cannot be opened anew goes on as it was, and says so', async () => {
    const home = mkdtempSync(join(tmpdir(), 'postern-audit-'))
    const path = join(home, 'logs', 'decisions.ndjson')
    mkdirSync(join(home, 'logs'))
    const writer = over(await openFileSink(path))
    renameSync(join(home, 'logs'), join(home, 'moved'))
    await writer.reopen()
    writer.write(event(1))
    await writer.close()
    expect(faults).toEqual(['reopen-failed'])
    expect(read(readFileSync(join(home, 'moved', 'decisions.ndjson'), 'utf8'))).toHaveLength(1)
    rmSync(home, { recursive: true })
  })

  it('that cannot be opened is refused at once', async () => {
    await expect(openFileSink('/no/such/folder/log')).rejects.toThrow(/ENOENT/)
  })
})

describe('a stream', () => {
  it('whose reader went away makes the writer fail, not the process', async () => {
    const stream = new PassThrough()
    const writer = over(streamSink(stream))
    writer.write(event(1))
    await writer.flush()
    expect(read(String(stream.read()))).toHaveLength(1)
    stream.destroy(new Error('EPIPE'))
    writer.write(event(2))
    await writer.flush()
    expect([writer.isBehind(), faults]).toEqual([true, ['write-failed']])
    await writer.close()
  })
})
