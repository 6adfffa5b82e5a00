// The demo's policies are what a newcomer reads first: they load, they hold what their tests say, and every rule has one.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { demoPolicies } from '../../../src/demo/policies.ts'

const run = promisify(execFile)
let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-demo-policies-'))
  for (const [name, text] of Object.entries(demoPolicies('postern.localhost')))
    await writeFile(join(folder, name), text)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe("the demo's policies", () => {
  it('have no error, and no warning but that runbooks drop what their parent allows', async () => {
    const { stdout } = await run(process.execPath, ['src/main.ts', 'check', folder])
    const codes = [...stdout.matchAll(/: (?:error|warning) ([EW]\d+)/g)].map(([, code]) => code)
    expect(codes.filter((code) => code !== 'W22')).toEqual([])
  })

  it('pass their own tests, which reach every rule', async () => {
    const { stderr } = await run(process.execPath, ['src/main.ts', 'test', folder])
    expect(stderr).toMatch(/ 0 failed; (\d+) of \1 rules reached/)
  })
})
