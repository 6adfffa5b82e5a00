// The letter that a denied page offers to write: with what the owner needs to know. The person sends it, not we.
import type { AskingApp } from './page.ts'

export interface AccessLetter {
  readonly app: AskingApp
  readonly decisionId: string
  /** Source and subject of who was refused; undefined = nobody was signed in. */
  readonly who: { readonly source: string; readonly subject: string } | undefined
}

/**
 * Its address as a link (RFC 6068 §2).
 * @param contact an e-mail address of the configuration; undefined = nobody to write to, and no link
 */
export const accessLetterHref = (
  contact: string | undefined,
  { app, decisionId, who }: AccessLetter,
): string | undefined => {
  if (contact === undefined) return undefined
  const subject = `Access to ${app.host}`
  const body = [
    `Application: ${app.route ?? 'unknown'} (${app.host})`,
    `Account: ${who === undefined ? 'nobody' : `${who.source}|${who.subject}`}`,
    `Decision: ${decisionId}`,
  ].join('\r\n')
  const to = encodeURIComponent(contact).replace('%40', '@')
  return `mailto:${to}?subject=${encodeURIComponent(subject)}&body=${encodeURIComponent(body)}`
}
