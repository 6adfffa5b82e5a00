// Postern itself as the demo starts it: from the files in its folder, exactly as `serve` would, but with a log that
// says in words what somebody who edits a policy wants to see.
import { issueText } from '../config/issue.ts'
import { loadConfig } from '../config/load.ts'
import { startPostern } from '../server/serve.ts'
import { errorFields, type Logger } from '../telemetry/logger.ts'

/**
 * Starts the service.
 * @param note hears of policies that were loaded or refused after the start, and of every warning and fault
 * @throws with every reason where it does not start
 */
export const startService = async (
  configFile: string,
  note: (line: string) => void,
): Promise<{ readonly close: () => Promise<void> }> => {
  const loaded = loadConfig({ file: configFile, env: {} })
  if (loaded.kind === 'refused') throw new Error(loaded.issues.map(issueText).join('\n'))
  let isStarted = false
  const logger: Logger = {
    info: (fields, message) => {
      if (isStarted) note(sentence(message, fields['policy']))
    },
    warn: (fields, message) => note(sentence(message, fields['why'])),
    error: (error, message) => note(sentence(message, errorFields(error)['detail'])),
  }
  const postern = await startPostern(loaded.config, { logger })
  isStarted = true
  return { close: () => postern.close() }
}

const sentence = (message: string, detail: unknown): string =>
  typeof detail === 'string' ? `${message}: ${detail}` : message
