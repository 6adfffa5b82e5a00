// Whoever can write the log and has no key cannot make another one of it that the key calls whole.
import { beforeAll, describe, expect, it } from 'vitest'
import {
  checkpointLine,
  blockLine,
  NOTHING,
  parseBlock,
  parseCheckpoint,
  sha256,
} from '../../../src/audit/seal-line.ts'
import { event, judge, keysOf, MemorySink, NOW, PUBLIC_PEM, SIGNER, writerOver } from './sealed-log.ts'

const KEYS = keysOf(PUBLIC_PEM)
const HOUR_MS = 3_600_000
const linesOf = (text: string): readonly string[] => text.match(/[^\n]*\n/g) ?? []
const iso = (ms: number): string => new Date(ms).toISOString()

/** What a forger seals: lines without a number, in blocks, behind what he keeps. */
const sealedBehind = (
  kept: readonly string[],
  blocks: readonly (readonly string[])[],
  isClosed: boolean,
): string => {
  let seq = 0
  let block = 0
  let prev = NOTHING
  for (const line of kept) {
    const seal = parseBlock(line.trimEnd())
    if (seal !== undefined) ({ seq, block, proof: prev } = seal)
  }
  const out = [...kept]
  for (const [index, bodies] of blocks.entries()) {
    const first = seq + 1
    const lines = bodies.map((body) => {
      seq += 1
      return body.includes('"seq":') ? body : `${body},"seq":${seq},"w":"w1"}\n`
    })
    block += 1
    const seal = blockLine({
      ts: iso(NOW),
      block,
      first,
      last: seq,
      lines: lines.length,
      sha256: sha256(lines.join('')),
      prev,
      end: isClosed && index === blocks.length - 1,
      seq: seq + 1,
      writer: 'w1',
    })
    seq += 1
    prev = seal.hash
    out.push(...lines, seal.text)
  }
  return out.join('')
}

const forgedBody = (ms = NOW): string => `{"v":1,"type":"login","ts":"${iso(ms)}","who":"mallory"`

let good = ''
let lines: readonly string[] = []
/** Lines up to the end of the block of that checkpoint. */
const upTo = (why: string): readonly string[] =>
  lines.slice(0, lines.findIndex((line) => line.includes(`"why":"${why}"`)) + 2)
const kinds = (text: string): readonly string[] =>
  judge(text, { keys: KEYS }).findings.map(({ kind }) => kind)

/** The chain of a writer that found this log. */
const chainBehind = async (writerId: string, log: string): Promise<string> => {
  const sink = new MemorySink()
  const writer = writerOver(sink, writerId, { signer: SIGNER, checkpointMs: HOUR_MS })
  const after = parseBlock((linesOf(log).at(-1) ?? '').trimEnd())?.proof
  writer.write({ v: 1, type: 'log.resume', ts: iso(NOW), after, bytes: 0, sha256: NOTHING })
  writer.checkpoint('start')
  writer.write(event(1))
  await writer.close()
  return sink.text
}

beforeAll(async () => {
  const sink = new MemorySink()
  const writer = writerOver(sink, 'w1', { signer: SIGNER, checkpointMs: HOUR_MS })
  writer.checkpoint('start')
  for (let n = 0; n < 8; n += 1) {
    writer.write(event(n))
    await writer.flush()
    if (n === 3) writer.checkpoint('interval')
  }
  await writer.close()
  good = sink.text
  lines = linesOf(good)
})

