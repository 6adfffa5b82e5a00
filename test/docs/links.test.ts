// The documentation points only at what is there, and the project speaks of itself alone.
import { existsSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { describe, expect, it } from 'vitest'
import { anchorsOf, linksOf, trackedFiles } from './markdown.ts'

const pages = trackedFiles('*.md')

const faultOf = (page: string, link: string): string | undefined => {
  if (/^(?:https?|mailto):/.test(link)) return undefined
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? page : posix.normalize(posix.join(posix.dirname(page), path))
  if (target.startsWith('..')) return `${page}: \`${link}\` leads out of the project`
  if (!existsSync(target)) return `${page}: \`${link}\` is not there`
  if (anchor === undefined || anchorsOf(readFileSync(target, 'utf8')).has(anchor)) return undefined
  return `${page}: \`${link}\` names no heading of ${target}`
}

describe('links', () => {
  it('lead to files and headings that are there', () => {
    const faults = pages.flatMap((page) =>
      linksOf(readFileSync(page, 'utf8')).map((link) => faultOf(page, link)),
    )
    expect(faults.length).toBeGreaterThan(20)
    expect(faults.filter((fault) => fault !== undefined)).toEqual([])
  })

  it.each([
    ['README.md', 'docs/no-such-page.md'],
    ['README.md', '../elsewhere.md'],
    ['docs/nginx.md', '#no-such-heading'],
    ['docs/nginx.md', '../README.md#no-such-heading'],
  ])('are found out where %s points at %s', (page, link) => {
    expect(faultOf(page, link)).toBeDefined()
  })

  it('reach every page from the README', () => {
    const seen = new Set<string>()
    const visit = (page: string): void => {
      if (seen.has(page) || !page.endsWith('.md') || !existsSync(page)) return
      seen.add(page)
      for (const link of linksOf(readFileSync(page, 'utf8')))
        if (!link.includes(':'))
          visit(posix.normalize(posix.join(posix.dirname(page), link.split('#')[0] ?? '')))
    }
    visit('README.md')
    const missing = pages.filter(
      (page) => /^(?:docs|helm|policies)\/[^/]+\.md$/.test(page) && !seen.has(page),
    )
    expect(missing).toEqual([])
  })
})

// Each pattern is written so that it does not match its own text.
const FORBIDDEN: readonly RegExp[] = [
  /\/wor[k]\//,
  /\.\.\/share[d]\b/,
  /\/(?:hom[e]|User[s])\/[a-z]/,
  /\/tm[p]\/(?:brie[f]|bash_jo[b])/,
  /\bsub-?agent/i,
  /\b(?:c[l]aude|anthropi[c]|openA[I]|chatGP[T]|copilo[t]|LL[M]s?)\b/i,
  /\bregistr[y]\.(?!example)[a-z0-9-]+\.[a-z]{2,}/i,
  /\b(?:artifactor[y]|verdacci[o])\b/i,
  /\b(?:pyp[i]\.org|files\.pythonhosted|prox[y]\.golang\.org|repo1?\.mave[n]|deb\.debia[n]\.org)\b/,
  /\bthis (?:brie[f]|workplac[e]|sandbo[x])\b/i,
]

const isText = (bytes: Buffer): boolean => !bytes.subarray(0, 8000).includes(0)

describe('the project', () => {
  it('speaks of itself alone', () => {
    const files = trackedFiles().filter((file) => existsSync(file))
    expect(files.length).toBeGreaterThan(200)
    const found = files.flatMap((file) => {
      const bytes = readFileSync(file)
      if (!isText(bytes)) return []
      const lines = bytes.toString('utf8').split('\n')
      return lines.flatMap((line, index) =>
        FORBIDDEN.filter((pattern) => pattern.test(line)).map(
          (pattern) => `${file}:${index + 1}: ${pattern.source}`,
        ),
      )
    })
    expect(found).toEqual([])
  })

  it.each([
    ['see ', '/wor', 'k/main'].join(''),
    ['in ', '../shar', 'ed/rules.md'].join(''),
    ['a sub', '-agent wrote it'].join(''),
    ['https://regis', 'try.npmjs.org/x'].join(''),
  ])('would be found out by `%s`', (line) => {
    expect(FORBIDDEN.some((pattern) => pattern.test(line))).toBe(true)
  })
})
