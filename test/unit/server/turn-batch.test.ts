import { describe, expect, it } from 'vitest'
import { makeTurnBatch } from '../../../src/server/turn-batch.ts'

const recorder = () => {
  const turns: (() => void)[] = []
  const batches: string[][] = []
  const put = makeTurnBatch<string>(
    (items) => void batches.push([...items]),
    (run) => void turns.push(run),
  )
  return { turns, batches, put }
}

describe('what one turn put in', () => {
  it('is done together at its end, in order, and asks for one end only', () => {
    const { turns, batches, put } = recorder()
    for (const item of ['a', 'b', 'c']) put(item)
    expect([turns.length, batches]).toEqual([1, []])
    turns[0]?.()
    expect(batches).toEqual([['a', 'b', 'c']])
  })

  it('is done once; what comes while it is done belongs to the next turn', () => {
    const turns: (() => void)[] = []
    const done: string[] = []
    const put = makeTurnBatch<string>(
      (items) => {
        for (const item of items) {
          done.push(item)
          if (item === 'a') put('later')
        }
      },
      (run) => void turns.push(run),
    )
    put('a')
    put('b')
    turns[0]?.()
    expect([done, turns.length]).toEqual([['a', 'b'], 2])
    turns[1]?.()
    expect(done).toEqual(['a', 'b', 'later'])
  })

  it('does not wait for another: a lone one is done when the turn ends', async () => {
    const done = await new Promise<readonly string[]>((resolve) => {
      makeTurnBatch<string>(resolve)('alone')
    })
    expect(done).toEqual(['alone'])
  })
})
