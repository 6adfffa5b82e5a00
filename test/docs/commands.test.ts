// Every command of the documentation is run as it stands there, and prints what the page shows. A block says to whoever
// runs it, in a `<!-- test: … -->` line above it: `configured` (the files of a service are there), `with-service` (it
// runs), `until-ready` (it does not end), `eventually` (it is asked until it shows that), `exit N`, `file NAME` (the block
// is that file). The blocks of one page share one folder, in their order.
import { existsSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findProgram } from '../../scripts/debian-packages.ts'
import { blocksOf, PAGES, placeOf, showsIn, type Block } from './markdown.ts'
import { makeWorkbench, type Workbench } from './workbench.ts'

/** Commands that would run this very suite, or install; each with what runs it. */
const RUN_ELSEWHERE: Readonly<Record<string, string>> = {
  'npm ci && npm run demo\n': 'test/browser/demo.test.ts',
  'npm cit\n': '.ci/run',
}

const CONFIGURATION = blocksOf('docs/configuration.md').find((block) => block.text.includes('publicUrl:'))

/** `explain` ends with 1 where the answer is no, which is what a page may want to show. */
const mayEndWith = ({ directives, text }: Block): readonly number[] => {
  const said = directives.flatMap((one) => /^exit (\d)$/.exec(one)?.[1] ?? [])
  if (said.length > 0) return said.map(Number)
  return /\bexplain [^\n]*\n$/.test(text) ? [0, 1] : [0]
}

const fileOf = (block: Block): string | undefined =>
  block.directives.map((one) => /^file (\S+)$/.exec(one)?.[1]).find((name) => name !== undefined)

type Ended = Awaited<ReturnType<Workbench['run']>>

/** Each try starts a program, so that this many are a bound in time too. */
const MAX_TRIES = 500

const isStillComing = (block: Block, output: string): boolean =>
  block.directives.includes('eventually') && block.shown !== undefined && !showsIn(block.shown, output)

const run = async (bench: Workbench, block: Block): Promise<void> => {
  if (block.directives.includes('configured')) bench.configure()
  if (block.directives.includes('with-service')) await bench.startService()
  const once = (): Promise<Ended> =>
    block.directives.includes('until-ready') ? bench.runUntilReady(block.text) : bench.run(block.text)
  let { code, output } = await once()
  for (let tries = 0; isStillComing(block, output) && tries < MAX_TRIES; tries += 1)
    ({ code, output } = await once())
  if (!mayEndWith(block).includes(code)) expect([code, output], placeOf(block)).toEqual([0, ''])
  if (block.shown !== undefined && !showsIn(block.shown, output)) expect(output).toBe(block.shown)
}

/** Tells aloud where the machine lacks a program that the commands of a page need. */
const lacksProgram = (page: string): boolean => {
  const scripts = blocksOf(page).flatMap((block) => (block.language === 'sh' ? [block.text] : []))
  const needed = ['curl', 'openssl'].filter((name) => scripts.some((script) => script.includes(`${name} `)))
  const missing = ['bash', ...needed].filter((name) => findProgram(name) === undefined)
  if (missing.length > 0) console.warn(`SKIPPED ALOUD: the commands of ${page} need ${missing.join(', ')}`)
  return missing.length > 0
}

const commandPages = PAGES.filter((page) => blocksOf(page).some(({ language }) => language === 'sh'))

describe.each(commandPages.filter((page) => !lacksProgram(page)))('%s', (page) => {
  const blocks = blocksOf(page)
  let bench: Workbench

  beforeAll(async () => {
    bench = await makeWorkbench(CONFIGURATION?.text ?? '')
  })
  afterAll(() => bench.remove())

  for (const block of blocks) {
    const name = fileOf(block)
    const suite = RUN_ELSEWHERE[block.text]
    if (name !== undefined) it(`line ${block.line} is the file ${name}`, () => bench.write(name, block.text))
    else if (block.language === 'sh' && suite !== undefined)
      it(`line ${block.line} is run by ${suite}`, () => expect(existsSync(suite)).toBe(true))
    else if (block.language === 'sh') it(`line ${block.line} does what it says`, () => run(bench, block))
  }
})

describe('the README', () => {
  it('begins with the one command that shows everything', () => {
    const [first] = blocksOf('README.md').filter(({ language }) => language === 'sh')
    expect(first?.text).toBe('npm ci && npm run demo\n')
    expect(readFileSync('README.md', 'utf8').split('npm ci && npm run demo').length).toBe(2)
  })
})

describe('shown output', () => {
  it('is compared line by line, with room for what differs', () => {
    expect(showsIn('a … c\n', 'x\na b c\ny\n')).toBe(true)
    expect(showsIn('a\n…\nd\n', 'a\nb\nc\nd\n')).toBe(true)
  })

  it.each([
    ['a … c\n', 'a b d\n'],
    ['a\nc\n', 'a\nb\nc\n'],
    ['a\n…\nd\n', 'a\nb\n'],
  ])('is missed where %j is not in %j', (shown, output) => {
    expect(showsIn(shown, output)).toBe(false)
  })
})
