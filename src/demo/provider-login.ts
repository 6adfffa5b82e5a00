// The login form's two requests: show it, and judge what was typed.
import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type Provider from 'oidc-provider'
import type { Person } from './people.ts'
import { loginPage, messagePage } from './provider-pages.ts'
import { PASSWORD_ACR, SECOND_FACTOR_ACR, wantsSecondFactor } from './provider-prompts.ts'
import type { Html } from './page-frame.ts'

const MAXIMUM_FORM_BYTES = 8_192

/** Answers `/login/<interaction>`; never rejects. */
export const answerLogin = async (
  provider: Provider,
  people: readonly Person[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> => {
  try {
    const interaction = await provider.interactionDetails(request, response)
    const { uid, params } = interaction
    const view = {
      action: `/login/${uid}`,
      username: '',
      failed: false,
      asksSecondFactor: wantsSecondFactor(params['acr_values']),
    }
    if (request.method !== 'POST') return await send(response, 200, loginPage(view))
    const form = await readForm(request)
    const person = personOf(people, form)
    if (person === undefined) {
      const username = form.get('username') ?? ''
      return await send(response, 401, loginPage({ ...view, username, failed: true }))
    }
    await leaveOtherAccount(provider, interaction, person)
    const usedSecondFactor = form.get('second-factor') === 'yes'
    await provider.interactionFinished(request, response, {
      login: {
        accountId: person.username,
        amr: usedSecondFactor ? ['pwd', 'hwk'] : ['pwd'],
        acr: usedSecondFactor ? SECOND_FACTOR_ACR : PASSWORD_ACR,
      },
      select_account: {},
    })
  } catch {
    // An interaction that is over (back button, old tab): the library has no way on, and neither have we.
    const page = messagePage('This sign-in is over', 'Go back to the application and open it again.')
    await send(response, 400, page)
  }
}

type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>

/** Another account ends the session of the one before. The library would do so by a page that needs a script. */
const leaveOtherAccount = async (
  provider: Provider,
  interaction: Interaction,
  person: Person,
): Promise<void> => {
  const before = interaction.session
  if (before?.accountId === undefined || before.accountId === person.username) return
  const session = await provider.Session.findByUid(before.uid)
  await session?.destroy()
  delete interaction.session
  await interaction.save(INTERACTION_SECONDS)
}

const INTERACTION_SECONDS = 3_600

const send = async (response: ServerResponse, status: number, page: Html): Promise<void> => {
  if (response.headersSent) return
  response
    .writeHead(status, {
      'Content-Type': 'text/html; charset=utf-8',
      'Cache-Control': 'no-store',
      'Referrer-Policy': 'no-referrer',
    })
    .end(String(await page))
}

const readForm = async (request: IncomingMessage): Promise<URLSearchParams> => {
  let text = ''
  for await (const chunk of request) {
    text += String(chunk)
    if (text.length > MAXIMUM_FORM_BYTES) throw new RangeError('the form is too long')
  }
  return new URLSearchParams(text)
}

const personOf = (people: readonly Person[], form: URLSearchParams): Person | undefined => {
  const [username, password] = [form.get('username') ?? '', Buffer.from(form.get('password') ?? '')]
  return people.find((person) => {
    const wanted = Buffer.from(person.password)
    return (
      person.username === username && wanted.length === password.length && timingSafeEqual(wanted, password)
    )
  })
}
