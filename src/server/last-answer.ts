// The end of a connection on which something came that nobody can decide. What was decided on it before is answered
// before: its line is in the log, and the answer that says no would pass for its answer.
import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

/** Where Node keeps the answer that a socket is at. Not documented: without it nothing is waited for, as for an idle one. */
interface AnswerHolder {
  readonly _httpMessage?: ServerResponse | null
}

/**
 * Sends the last bytes of a connection, after every answer that is under way on it, and closes it. Never throws.
 * @param last a whole answer, as it stands on the wire
 */
export const endAfterAnswers = (socket: Duplex & AnswerHolder, last: string): void => {
  const { _httpMessage: underWay } = socket
  // When one is done, Node has put the next one of the connection in its place.
  if (socket.writable && underWay instanceof Object)
    underWay.once('close', () => endAfterAnswers(socket, last))
  else if (socket.writable) socket.end(last)
  else socket.destroy()
}
