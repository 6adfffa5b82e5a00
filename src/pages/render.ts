// Data → bytes: the last step of every answer of the public listener. Pure.
import type { Page } from '../signin/page.ts'
import type { SignInWebAnswer } from '../signin/web.ts'
import { chooseHtml, meHtml, notSignedInHtml, signedOutHtml, signOutHtml } from './account.ts'
import { circleHtml } from './circle.ts'
import { deniedHtml } from './denied.ts'
import { errorHtml, hopHtml, noSessionHtml } from './notice.ts'
import { pageHeaders, type HeaderPair } from './page-headers.ts'
import { problemOf } from './problem.ts'

/** What goes to the socket. Header names are lower case; `set-cookie` may stand more than once. */
export interface RenderedAnswer {
  readonly status: number
  readonly headers: readonly HeaderPair[]
  readonly body: string
}

/** The HTML of a page: complete, escaped, under 15 KB. */
export const pageHtml = (page: Page): string => {
  switch (page.name) {
    case 'choose':
      return chooseHtml(page)
    case 'denied':
      return deniedHtml(page)
    case 'error':
      return errorHtml(page)
    case 'circle':
      return circleHtml(page)
    case 'sign-out':
      return signOutHtml(page)
    case 'signed-out':
      return signedOutHtml(page)
    case 'me':
      return meHtml(page)
    case 'not-signed-in':
      return notSignedInHtml(page)
    case 'no-session-accepted':
      return noSessionHtml(page)
    case 'hop':
      return hopHtml(page)
  }
}

/**
 * Renders an answer of sign-in.
 * @param answer plain data
 * @param secure true where browsers reach us by https
 * @returns status, headers and body; never throws
 */
export const renderAnswer = (answer: SignInWebAnswer, secure: boolean): RenderedAnswer => {
  const { status, body } = answer
  const headers = [...pageHeaders(secure), ...answer.headers]
  switch (body.kind) {
    case 'none':
      return { status, headers: [...headers, ['content-length', '0']], body: '' }
    case 'json':
      return withBody(status, headers, 'application/json', JSON.stringify(body.value))
    case 'page':
      return body.as === 'html'
        ? withBody(status, headers, 'text/html; charset=utf-8', pageHtml(body.page))
        : withBody(status, headers, 'application/problem+json', JSON.stringify(problemOf(body.page, status)))
  }
}

const withBody = (
  status: number,
  headers: readonly HeaderPair[],
  contentType: string,
  body: string,
): RenderedAnswer => ({
  status,
  headers: [...headers, ['content-type', contentType], ['content-length', String(Buffer.byteLength(body))]],
  body,
})
