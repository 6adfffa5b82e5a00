// Half a policy may be a whole one, and a wider one: what is written in place is loaded only once it has come to rest.
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { folderPrint, isWrittenInPlace } from '../../../src/policy-file/folder-print.ts'
import { watchFolder } from '../../../src/policy-file/folder-watch.ts'

let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-watch-'))
})

afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

const write = (name: string, text: string): void => writeFileSync(join(folder, name), text)

/** Writes beside, then renames; the write lies back, as it does for anybody but a test. */
const put = (name: string, text: string): void => {
  write('.next', text)
  utimesSync(join(folder, '.next'), 1_700_000_000, 1_700_000_000)
  renameSync(join(folder, '.next'), join(folder, name))
}

describe('a file is taken for one that may still be under way', () => {
  const changedBy = async (change: () => void): Promise<boolean> => {
    put('app.yaml', 'route: app\n')
    const before = await folderPrint(folder)
    change()
    const now = await folderPrint(folder)
    expect(now.text).not.toBe(before.text)
    return isWrittenInPlace(before, now)
  }

  it('when it was written where it stands', async () => {
    expect(await changedBy(() => write('app.yaml', 'route: app\nowner: me\n'))).toBe(true)
  })

  it('when it was written anew', async () => {
    expect(await changedBy(() => write('other.yaml', 'route: other\n'))).toBe(true)
  })

  it('when it was taken away and written again, as some editors do', async () => {
    const again = (): void => {
      rmSync(join(folder, 'app.yaml'))
      write('app.yaml', 'route: app\nowner: me\n')
    }
    expect(await changedBy(again)).toBe(true)
  })

  it('not when it was renamed into place, over another one or not', async () => {
    expect(await changedBy(() => put('app.yaml', 'route: app\nowner: me\n'))).toBe(false)
    expect(await changedBy(() => put('other.yaml', 'route: other\n'))).toBe(false)
  })

  it('not when it went', async () => {
    expect(await changedBy(() => rmSync(join(folder, 'app.yaml')))).toBe(false)
  })

  it('not when the symlink of a ConfigMap volume was swapped', async () => {
    const publish = (version: string, text: string): void => {
      mkdirSync(join(folder, version))
      write(join(version, 'app.yaml'), text)
      symlinkSync(version, join(folder, '..next'))
      renameSync(join(folder, '..next'), join(folder, '..data'))
    }
    publish('..1', 'route: app\n')
    symlinkSync('..data/app.yaml', join(folder, 'app.yaml'))
    const before = await folderPrint(folder)
    publish('..2', 'route: app\nowner: me\n')
    expect(isWrittenInPlace(before, await folderPrint(folder))).toBe(false)
  })

  it('when the whole folder was made and filled, and not when it was renamed into place', async () => {
    const before = await folderPrint(folder)
    rmSync(folder, { recursive: true })
    mkdirSync(folder)
    write('app.yaml', 'route: app\n')
    expect(isWrittenInPlace(before, await folderPrint(folder))).toBe(true)
    const next = `${folder}-next`
    mkdirSync(next)
    writeFileSync(join(next, 'app.yaml'), 'route: app\n')
    utimesSync(next, 1_700_000_000, 1_700_000_000)
    renameSync(folder, `${folder}-last`)
    renameSync(next, folder)
    rmSync(`${folder}-last`, { recursive: true })
    expect(isWrittenInPlace(before, await folderPrint(folder))).toBe(false)
  })
})

describe('a watch', () => {
  const TIMES = { restMs: 100, inPlaceRestMs: 2_000, pollMs: 3_600_000 }

  /** Changes, and goes on with one step for each pause that the watch makes. @returns pauses until the first load */
  const pausesUntilLoaded = async (
    change: () => void,
    steps: readonly (() => void)[],
  ): Promise<readonly number[]> => {
    put('app.yaml', 'route: app\n')
    const inForce = await folderPrint(folder)
    change()
    const pauses: number[] = []
    const loaded = vi.fn<(when: readonly number[]) => Promise<void>>(() => Promise.resolve())
    const pause = (durationMs: number): Promise<void> => {
      steps[pauses.length]?.()
      pauses.push(durationMs)
      return Promise.resolve()
    }
    const end = watchFolder(folder, { ...TIMES, pause }, inForce, () => loaded([...pauses]))
    await vi.waitFor(() => expect(loaded).toHaveBeenCalled(), { timeout: 20_000 })
    end()
    return loaded.mock.calls[0]?.[0] ?? []
  }

  it('loads half a file only when nothing has followed for the whole rest', async () => {
    const half = (): void => write('app.yaml', 'route: app\nallow: everybody\n')
    const more = (): void => write('app.yaml', 'route: app\nallow: everybody\ndeny: almost\n')
    const whole = (): void => write('app.yaml', 'route: app\nallow: everybody\ndeny: almost everybody\n')
    expect(await pausesUntilLoaded(half, [more, whole])).toEqual([2_000, 2_000, 2_000])
    expect(await pausesUntilLoaded(half, [])).toEqual([2_000])
  })

  it('loads at once what was renamed into place', async () => {
    expect(await pausesUntilLoaded(() => put('app.yaml', 'route: app\nowner: me\n'), [])).toEqual([100])
  })

  it('waits longer when a file is written in place while one was renamed', async () => {
    const renamed = (): void => put('app.yaml', 'route: app\nowner: me\n')
    const written = (): void => write('other.yaml', 'route: other\n')
    expect(await pausesUntilLoaded(renamed, [written])).toEqual([100, 2_000])
  })
})
