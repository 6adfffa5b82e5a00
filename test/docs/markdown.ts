// Reads the documentation as a reader does: fenced blocks with what stands around them, links, headings and tables. Knows
// no more of Markdown than these pages use.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** One fenced block. */
export interface Block {
  readonly file: string
  /** Of the opening fence, from 1. */
  readonly line: number
  readonly language: string
  /** Without the indentation of its fence; ends in a line break. */
  readonly text: string
  /** What `<!-- test: … -->` lines right above it say to whoever runs it. */
  readonly directives: readonly string[]
  /** The `text` block that follows as the next block: what the page says is printed. */
  readonly shown: string | undefined
}

const FENCE = /^( *)```(\S*)$/
const DIRECTIVE = /^ *<!-- test: (.+) -->$/

/** Every file that git tracks, relative to the root of the project. */
export const trackedFiles = (...patterns: readonly string[]): readonly string[] =>
  execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z', ...patterns], {
    encoding: 'utf8',
  })
    .split('\0')
    .filter((file) => file !== '')

/** The pages that people read, in the order of their names. */
export const PAGES: readonly string[] = trackedFiles('*.md').filter(
  (file) => !file.startsWith('docs/adr/') && !file.startsWith('test/'),
)

/** The fenced blocks of a page. */
export const blocksOf = (file: string, text = readFileSync(file, 'utf8')): readonly Block[] => {
  const lines = text.split('\n')
  const blocks: Omit<Block, 'shown'>[] = []
  let directives: string[] = []
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? ''
    const [, indent, language = ''] = FENCE.exec(line) ?? []
    const directive = DIRECTIVE.exec(line)?.[1]
    if (indent === undefined) {
      directives =
        directive === undefined ? (line.trim() === '' ? directives : []) : [...directives, directive]
      continue
    }
    const end = lines.indexOf(`${indent}\`\`\``, at + 1)
    if (end < 0) throw new Error(`${file}:${at + 1}: the block has no end`)
    const inside = lines.slice(at + 1, end).map((one) => one.slice(indent.length))
    blocks.push({ file, line: at + 1, language, text: `${inside.join('\n')}\n`, directives })
    directives = []
    at = end
  }
  return blocks.map((block, index) => {
    const next = blocks[index + 1]
    return { ...block, shown: next?.language === 'text' ? next.text : undefined }
  })
}

/** All blocks of all pages in one language. */
export const blocksIn = (language: string): readonly Block[] =>
  PAGES.flatMap((file) => blocksOf(file)).filter((block) => block.language === language)

/** `docs/nginx.md:23`, for the name of a test. */
export const placeOf = ({ file, line }: Block): string => `${file}:${line}`

/** The page without its fenced blocks. */
export const proseOf = (text: string): string => text.replaceAll(/^( *)```[\s\S]*?^\1```$/gm, '')

/** Targets of `[text](target)`. */
export const linksOf = (text: string): readonly string[] =>
  [...proseOf(text).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '')

/** The anchors that headings make, as code forges make them. */
export const anchorsOf = (text: string): ReadonlySet<string> =>
  new Set(
    [...proseOf(text).matchAll(/^#{1,6} (.+)$/gm)].map((match) =>
      (match[1] ?? '')
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )

/**
 * The rows of the first table below a heading, each cell trimmed and without backticks around it.
 * @param heading its whole text, without `#`
 */
export const tableBelow = (file: string, heading: string): readonly (readonly string[])[] => {
  const text = readFileSync(file, 'utf8')
  const start = text.search(new RegExp(`^#+ ${heading.replaceAll(/[^\w\s-]/g, String.raw`\$&`)}$`, 'm'))
  if (start < 0) throw new Error(`${file}: no heading \`${heading}\``)
  const lines = text.slice(start).split('\n').slice(1)
  const first = lines.findIndex((line) => line.startsWith('|'))
  const length = lines.slice(first).findIndex((line) => !line.startsWith('|'))
  return lines
    .slice(first + 2, length < 0 ? undefined : first + length)
    .map((line) => cellsOf(line).map((cell) => cell.replace(/^`([^`]*)`$/, '$1')))
}

/** A `|` that is part of a cell is written `\|`. */
const cellsOf = (line: string): readonly string[] =>
  line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll(String.raw`\|`, '|'))

/**
 * Tells whether an output holds what a page shows of it, line after line.
 * @param shown `…` stands for anything within a line, a line `…` for any lines
 */
export const showsIn = (shown: string, output: string): boolean => {
  const lines = shown.trimEnd().split('\n')
  const pattern = lines.map((line) =>
    line.trim() === '…' ? '(?:.*\n)*?' : `${line.trimEnd().split('…').map(escaped).join('.*')}[ ]*\n`,
  )
  return new RegExp(`^${pattern.join('')}`, 'm').test(`${output.replaceAll('\r', '')}\n`)
}

const escaped = (text: string): string => text.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`)
