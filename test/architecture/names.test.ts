// A newcomer finds his room from the tree alone: no file is named after what it is not.
import { globSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const EMPTY_NAMES = /(^|\/)(utils?|helpers?|common|misc|shared|managers?|services?|types|constants)(\.ts$|\/)/
const files = [...globSync('src/**/*.ts'), ...globSync('test/**/*.ts'), ...globSync('scripts/**/*.ts')]

describe('names', () => {
  it('say something', () => {
    expect(files.length).toBeGreaterThan(20)
    expect(files.filter((file) => EMPTY_NAMES.test(file))).toEqual([])
  })

  it('are kebab-case', () => {
    expect(files.filter((file) => !/^[a-z0-9./-]+$/.test(file))).toEqual([])
  })

  it('head each source file with what it is for', () => {
    expect(
      files.filter((file) => file.startsWith('src/') && !/^(#!.*\n)?\/\//.test(readFileSync(file, 'utf8'))),
    ).toEqual([])
  })
})

describe('policy/', () => {
  it('knows no clock and no chance', () => {
    const impure =
      /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bprocess\.|\bfetch\(|\bsetTimeout\b|\bcrypto\b/
    const found = globSync('src/policy/*.ts').filter((file) => impure.test(readFileSync(file, 'utf8')))
    expect(found).toEqual([])
  })
})
