// Lines of a stream of bytes, one at a time and never more than one chunk of them in memory: logs are larger than that.

const LINE_BREAK = 10
/** No line of a log is longer; of one that is, only its begin is kept. */
const LINE_MAX = 33_554_432

/** @param bytes with the line break, where there is one @returns `stop` where no more is wanted */
export type OnLine = (bytes: Buffer, isComplete: boolean) => 'stop' | undefined

/**
 * Hands over each line, until it is told to stop.
 * @param source chunks of bytes, in order
 * @returns when all were handed over; rejects where the source does
 */
export const forEachLine = async (source: AsyncIterable<Uint8Array>, onLine: OnLine): Promise<void> => {
  let rest: Buffer[] = []
  let restBytes = 0
  const keep = (part: Buffer): void => {
    if (restBytes < LINE_MAX) rest.push(part)
    restBytes += part.length
  }
  const take = (end: Buffer): Buffer => {
    if (restBytes === 0) return end
    keep(end)
    const whole = Buffer.concat(rest)
    rest = []
    restBytes = 0
    return whole
  }
  for await (const bytes of source) {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    let start = 0
    for (let at = chunk.indexOf(LINE_BREAK); at >= 0; at = chunk.indexOf(LINE_BREAK, start)) {
      if (onLine(take(chunk.subarray(start, at + 1)), true) === 'stop') return
      start = at + 1
    }
    if (start < chunk.length) keep(chunk.subarray(start))
  }
  if (restBytes > 0) onLine(take(Buffer.alloc(0)), false)
}
