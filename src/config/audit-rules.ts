// Rules for the keys of the decision log that no key can say alone.
import { parseByteSize } from './byte-size.ts'
import { parseDurationMs } from './duration.ts'
import { error, type Finding } from './finding.ts'
import type { Settings } from './schema.ts'

/** One block of the log, and a little more. */
const SIZE_MIN = 100_000
const CHECKPOINT_MIN_MS = 1_000
const CHECKPOINT_MAX_MS = 604_800_000

/** Judges `audit`. Never throws. */
export const auditFindings = ({ audit }: Settings): readonly Finding[] => {
  const found: Finding[] = []
  const rotate = audit.sink === 'stdout' ? undefined : audit.sink.rotate
  if (rotate !== undefined && (parseByteSize(rotate.size) ?? 0) < SIZE_MIN)
    found.push(
      error(
        ['audit', 'sink', 'rotate', 'size'],
        `\`${rotate.size}\` is less than \`100KB\`, so every few lines would begin a new file`,
      ),
    )
  const checkpointMs = parseDurationMs(audit.chain?.checkpoint ?? '1h') ?? 0
  if (checkpointMs < CHECKPOINT_MIN_MS || checkpointMs > CHECKPOINT_MAX_MS)
    found.push(
      error(
        ['audit', 'chain', 'checkpoint'],
        `\`${audit.chain?.checkpoint}\` is not between \`1s\` and \`7d\`: what follows the last checkpoint is not vouched for`,
      ),
    )
  return found
}
