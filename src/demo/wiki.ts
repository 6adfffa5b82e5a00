// A small wiki that has no sign-in of its own: it believes the identity headers and shows what proves them.
import { Hono, type Context } from 'hono'
import { html } from 'hono/html'
import { proofInWords, readCaller, type Caller } from './caller.ts'
import type { CheckAssertion } from './assertion-check.ts'
import { pageFrame, type Html } from './page-frame.ts'

const SITE = 'Team Wiki'

interface Article {
  readonly path: string
  readonly title: string
  readonly text: string
}

const FIRST_ARTICLES: readonly Article[] = [
  {
    path: '/',
    title: 'Welcome',
    text: 'Everybody who is signed in may read this. People in sre and eng may edit it.',
  },
  {
    path: '/page/onboarding',
    title: 'Onboarding',
    text: 'Your first week: meet the team, read the runbooks, break nothing.',
  },
  {
    path: '/runbooks/database',
    title: 'Runbook: the database is down',
    text: 'Only people in sre may read below /runbooks. Breathe, then promote the replica.',
  },
]

/** The wiki; articles live as long as it does. */
export const makeWiki = (check: CheckAssertion): Hono => {
  const articles = new Map(FIRST_ARTICLES.map((article) => [article.path, article]))
  const app = new Hono()
  app.get('*', async (c) => {
    const caller = await readCaller(c.req.raw.headers, check)
    const article = articles.get(c.req.path)
    return article === undefined
      ? c.html(
          page(
            caller,
            'Not written yet',
            html`<h1>Not written yet</h1>
              ${contents(articles)}`,
          ),
          404,
        )
      : c.html(page(caller, article.title, html`${articleBody(article)}${contents(articles)}`))
  })
  app.post('*', async (c) => {
    const article = articles.get(c.req.path)
    if (article !== undefined) articles.set(article.path, { ...article, text: await typedText(c) })
    return c.redirect(c.req.path, 303)
  })
  return app
}

const typedText = async (c: Context): Promise<string> => {
  const { text } = await c.req.parseBody()
  return typeof text === 'string' ? text.slice(0, 2_000) : ''
}

const articleBody = (article: Article): Html =>
  html`<h1>${article.title}</h1>
    <p class="card">${article.text}</p>
    <form method="post" action="${article.path}">
      <label for="text">Edit this page</label>
      <textarea id="text" name="text" rows="3">${article.text}</textarea>
      <button>Save</button>
    </form>`

const contents = (articles: ReadonlyMap<string, Article>): Html =>
  html`<nav aria-label="Pages">
    <h2>Pages</h2>
    <ul>
      ${[...articles.values()].map(({ path, title }) => html`<li><a href="${path}">${title}</a></li>`)}
    </ul>
  </nav>`

const page = (caller: Caller, title: string, content: Html): Html =>
  pageFrame({ title, site: SITE, who: whoInWords(caller), content, foot: `${proofInWords(caller)}.` })

const whoInWords = ({ user, email, groups }: Caller): string =>
  user === '' ? 'nobody' : `${user} <${email}> in ${groups}`
