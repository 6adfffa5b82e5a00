// The set in force changes whole, or stays: what cannot be loaded leaves the last good one in place.
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { loadPolicies } from '../../../src/policy-file/load.ts'
import { openPolicyStore, type PolicyEvent, type PolicyStore } from '../../../src/policy-file/store.ts'

let folder = ''
let events: PolicyEvent[] = []
let nowMs = 1_000

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-store-'))
  events = []
  nowMs = 1_000
})

afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

const policy = (route: string, more = ''): string =>
  `apiVersion: postern/v1\nroute: ${route}\nhosts: [${route}.example.com]\n${more}sections:\n- path: /\n  allow:\n  - {id: view, groups: [eng]}\n`

const write = (name: string, text: string): void => writeFileSync(join(folder, name), text)

const open = async (): Promise<PolicyStore> => {
  const opened = await openPolicyStore({ folder, nowMs: () => nowMs, onEvent: (event) => events.push(event) })
  if (opened.kind === 'refused') throw new Error(opened.issues.map((issue) => issue.what).join())
  return opened.store
}

const routesOf = (store: PolicyStore): readonly string[] => [...store.current().routes.keys()]

describe('a reload', () => {
  it('puts the new set in force and counts it', async () => {
    write('wiki.yaml', policy('wiki'))
    const store = await open()
    expect(store.status()).toMatchObject({ generation: 1, loadedAtMs: 1_000, routes: 1, refusal: undefined })
    write('grafana.yaml', policy('grafana'))
    nowMs = 2_000
    expect(await store.reload()).toMatchObject({ kind: 'loaded', generation: 2, routes: 2 })
    expect(routesOf(store)).toEqual(['grafana', 'wiki'])
    expect(store.status()).toMatchObject({
      generation: 2,
      loadedAtMs: 2_000,
      revision: store.current().revision,
    })
    expect(events.map((event) => event.kind)).toEqual(['loaded'])
  })

  it('gives the very set that a cold start gives', async () => {
    write('wiki.yaml', policy('wiki'))
    const store = await open()
    write('shared.yaml', policy('shared').replace('shared.example', '"*.example').replace('com]', 'com"]'))
    write(
      'below.yaml',
      policy('below').replace('below.example', 'wiki.example').replace('path: /', 'path: /below'),
    )
    await store.reload()
    const cold = await loadPolicies(folder)
    expect(cold.kind === 'loaded' && cold.set).toEqual(store.current())
    expect(cold.kind === 'loaded' && cold.files).toEqual(store.files())
  })

  it('changes nothing when the bytes are the same', async () => {
    write('wiki.yaml', policy('wiki'))
    const store = await open()
    const before = store.current()
    write('wiki.yaml', policy('wiki'))
    expect((await store.reload()).kind).toBe('unchanged')
    expect(store.current()).toBe(before)
    expect(store.status().generation).toBe(1)
  })

  it('that is refused keeps the last good set, says why, and forgets it once the folder is mended', async () => {
    write('wiki.yaml', policy('wiki'))
    const store = await open()
    const before = store.current()
    write('wiki.yaml', policy('wiki', 'ownr: team\n'))
    write('grafana.yaml', policy('grafana'))
    nowMs = 3_000
    expect(await store.reload()).toMatchObject({ kind: 'refused', keeps: before.revision })
    expect(store.current()).toBe(before)
    expect(store.status().refusal).toMatchObject({ atMs: 3_000, issues: [{ code: 'E01', line: 4, col: 1 }] })
    write('wiki.yaml', policy('wiki'))
    rmSync(join(folder, 'grafana.yaml'))
    expect((await store.reload()).kind).toBe('unchanged')
    expect(store.status().refusal).toBeUndefined()
  })

  it('of a folder that is gone keeps the last good set', async () => {
    write('wiki.yaml', policy('wiki'))
    const store = await open()
    rmSync(folder, { recursive: true })
    expect((await store.reload()).kind).toBe('refused')
    expect(routesOf(store)).toEqual(['wiki'])
  })

  it('asked for many times at once ends with the newest bytes', async () => {
    write('wiki.yaml', policy('wiki'))
    const store = await open()
    const asked = ['a', 'b', 'c'].map((route) => {
      write(`${route}.yaml`, policy(route))
      return store.reload()
    })
    await Promise.all(asked)
    expect(routesOf(store)).toEqual(['a', 'b', 'c', 'wiki'])
  })
})

describe('a cold start', () => {
  it('is refused for a folder that does not load: there is no last good set', async () => {
    write('wiki.yaml', 'route: wiki\n')
    const opened = await openPolicyStore({ folder, nowMs: () => nowMs, onEvent: () => undefined })
    expect(opened.kind).toBe('refused')
  })
})

describe('a watch', () => {
  const watched = async (store: PolicyStore, run: () => Promise<void>): Promise<void> => {
    const end = store.watch({ restMs: 20, inPlaceRestMs: 20, pollMs: 50 })
    try {
      await run()
    } finally {
      end()
    }
  }
  const seen = (store: PolicyStore, routes: readonly string[]): Promise<void> =>
    vi.waitFor(() => expect(routesOf(store)).toEqual(routes), { timeout: 20_000, interval: 20 })

  it('loads a file that appears, and drops one that goes', async () => {
    write('wiki.yaml', policy('wiki'))
    const store = await open()
    await watched(store, async () => {
      write('grafana.yaml', policy('grafana'))
      await seen(store, ['grafana', 'wiki'])
      rmSync(join(folder, 'wiki.yaml'))
      await seen(store, ['grafana'])
    })
  })

  it('follows a ConfigMap volume whose data symlink is swapped', async () => {
    const version = (name: string, route: string): void => {
      mkdirSync(join(folder, name))
      write(join(name, 'app.yaml'), policy(route))
      symlinkSync(name, join(folder, '..data_tmp'))
      renameSync(join(folder, '..data_tmp'), join(folder, '..data'))
    }
    version('..one', 'wiki')
    symlinkSync('..data/app.yaml', join(folder, 'app.yaml'))
    const store = await open()
    await watched(store, async () => {
      version('..two', 'grafana')
      await seen(store, ['grafana'])
    })
  })

  it('keeps the last good set while a file is half written', async () => {
    write('wiki.yaml', policy('wiki'))
    const store = await open()
    await watched(store, async () => {
      write('wiki.yaml', policy('wiki').slice(0, -12))
      await vi.waitFor(() => expect(store.status().refusal).toBeDefined(), { timeout: 20_000, interval: 20 })
      expect(routesOf(store)).toEqual(['wiki'])
      write('wiki.yaml', policy('grafana'))
      await seen(store, ['grafana'])
      expect(store.status().refusal).toBeUndefined()
    })
  })
})
