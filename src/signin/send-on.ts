// How a page load is sent on without losing the `#fragment` of where it wanted to go. A browser keeps one across
// redirects, but a form at the provider ends that. So a sign-in that may show one leaves by a page of ours, whose script
// puts the fragment into the tab's own storage, and comes back by another that takes it out again. It never reaches a
// server, ours included. Without script both pages go on by themselves, and only the fragment is lost.
import { createHash } from 'node:crypto'
import { redirectAnswer, type Pair, type SignInWebAnswer, type SignInWebRequest } from './web.ts'

/** `keep`: before leaving for the provider; `restore`: on the way back to the application. */
export type FragmentDeed = 'keep' | 'restore'

/** What the storage of a tab calls the fragment of a target; a tab that tries again finds it by this. */
export const fragmentKey = (target: string): string =>
  `postern:${createHash('sha256').update(target).digest('base64url').slice(0, 16)}`

/**
 * Sends on by a page where a browser loads one, and by a plain redirect where a program asks.
 * @param to absolute URL, made by us
 * @param target where the person wants to go, without the fragment; the storage of the tab knows it by this
 */
export const sendOn = (
  request: SignInWebRequest,
  to: string,
  deed: FragmentDeed,
  target: string,
  headers: readonly Pair[] = [],
): SignInWebAnswer =>
  request.method === 'GET' && request.headers.get('sec-fetch-dest') === 'document'
    ? {
        status: 200,
        headers,
        body: {
          kind: 'page',
          page: { name: 'hop', to, fragment: { deed, key: fragmentKey(target) } },
          as: 'html',
        },
      }
    : redirectAnswer(to, headers)
