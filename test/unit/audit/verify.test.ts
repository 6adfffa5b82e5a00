// A log that was changed says so, and where; one that was not, or whose writer was killed, is never called changed.
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { makeLogSigner } from '../../../src/audit/log-key.ts'
import { readLogTail, type LogTail } from '../../../src/audit/log-tail.ts'
import { blockLine, parseBlock, sha256 } from '../../../src/audit/seal-line.ts'
import {
  brief,
  event,
  judge,
  keysOf,
  logOf,
  MemorySink,
  PRIVATE_PEM,
  PUBLIC_PEM,
  SIGNER,
  writerOver,
  type Judged,
} from './sealed-log.ts'

const KEYS = keysOf(PUBLIC_PEM)
const linesOf = (text: string): string[] => text.match(/[^\n]*\n|[^\n]+$/g) ?? []

let plain = ''
let signed = ''
let rows: readonly string[] = []

beforeAll(async () => {
  plain = await logOf('w1', [3, 1, 4, 2])
  signed = await logOf('w1', [3, 1, 4, 2], { signer: SIGNER })
  rows = linesOf(plain)
})

/** Number of the block that a line of the plain log belongs to, from the text itself. */
const blockOf = (line: number): number =>
  rows.slice(0, line - 1).filter((row) => row.includes('"type":"log.block"')).length + 1

const names = (
  { blocks }: { readonly blocks: readonly [number, number] | undefined },
  block: number,
): boolean => blocks !== undefined && blocks[0] <= block && block <= blocks[1]

const UNFINISHED: ReadonlySet<string> = new Set(['torn', 'open'])

/** A change is named in its block; at the very end of the log it may look like a kill, and is named as that. */
const isNamed = (judged: Judged, block: number): boolean =>
  judged.findings.some((one) => names(one, block)) ||
  (block === 5 && judged.findings.length === 0 && judged.notes.some(({ kind }) => UNFINISHED.has(kind)))

describe('a log as it was written', () => {
  it('is whole, with and without signatures', () => {
    expect(judge(plain)).toMatchObject({
      findings: [],
      notes: [],
      writers: [{ writer: 'w1', blocks: 5, end: 'closed', checkpoints: 0 }],
    })
    expect(judge(signed, { keys: KEYS })).toMatchObject({
      findings: [],
      notes: [],
      writers: [{ writer: 'w1', end: 'closed', checkpoints: 2 }],
    })
    expect(judge(signed, { keys: keysOf(PRIVATE_PEM) }).findings).toEqual([])
  })

  it('is whole while its writer still writes', async () => {
    const sink = new MemorySink()
    const writer = writerOver(sink, 'w1')
    writer.write(event(1))
    await writer.flush()
    expect(judge(sink.text)).toMatchObject({
      findings: [],
      notes: [{ kind: 'open' }],
      writers: [{ end: 'open' }],
    })
    await writer.close()
    expect(judge(sink.text)).toMatchObject({ findings: [], writers: [{ end: 'closed' }] })
  })

  it('is whole after a failed write, lines that were dropped included', async () => {
    const sink = new MemorySink()
    const writer = writerOver(sink, 'w1', { maxPending: 2_000 })
    for (let n = 0; n < 100; n += 1) writer.write(event(n))
    await writer.flush()
    writer.write(event(100))
    await writer.close()
    expect(sink.text).toContain('"type":"log.dropped"')
    expect(judge(sink.text)).toMatchObject({ findings: [], notes: [] })
  })

  it('says that signatures were not checked where no key was given', () => {
    expect(judge(signed).notes).toMatchObject([{ kind: 'not-checked' }])
  })

  it('is a note where it begins before the files do', () => {
    const later = rows.slice(4).join('')
    expect(judge(later)).toMatchObject({ findings: [], notes: [{ kind: 'begins-late' }] })
  })
})

