// The one door to hono/html: every value is escaped, and a page is made in one piece, never streamed.
import { html as template, raw } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'

/** Escaped markup, ready to be put into a page. */
export type Markup = HtmlEscapedString

/** What a template takes: text is escaped, markup is not escaped twice, `undefined` leaves nothing. */
export type Fragment = string | number | Markup | readonly Markup[] | undefined

/**
 * Template tag for HTML.
 * @returns markup with every text value escaped; throws only where a promise was put in, which the types refuse
 */
export const markup = (strings: TemplateStringsArray, ...values: readonly Fragment[]): Markup => {
  const made = template(strings, ...values)
  if (made instanceof Promise) throw new TypeError('a page is made in one piece')
  return made
}

/** Text of ours that must not be escaped: the style sheet. Never called with anything from outside. */
export const trusted = (text: string): Markup => raw(text)
