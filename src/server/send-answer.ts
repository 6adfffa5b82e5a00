// Writes an answer to its socket. Node checks and joins the same head for each request, which costs as much as deciding;
// so it does that once a second, and what it added is used for the other answers of that second (ADR 11).
import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Answer } from '../proxy/answer.ts'
import { headText } from '../proxy/head-text.ts'

/** Sends one answer. Throws where Node refuses it; nothing has been sent then. */
export type SendAnswer = (incoming: IncomingMessage, outgoing: ServerResponse, answer: Answer) => void

/** What Node adds to a head on a connection that is kept: `Date`, `Connection`, `Keep-Alive` and the empty line. */
interface Addition {
  readonly second: number
  readonly text: string
}

/** Where Node keeps the head that it has not sent yet. Not documented: it is looked at, never relied on. */
interface HeadHolder {
  _header?: unknown
}

/**
 * Makes the sender.
 * @param nowMs wall clock: `Date` changes with its second
 */
export const makeSendAnswer = (nowMs: () => number): SendAnswer => {
  let addition: Addition | undefined
  return (incoming, outgoing, answer) => {
    const head = isPlain(incoming, outgoing, answer) ? statusAndHead(answer) : undefined
    if (head === undefined) return sendByNode(incoming, outgoing, answer)
    const second = Math.floor(nowMs() / 1000)
    if (addition?.second === second && setHead(outgoing, answer.status, head + addition.text)) {
      outgoing.end()
      return undefined
    }
    writeHead(outgoing, answer)
    const text = addedTo(head, outgoing)
    addition = text === undefined ? undefined : { second, text }
    outgoing.end()
    return undefined
  }
}

/** Without a body, on a connection that is kept, and with nothing to continue. */
const isPlain = (incoming: IncomingMessage, outgoing: ServerResponse, answer: Answer): boolean =>
  answer.body === '' && outgoing.shouldKeepAlive && incoming.headers.expect === undefined

const statusAndHead = (answer: Answer): string | undefined => {
  const head = headText(answer)
  return head === undefined
    ? undefined
    : `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? 'unknown'}\r\n${head}`
}

/** What Node made of this very head beyond it; undefined where it made something else, or keeps it somewhere else. */
const addedTo = (head: string, outgoing: ServerResponse & HeadHolder): string | undefined => {
  const { _header: whole } = outgoing
  return typeof whole === 'string' && whole.startsWith(head) ? whole.slice(head.length) : undefined
}

/**
 * INVARIANT: the status is set whatever becomes of the head, so that a Node that does not take it from here cannot make
 * another answer of it; and it is Node that says whether it took it.
 */
const setHead = (outgoing: ServerResponse & HeadHolder, status: number, head: string): boolean => {
  if (outgoing.headersSent) return false
  outgoing.statusCode = status
  outgoing._header = head
  return outgoing.headersSent
}

const sendByNode = (incoming: IncomingMessage, outgoing: ServerResponse, answer: Answer): void => {
  writeHead(outgoing, answer)
  if (answer.body === '' || incoming.method === 'HEAD') outgoing.end()
  else outgoing.end(answer.body)
}

const writeHead = (outgoing: ServerResponse, answer: Answer): void => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Node takes a flat list and only types it mutable
  outgoing.writeHead(answer.status, answer.headers as string[])
}
