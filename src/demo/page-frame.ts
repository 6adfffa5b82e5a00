// The frame of the demo's own pages (provider and applications): one look, no script, nothing fetched from outside.
import { html, raw } from 'hono/html'

export type Html = ReturnType<typeof html>

const STYLE = `
:root { color-scheme: light dark; --ink: #1c2330; --soft: #5a6475; --paper: #f6f7f9; --card: #fff; --line: #d9dee6; --accent: #2456c7; --good: #17683a; --bad: #a4262c }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf2; --soft: #a3aec0; --paper: #12161d; --card: #1a202a; --line: #323b49; --accent: #8fb2ff; --good: #76d19b; --bad: #ff9c9c } }
* { box-sizing: border-box }
body { margin: 0; font: 16px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--paper) }
header, main, footer { max-width: 44rem; margin: 0 auto; padding: 1rem }
header { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: baseline; border-bottom: 1px solid var(--line) }
header strong { font-size: 1.1rem }
header .who { margin-left: auto; color: var(--soft); overflow-wrap: anywhere }
.demo { font-size: .75rem; font-weight: 700; letter-spacing: .08em; border: 1px solid currentColor; border-radius: .3rem; padding: .05rem .4rem; color: var(--soft) }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1rem 1.25rem; margin: 1rem 0 }
.card h2 { font-size: 1.1rem; margin: 0 0 .5rem }
.good { color: var(--good) } .bad { color: var(--bad) }
a { color: var(--accent) }
label { display: block; margin: .75rem 0 .25rem; font-weight: 600 }
.check { display: flex; gap: .5rem; align-items: baseline; font-weight: 400 }
input:not([type=checkbox]), textarea { width: 100%; font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--soft); border-radius: .4rem; padding: .5rem .6rem }
button { font: inherit; font-weight: 600; margin-top: 1rem; padding: .5rem 1.2rem; border: 0; border-radius: .4rem; background: var(--accent); color: var(--card); cursor: pointer }
button + button { margin-left: .5rem; background: none; color: var(--accent); border: 1px solid var(--accent) }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: 0 } dt { color: var(--soft) } dd { margin: 0; overflow-wrap: anywhere }
footer { color: var(--soft); font-size: .875rem; overflow-wrap: anywhere }
svg { width: 100%; height: 8rem; display: block } polyline { fill: none; stroke: var(--accent); stroke-width: 2 }
`

export interface Page {
  readonly title: string
  /** Name of the site, in the head line. */
  readonly site: string
  readonly who: string | undefined
  readonly content: Html
  readonly foot: string
  /** Path of a script of the same site, deferred. */
  readonly script?: string
}

/** A whole document. Everything in `page` is escaped except `content`, which is built with `html`. */
export const pageFrame = (page: Page): Html =>
  html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${page.title} · ${page.site} (DEMO)</title>
        <link rel="icon" href="data:," />
        <style>
          ${raw(STYLE)}
        </style>
        ${page.script === undefined ? '' : html`<script src="${page.script}" defer></script>`}
      </head>
      <body>
        <header>
          <strong>${page.site}</strong>
          <span class="demo">DEMO</span
          >${page.who === undefined ? '' : html`<span class="who">${page.who}</span>`}
        </header>
        <main>${page.content}</main>
        <footer>${page.foot}</footer>
      </body>
    </html> `