describe('without the key', () => {
  it('the log as it was written is whole', () => {
    expect(judge(good, { keys: KEYS })).toMatchObject({ findings: [], notes: [] })
  })

  it('nobody rewrites it whole around the checkpoints that are in it', () => {
    const bodies = lines.slice(0, -1).map((line) => {
      const seal = parseBlock(line.trimEnd())
      return seal === undefined
        ? line.replace('"n":', '"m":')
        : `${forgedBody()},"seq":${seal.seq},"w":"w1"}\n`
    })
    const forged = sealedBehind([], [bodies], true)
    expect(judge(forged, { keys: KEYS }).findings).toContainEqual(
      expect.objectContaining({ kind: 'edited', what: expect.stringMatching(/checkpoint/) }),
    )
    expect(kinds(forged)).toContain('unsigned')
  })

  it('nobody puts a line into the block of a checkpoint, before it or behind it', () => {
    const start = lines[0] ?? ''
    expect(kinds(sealedBehind([], [[start, forgedBody()]], false))).toEqual(['edited'])
    const at = lines.findIndex((line) => line.includes('"why":"interval"'))
    const kept = lines.slice(0, at)
    expect(kinds(sealedBehind(kept, [[lines[at] ?? '']], false))).toEqual([])
    expect(kinds(sealedBehind(kept, [[forgedBody(), lines[at] ?? '']], false))).not.toEqual([])
  })

  it('nobody moves a checkpoint behind other blocks: its head, its block and its numbers are compared', () => {
    const at = lines.findIndex((line) => line.includes('"why":"interval"'))
    const seals = lines.slice(0, at).filter((line) => parseBlock(line.trimEnd()) !== undefined).length
    const blocks = Array.from({ length: seals - 1 }, () => [forgedBody()])
    const moved = sealedBehind(upTo('start'), [...blocks, [lines[at] ?? '']], false)
    expect(kinds(moved)).toEqual(['edited'])
  })

  it('nobody leaves the first checkpoint out and says that it began there', () => {
    const forged = checkpointLine(
      {
        ts: iso(NOW),
        why: 'start',
        everySeconds: undefined,
        block: 0,
        last: 0,
        head: NOTHING,
        prev: sha256('another'),
        key: SIGNER.keyId,
        seq: 1,
        writer: 'w1',
      },
      SIGNER.sign,
    ).text
    expect(kinds(sealedBehind([], [[forged]], false))).toEqual(['edited', 'unsigned'])
  })

  it('nobody closes a chain: who closes it signs', () => {
    const blocks = Array.from({ length: 6 }, () => [forgedBody()])
    expect(kinds(sealedBehind(upTo('start'), blocks, true))).toEqual(['unsigned'])
    const stop = lines.slice(0, -2)
    expect(kinds(sealedBehind(stop, [[forgedBody()]], true))).toEqual(['unsigned'])
  })

  it('nobody closes it at a checkpoint that was not the last one', () => {
    const kept = upTo('interval')
    const early = sealedBehind(kept.slice(0, -2), [[kept.at(-2) ?? '']], true)
    expect(kinds(early)).toEqual(['unsigned'])
  })

  it('nobody goes on behind the checkpoint that was the last one', () => {
    const longer = sealedBehind(lines.slice(0, -2), [[lines.at(-2) ?? ''], [forgedBody()]], false)
    expect(kinds(longer)).toEqual(['edited'])
  })

  it('nobody goes on for longer than the time in which a checkpoint is due, sealed or not', () => {
    const kept = upTo('interval')
    const within = sealedBehind(kept, [[forgedBody(NOW + HOUR_MS)]], false)
    const judged = judge(within, { keys: KEYS })
    expect([judged.findings, judged.notes.map(({ kind }) => kind)]).toEqual([[], ['open', 'not-signed']])
    const late = NOW + HOUR_MS + 61_000
    expect(kinds(sealedBehind(kept, [[forgedBody(late)], [forgedBody()]], false))).toEqual(['unsigned'])
    const { seq } = parseBlock((kept.at(-1) ?? '').trimEnd()) ?? { seq: 0 }
    const torn = `${kept.join('')}${forgedBody(late)},"seq":${seq + 1},"w":"w1"}\n`
    expect(kinds(torn)).toEqual(['unsigned'])
  })

  it('nobody puts a log of lines that no block ends in its place', () => {
    const torn = [1, 2, 3].map((seq) => `${forgedBody()},"seq":${seq},"w":"w9"}\n`).join('')
    expect(kinds(torn)).toEqual(['unsigned'])
    expect(judge(torn).findings).toEqual([])
    expect(kinds(lines[0] ?? '')).toEqual([])
  })

  it('nobody puts whole chains in another order, or takes one out from between two', async () => {
    const next = await chainBehind('w2', good)
    const last = await chainBehind('w3', next)
    expect(kinds(good + next + last)).toEqual([])
    expect(kinds(good + last)).toEqual(['cut-off'])
    expect(kinds(next + good)).toEqual(['reordered'])
    expect(kinds(last + good + next)).toEqual(['reordered'])
    const begun = judge(next + last, { keys: KEYS })
    expect([begun.findings, begun.notes.map(({ kind }) => kind)]).toEqual([[], ['begins-late']])
  })

  it('nobody takes the line out that names what a writer found', async () => {
    const next = await chainBehind('w2', good)
    expect(kinds(good + linesOf(next).slice(1).join(''))).toEqual(['missing'])
  })

  it('nobody takes a checkpoint of one writer for another', () => {
    const line = (lines[0] ?? '').replace('"w":"w1"', '"w":"w2"')
    const read = parseCheckpoint(line.trimEnd())
    expect(read?.writer).toBe('w2')
    expect(kinds(sealedBehind([], [[line]], false))).toContain('signature')
  })
})