describe('each kind of change has its name and its place', () => {
  const changed = (change: (lines: string[]) => void): readonly string[] => {
    const lines = [...rows]
    change(lines)
    return brief(judge(lines.join('')))
  }

  it.each([
    ['nothing', () => {}, []],
    [
      'a byte of a line',
      (lines: string[]) => lines.splice(1, 1, rows[1]!.replace('"n":1', '"n":7')),
      ['edited 1-1 log:1-4'],
    ],
    ['a line gone', (lines: string[]) => lines.splice(1, 1), ['missing 1-1 log:1-3']],
    ['the first line gone', (lines: string[]) => lines.splice(0, 1), ['missing 1-1 log:1-3']],
    ['a block line gone', (lines: string[]) => lines.splice(3, 1), ['missing 1-2 log:1-5']],
    ['a whole block gone', (lines: string[]) => lines.splice(4, 2), ['missing 2-2 log:4-5']],
    ['two whole blocks gone', (lines: string[]) => lines.splice(4, 7), ['missing 2-3 log:4-5']],
    ['a line twice', (lines: string[]) => lines.splice(1, 0, rows[1]!), ['repeated 1-1 log:1-5']],
    ['a block twice', (lines: string[]) => lines.splice(4, 0, rows[4]!, rows[5]!), ['repeated 2-2 log:7-8']],
    [
      'two lines swapped',
      (lines: string[]) => lines.splice(0, 2, rows[1]!, rows[0]!),
      ['reordered 1-1 log:1-4'],
    ],
    ['a line of something else', (lines: string[]) => lines.splice(1, 0, 'hello\n'), ['foreign 1-1 log:2-2']],
    [
      'a line of a writer who is none',
      (lines: string[]) => lines.splice(1, 0, rows[1]!.replace('"w1"', '"w9"')),
      ['foreign 1-1 log:2-2'],
    ],
    [
      'a block line changed',
      (lines: string[]) => lines.splice(3, 1, rows[3]!.replace('"lines":3', '"lines":2')),
      ['edited 1-1 log:1-4'],
    ],
    [
      'a line after the end',
      (lines: string[]) => lines.push(rows[0]!.replace('"seq":1,', '"seq":16,')),
      ['foreign 6-6 log:16-16'],
    ],
    ['an old line after the end', (lines: string[]) => lines.push(rows[0]!), ['repeated 6-6 log:16-16']],
  ] as const)('%s', (_, change, expected) => {
    expect(changed(change as (lines: string[]) => void)).toEqual(expected)
  })

  it('whole blocks that changed places', () => {
    const lines = [...rows.slice(0, 4), ...rows.slice(6, 11), ...rows.slice(4, 6), ...rows.slice(11)]
    expect(brief(judge(lines.join('')))).toEqual(['missing 2-2 log:4-5', 'reordered 2-2 log:10-11'])
  })

  it('a block that was written anew, with every hash of its own right', () => {
    const line = rows[4]!.replace('"n":0', '"n":9')
    const seal = parseBlock(rows[5]!.trimEnd())
    if (seal === undefined) throw new Error('no block line')
    const forged = blockLine({ ...seal, sha256: sha256(line) }).text
    expect(changed((lines) => lines.splice(4, 2, line, forged))).toEqual(['edited 2-3 log:6-11'])
  })
})

