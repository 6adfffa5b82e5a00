// A page that looks like Grafana: panels that a script fills over a JSON API, and a write that not everybody may do.
import { Hono } from 'hono'
import { html } from 'hono/html'
import { proofInWords, readCaller, type Caller } from './caller.ts'
import type { CheckAssertion } from './assertion-check.ts'
import { pageFrame, type Html } from './page-frame.ts'

const SITE = 'Metrics'
const POINTS = 60

/** The application; dashboards live as long as it does. */
export const makeGrafana = (check: CheckAssertion): Hono => {
  const dashboards: string[] = ['Requests per second', 'Error budget']
  const app = new Hono()
  app.get('/', async (c) => c.html(page(await readCaller(c.req.raw.headers, check))))
  app.get('/d/:name', async (c) => c.html(page(await readCaller(c.req.raw.headers, check))))
  app.get('/admin', async (c) => c.html(adminPage(await readCaller(c.req.raw.headers, check))))
  app.get('/panels.js', (c) => c.body(SCRIPT, 200, { 'Content-Type': 'text/javascript; charset=utf-8' }))
  app.get('/api/user', async (c) => c.json(await readCaller(c.req.raw.headers, check)))
  app.get('/api/search', (c) => c.json(dashboards.map((title) => ({ title }))))
  app.post('/api/ds/query', (c) => c.json({ points: Array.from({ length: POINTS }, (_, i) => wave(i)) }))
  app.post('/api/dashboards/db', (c) => {
    dashboards.push(`Dashboard ${dashboards.length + 1}`)
    return c.json({ status: 'success' })
  })
  app.get('/api/health', (c) => c.json({ database: 'ok' }))
  return app
}

const wave = (i: number): number => Math.round(50 + 30 * Math.sin(i / 6) + 12 * Math.sin(i / 1.7))

const page = (caller: Caller): Html =>
  pageFrame({
    title: 'Dashboards',
    site: SITE,
    who: whoInWords(caller),
    foot: `${proofInWords(caller)}.`,
    script: '/panels.js',
    content: html`<h1>Dashboards</h1>
      <section class="card">
        <h2>Requests per second</h2>
        <svg
          viewBox="0 0 600 120"
          preserveAspectRatio="none"
          role="img"
          aria-label="Requests per second over the last hour"
        >
          <polyline id="line" points="" />
        </svg>
      </section>
      <section class="card">
        <h2>Saved dashboards</h2>
        <ul id="dashboards"></ul>
        <p><a href="/admin">Administration</a></p>
        <p><button type="button" id="save">Save a new dashboard</button></p>
        <p id="status" role="status">Loading…</p>
      </section>
      <noscript><p>The panels need JavaScript. The page itself, and signing in, do not.</p></noscript>`,
  })

/** Behind a rule that wants a second factor; the application does not know how that is done. */
const adminPage = (caller: Caller): Html =>
  pageFrame({
    title: 'Administration',
    site: SITE,
    who: whoInWords(caller),
    foot: `${proofInWords(caller)}.`,
    content: html`<h1>Administration</h1>
      <p class="card">You proved yourself with more than a password.</p>`,
  })

const whoInWords = ({ user, groups }: Caller): string => `${user === '' ? 'nobody' : user} in ${groups}`

// What a single-page application has to know: a 401 means that the session ended, a 403 that this person may not.
const SCRIPT = `'use strict'
const status = document.getElementById('status')
const call = async (path, method) => {
  const answer = await fetch(path, { method, headers: { Accept: 'application/json' } })
  if (answer.ok) return answer.json()
  const text = answer.status === 401 ? 'Your session has ended: reload the page to sign in again.'
    : answer.status === 403 ? 'You may not do this (403 for ' + method + ' ' + path + ').'
    : 'The server answered ' + answer.status + '.'
  throw new Error(text)
}
const show = async () => {
  const found = await call('/api/search', 'GET')
  document.getElementById('dashboards').replaceChildren(...found.map(({ title }) => {
    const item = document.createElement('li')
    item.textContent = title
    return item
  }))
  const { points } = await call('/api/ds/query', 'POST')
  document.getElementById('line').setAttribute('points', points.map((y, x) => x * 600 / (points.length - 1) + ',' + (120 - y)).join(' '))
}
const attempt = async (work, done) => {
  try { await work(); status.textContent = done; status.className = 'good' }
  catch (error) { status.textContent = error.message; status.className = 'bad' }
}
document.getElementById('save').addEventListener('click', () =>
  attempt(async () => { await call('/api/dashboards/db', 'POST'); await show() }, 'Saved.'))
attempt(show, 'Everything is up to date.')
`
