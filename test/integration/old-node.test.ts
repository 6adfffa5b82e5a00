// Under a Node that is too old the program says so and ends, whatever it was asked to do: half of it might run there,
// and nobody knows which half.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { describe, expect, it } from 'vitest'

const NEEDED = 24

const majorOf = (program: string): number =>
  Number(/^v(\d+)/.exec(execFileSync(program, ['--version'], { encoding: 'utf8' }))?.[1])

const old = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/usr/local/bin']
  .map((folder) => join(folder, 'node'))
  .find((program) => existsSync(program) && majorOf(program) < NEEDED)

describe('a Node that is too old', () => {
  if (old === undefined) console.warn(`SKIPPED ALOUD: no Node older than ${NEEDED} is here to be refused`)
  it.skipIf(old === undefined)('is refused by one line with what, why and how', () => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-old-'))
    const main = join(folder, 'main.mjs')
    writeFileSync(main, stripTypeScriptTypes(readFileSync('src/main.ts', 'utf8')))
    const { status, stdout, stderr } = spawnSync(old ?? '', [main, 'serve'], { encoding: 'utf8' })
    rmSync(folder, { recursive: true })
    expect([status, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/^error: this is Node \d+\.\d+\.\d+, .+ needs Node 24 or newer.*; .+\n$/)
    expect(stderr.split('\n')).toHaveLength(2)
  })

  it('is older than what the package asks for', () => {
    const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as { engines: { node: string } }
    expect(manifest.engines.node).toBe(`>=${NEEDED}`)
    expect(readFileSync('src/main.ts', 'utf8')).toContain(`NODE_NEEDED = ${NEEDED}`)
    expect(majorOf(process.execPath)).toBeGreaterThanOrEqual(NEEDED)
  })
})