describe('any single change', () => {
  const change = fc.oneof(
    fc.record({ kind: fc.constant('byte' as const), at: fc.nat(), to: fc.integer({ min: 0, max: 255 }) }),
    fc.record({ kind: fc.constant('insert' as const), at: fc.nat(), to: fc.integer({ min: 0, max: 255 }) }),
    fc.record({ kind: fc.constant('delete' as const), at: fc.nat(), to: fc.constant(0) }),
    fc.record({ kind: fc.constant('line gone' as const), at: fc.nat(), to: fc.constant(0) }),
    fc.record({ kind: fc.constant('line twice' as const), at: fc.nat(), to: fc.nat() }),
    fc.record({ kind: fc.constant('swap' as const), at: fc.nat(), to: fc.nat() }),
  )

  /** The changed text and the lines (of the original) that it touches; undefined where it changes nothing. */
  const apply = (
    text: string,
    { kind, at, to }: { readonly kind: string; readonly at: number; readonly to: number },
  ): { readonly text: string; readonly touched: readonly number[] } | undefined => {
    const lines = linesOf(text)
    const byte = at % text.length
    const lineOfByte = text.slice(0, byte).split('\n').length
    const [line, other] = [at % lines.length, to % lines.length]
    const put = String.fromCharCode(to)
    const before = text.slice(0, byte)
    const moved = (): string => {
      const copy = [...lines]
      switch (kind) {
        case 'line gone':
          copy.splice(line, 1)
          break
        case 'line twice':
          copy.splice(other, 0, lines[line]!)
          break
        default:
          ;[copy[line], copy[other]] = [lines[other]!, lines[line]!]
      }
      return copy.join('')
    }
    const changed =
      kind === 'byte'
        ? before + put + text.slice(byte + 1)
        : kind === 'insert'
          ? before + put + text.slice(byte)
          : kind === 'delete'
            ? before + text.slice(byte + 1)
            : moved()
    if (changed === text) return undefined
    const isOfBytes = kind === 'byte' || kind === 'insert' || kind === 'delete'
    return {
      text: changed,
      touched: isOfBytes
        ? [lineOfByte]
        : kind === 'line gone'
          ? [line + 1]
          : kind === 'line twice'
            ? [line + 1, other + 1]
            : [line + 1, other + 1],
    }
  }

  it('of a byte or a line is found, and named in its block', () => {
    fc.assert(
      fc.property(change, (one) => {
        const result = apply(plain, one)
        if (result === undefined) return
        const judged = judge(result.text)
        const blocks = result.touched.map(blockOf)
        // A line break that is put in before the first line of a block stands between two.
        const near = one.kind === 'insert' ? blocks.flatMap((block) => [block - 1, block]) : blocks
        if (!near.some((block) => isNamed(judged, block)))
          throw new Error(`${JSON.stringify(one)}: ${JSON.stringify(judged, undefined, 1)}`)
      }),
      { numRuns: 5_000 },
    )
  })

  it('of a signed log is found with the key', () => {
    fc.assert(
      fc.property(change, (one) => {
        const result = apply(signed, one)
        if (result === undefined) return
        const { findings, notes } = judge(result.text, { keys: KEYS })
        expect([...findings, ...notes.filter(({ kind }) => UNFINISHED.has(kind))]).not.toEqual([])
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('a log whose writer was killed', () => {
  const cut = (text: string, bytes: number): string => text.slice(0, bytes)

  it('is torn or whole at whatever byte it ends, and never changed', () => {
    for (let bytes = 0; bytes <= signed.length; bytes += 1) {
      const judged = judge(cut(signed, bytes), { keys: KEYS })
      const forged = judged.findings.filter(({ kind }) => kind !== 'unsigned')
      expect([bytes, forged]).toEqual([bytes, []])
    }
  })

  it('is torn where the next writer found what is there, and named where it did not', async () => {
    for (const bytes of [plain.length - 5, 700, 1_500, 2_000]) {
      const left = cut(plain, bytes) + (cut(plain, bytes).endsWith('\n') ? '' : '\n')
      const next = await logOfResumed(await resumeAfter(left))
      expect(brief(judge(left + next))).toEqual([])
      expect(judge(left + next).notes.map(({ kind }) => kind)).toContain('torn')
      const [head = '', ...others] = linesOf(left)
      const shorter = linesOf(left).slice(0, -1).join('')
      expect(judge(shorter + next).findings.map(({ kind }) => kind)).toContain('cut-off')
      expect(judge([head, ...others, 'hello\n'].join('') + next).findings.map(({ kind }) => kind)).toContain(
        'cut-off',
      )
    }
  })

  it('is named where a line stands in its torn part that never was one', async () => {
    const sink = new MemorySink()
    const writer = writerOver(sink, 'w1')
    writer.write(event(1))
    await writer.flush()
    expect(judge(`${sink.text}{"v":1,"type":"login","n":2}\n`).findings).toMatchObject([{ kind: 'foreign' }])
    expect(judge(`${sink.text}{"v":1,"type":"log`).findings).toEqual([])
  })
})

const resumeAfter = async (left: string): Promise<LogTail | undefined> => {
  const folder = mkdtempSync(path.join(tmpdir(), 'postern-tail-'))
  writeFileSync(path.join(folder, 'log'), left, 'latin1')
  const tail = await readLogTail(path.join(folder, 'log'))
  rmSync(folder, { recursive: true })
  return tail
}

const logOfResumed = async (resume: object | undefined): Promise<string> => {
  const sink = new MemorySink()
  const writer = writerOver(sink, 'w2')
  if (resume !== undefined)
    writer.write({ v: 1, type: 'log.resume', ts: '2026-11-24T11:00:00.000Z', ...resume })
  writer.write(event(1))
  await writer.close()
  return sink.text
}

describe('a writer that begins while another one adds a line', () => {
  it('is no finding, since the chain between proves itself', async () => {
    const next = await logOfResumed(await resumeAfter(plain))
    const between = await logOf('mint', [1])
    expect(judge(plain + between + next)).toMatchObject({ findings: [], notes: [] })
    expect(judge(plain + between.replace('"n":0', '"n":1') + next).findings).toMatchObject([
      { kind: 'edited' },
    ])
    const shorter = linesOf(plain).slice(0, 11).join('')
    expect(judge(shorter + next).findings).toMatchObject([{ kind: 'cut-off' }])
  })
})

describe('several writers in one stream', () => {
  /** Takes lines from each in turn, each one's in their order. */
  const mixed = (texts: readonly string[], picks: readonly number[]): string => {
    const rest = texts.map(linesOf)
    const out: string[] = []
    for (const pick of picks) out.push(...(rest[pick % rest.length]?.splice(0, 1) ?? []))
    return [...out, ...rest.flat()].join('')
  }

  it('are each whole, however their lines are mixed', async () => {
    const texts = [plain, await logOf('w2', [2, 5]), await logOf('w3', [1])]
    fc.assert(
      fc.property(fc.array(fc.nat(2), { maxLength: 40 }), (picks) => {
        const judged = judge(mixed(texts, picks))
        expect(judged.findings).toEqual([])
        expect(judged.writers.map(({ end }) => end)).toEqual(['closed', 'closed', 'closed'])
      }),
    )
  })

  it('do not hide a change of one of them, nor a kill', async () => {
    const other = await logOf('w2', [2, 5])
    const picks = [0, 1, 0, 1, 1, 0, 0, 1]
    const edited = plain.replace('"n":0', '"n":9')
    expect(judge(mixed([edited, other], picks)).findings).toMatchObject([
      { kind: 'edited', writer: 'w1', blocks: [1, 1] },
    ])
    const killed = `${plain.slice(0, 2_000)}\n`
    const judged = judge(mixed([killed, other], picks))
    expect(judged.findings).toEqual([])
    expect(judged.writers).toMatchObject([
      { writer: 'w1', end: 'torn' },
      { writer: 'w2', end: 'closed' },
    ])
  })
})

describe('a checkpoint', () => {
  it('that is signed by another key is named, and so is a chain that nobody signed', async () => {
    const other = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString()
    const judged = judge(signed, { keys: keysOf(other) })
    expect(judged.findings.map(({ kind }) => kind)).toEqual(['signature', 'signature', 'unsigned'])
    expect(judge(signed, { keys: keysOf(other, PUBLIC_PEM) }).findings).toEqual([])
    expect(judge(plain, { keys: KEYS }).findings).toMatchObject([{ kind: 'unsigned', writer: 'w1' }])
  })

  it('cannot be made by whoever has no key: a log that is written anew needs it', async () => {
    const thief = makeLogSigner(
      generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    )
    const pretending = { keyId: SIGNER.keyId, sign: thief.sign }
    const forged = await logOf('w1', [3, 1], { signer: pretending })
    expect(judge(forged).findings).toEqual([])
    expect(judge(forged, { keys: KEYS }).findings.map(({ kind }) => kind)).toEqual([
      'signature',
      'signature',
      'unsigned',
    ])
  })

  it('that is known from elsewhere finds out a log that was cut before it', () => {
    const heads = [...signed.matchAll(/"head":"([0-9a-f]{64})"/g)].map(([, head = '']) => head)
    const hash = heads.at(-1) ?? ''
    const expected = [{ kind: 'hash', hash }] as const
    expect(judge(signed, { expected }).findings).toEqual([])
    const shorter = linesOf(signed).slice(0, 8).join('')
    expect(judge(shorter).findings).toEqual([])
    expect(judge(shorter, { expected }).findings).toMatchObject([{ kind: 'cut-off' }])
    const bySeq = (seq: number, writer?: string) =>
      judge(shorter, { expected: [{ kind: 'seq', seq, writer }] })
    expect(bySeq(8).findings).toEqual([])
    expect(bySeq(9).findings).toMatchObject([{ kind: 'cut-off' }])
    expect(bySeq(8, 'w2').findings).toMatchObject([{ kind: 'cut-off', writer: 'w2' }])
  })

  it('is made at the start, in between and at the end, and each vouches for the one before', async () => {
    const sink = new MemorySink()
    const writer = writerOver(sink, 'w1', { signer: SIGNER })
    writer.checkpoint('start')
    writer.write(event(1))
    writer.checkpoint('interval')
    writer.checkpoint('interval')
    await writer.close()
    writer.checkpoint('interval')
    expect([...sink.text.matchAll(/"why":"(\w+)"/g)].map(([, why]) => why)).toEqual([
      'start',
      'interval',
      'interval',
      'stop',
    ])
    expect(judge(sink.text, { keys: KEYS })).toMatchObject({ findings: [], notes: [] })
  })
})

describe('files that follow each other', () => {
  it('prove their seam, and miss what stands between', async () => {
    const sink = new MemorySink()
    sink.fullAt = 2_000
    const writer = writerOver(sink, 'w1', { signer: SIGNER })
    for (let n = 0; n < 60; n += 1) {
      writer.write(event(n))
      await writer.flush()
    }
    await writer.close()
    expect(sink.full.length).toBeGreaterThan(3)
    const files = Object.fromEntries([...sink.full, sink.text].map((text, index) => [`f${index}`, text]))
    expect(judge(files, { keys: KEYS })).toMatchObject({ findings: [], notes: [] })
    const { f1: _, ...without } = files
    expect(judge(without, { keys: KEYS }).findings[0]).toMatchObject({
      kind: 'missing',
      from: { file: 'f0' },
    })
    for (const text of sink.full) expect(linesOf(text).at(-2)).toContain('"why":"rotate"')
  })
})
