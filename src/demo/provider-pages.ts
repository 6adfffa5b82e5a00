// The pages of the demo's identity provider: plain forms, no script.
import { html, raw } from 'hono/html'
import { pageFrame, type Html } from './page-frame.ts'

const SITE = 'Example Identity'
const FOOT =
  'This provider runs inside the demo. It knows three people, whose passwords are in your terminal.'

export interface LoginView {
  /** Path that the form posts to. */
  readonly action: string
  readonly username: string
  /** The last attempt named nobody or the wrong password. */
  readonly failed: boolean
  readonly asksSecondFactor: boolean
}

/** The login form; a failed attempt says so without saying which field was wrong. */
export const loginPage = (view: LoginView): Html =>
  page(
    'Sign in',
    html`<h1>Sign in</h1>
      <form method="post" action="${view.action}" class="card">
        ${view.failed ? html`<p class="bad" role="alert">Nobody here has this name and password.</p>` : ''}
        <label for="username">Username</label>
        <input
          id="username"
          name="username"
          autocomplete="username"
          autocapitalize="none"
          required
          autofocus
          value="${view.username}"
        />
        <label for="password">Password</label>
        <input id="password" name="password" type="password" autocomplete="current-password" required />
        <label class="check"
          ><input
            type="checkbox"
            name="second-factor"
            value="yes"
            ${view.asksSecondFactor ? html` checked` : ''}
          />
          Pretend that I also used a security key</label
        >
        <button>Sign in</button>
      </form>`,
  )

/**
 * Asks whether the provider's own session is to end too.
 * @param form the provider's hidden form, trusted markup
 */
export const signOutPage = (form: string): Html =>
  page(
    'Sign out',
    html`<h1>Sign out here too?</h1>
      <p>You signed out of an application. Your session at this provider is still open.</p>
      ${raw(form)}
      <p>
        <button type="submit" form="op.logoutForm" name="logout" value="yes" autofocus>Sign out</button>
        <button type="submit" form="op.logoutForm">Stay signed in</button>
      </p>`,
  )

/** One sentence, for ends without a way on. */
export const messagePage = (title: string, message: string): Html =>
  page(
    title,
    html`<h1>${title}</h1>
      <p>${message}</p>`,
  )

const page = (title: string, content: Html): Html =>
  pageFrame({ title, site: SITE, who: undefined, content, foot: FOOT })
