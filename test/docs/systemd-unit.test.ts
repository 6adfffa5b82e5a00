// The unit of docs/operations.md is one that systemd reads, and starts the command that there is.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { findProgram } from '../../scripts/debian-packages.ts'
import { runPostern } from '../support/postern-process.ts'
import { blocksOf } from './markdown.ts'

const unit = blocksOf('docs/operations.md').find(({ language }) => language === 'ini')?.text ?? ''
const valueOf = (key: string): string | undefined => new RegExp(`^${key}=(.*)$`, 'm').exec(unit)?.[1]

const run = (
  program: string,
  args: readonly string[],
): Promise<{ readonly code: number; readonly output: string }> =>
  new Promise((resolve) => {
    const child = execFile(program, [...args], (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, output: stdout + stderr }),
    )
  })

describe('the unit', () => {
  it('starts a command with options that there are', async () => {
    const [, , command = '', ...options] = valueOf('ExecStart')?.split(' ') ?? []
    expect([command, ...options]).toEqual(['serve', '-c', '/etc/postern/postern.yaml'])
    const { stdout } = await runPostern([command, '--help'])
    expect(stdout).toContain('-c, --config')
  })

  it('waits longer for the end than the end takes', async () => {
    // Five seconds of draining, ten for requests under way.
    expect(Number(valueOf('TimeoutStopSec'))).toBeGreaterThan(15)
  })

  const analyze = findProgram('systemd-analyze')
  if (analyze === undefined) console.warn('SKIPPED ALOUD: nothing reads the unit without systemd-analyze')
  it.skipIf(analyze === undefined)('is read by systemd without a word', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-unit-'))
    const file = join(folder, 'postern.service')
    writeFileSync(file, unit.replaceAll('/opt/postern', process.cwd()))
    const verify = ['verify', '--man=no', '--recursive-errors=no']
    expect(await run(analyze ?? '', [...verify, file])).toEqual({ code: 0, output: '' })
    writeFileSync(
      file,
      unit.replaceAll('/opt/postern', process.cwd()).replace('NoNewPrivileges', 'NoNewPrivilege'),
    )
    expect((await run(analyze ?? '', [...verify, file])).output).toContain('NoNewPrivilege')
    rmSync(folder, { recursive: true })
  })
})
