// Whom a log would belong to that a command begins: a file of root in the folder of the service shuts the service out.
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Looks whether root would begin a log for somebody else.
 * @param path of the log file; one that is there already keeps its owner, whoever writes into it
 * @param userId who runs this; undefined where the system knows no users
 * @returns the id of the user to whom the folder belongs, where root would put a file of its own there; else undefined.
 *   Never rejects.
 */
export const otherOwner = async (path: string, userId: number | undefined): Promise<number | undefined> => {
  if (userId !== 0 || (await stat(path).catch(() => undefined)) !== undefined) return undefined
  const folder = await stat(dirname(path)).catch(() => undefined)
  return folder === undefined || folder.uid === userId ? undefined : folder.uid
}
