// The frame of every page: language, title, style, one column. Works without JavaScript and at 320 px.
import { instantText, WORDS } from './catalogue.ts'
import { markup, trusted, type Fragment, type Markup } from './markup.ts'
import { SCRIPT } from './script.ts'
import { STYLE } from './style.ts'

export interface Frame {
  readonly title: string
  readonly body: Markup
  /** Extra markup of the head, e.g. a refresh. */
  readonly head?: Markup
  /** True where the script of {@link SCRIPT} has something to improve. */
  readonly script?: boolean
}

/** A whole document. */
export const documentOf = ({ title, body, head, script }: Frame): string =>
  String(markup`<!doctype html>
<html lang="${WORDS.language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title} · ${WORDS.product}</title>
${head}
<style>${trusted(STYLE)}</style>
</head>
<body>
<main>
<article>
<h1>${title}</h1>
${body}
</article>
<footer>${WORDS.product}</footer>
</main>
${script === true ? markup`<script>${trusted(SCRIPT)}</script>` : undefined}
</body>
</html>
`)

/** A row of links that look like buttons; the first one is what most people want. */
export const deeds = (links: readonly Markup[], column = false): Markup =>
  markup`<ul class="${column ? 'deeds column' : 'deeds'}">
    ${links.map((link) => markup`<li>${link}</li>`)}
  </ul>`

export const deed = (href: string, label: string, first = false): Markup =>
  markup`<a class="${first ? 'deed first' : 'deed'}" href="${href}">${label}</a>`

/** A link to sign-in, which hands the fragment of the page that it is on to where it leads. */
export const signInDeed = (href: string, label: string | Markup, first = false, key?: string): Markup =>
  markup`<a class="${first ? 'deed first' : 'deed'}" href="${href}" data-fragment="pass"${
    key === undefined ? undefined : markup` data-key="${key}"`
  }>${label}</a>`

/** Names with their values; a row without a value is left out. */
export const facts = (rows: readonly (readonly [string, Fragment])[]): Markup =>
  markup`<dl>
    ${rows
      .filter(([, value]) => value !== undefined)
      .map(
        ([name, value]) =>
          markup`<dt>${name}</dt>
            <dd>${value}</dd>`,
      )}
  </dl>`

/** An instant that machines can read as well. */
export const instant = (atMs: number): Markup =>
  markup`<time datetime="${new Date(atMs).toISOString()}">${instantText(atMs)}</time>`
