// Runs in a worker thread: reads a policy folder off the event loop, judges the files that are not known yet, and hands
// them over in portions small enough that taking one in delays no decision. It remembers nothing between two loads.
import { parentPort } from 'node:worker_threads'
import { readFolder } from './folder.ts'
import { directoryDigest, fileKey, judgeFile, type JudgedFile } from './judge-file.ts'
import { openFiles, revisionOf } from './load.ts'
import type { LoadMessage, LoadOrder } from './load-thread.ts'

/** Rules of one portion; a file is never split. */
const PORTION_RULES = 200

const weightOf = ({ route }: JudgedFile): number =>
  (route?.sections ?? []).reduce((sum, { deny, allow }) => sum + deny.length + allow.length + 1, 1)

function* messagesOf({ folder, revision: inForce, known }: LoadOrder): Generator<LoadMessage> {
  const read = readFolder(folder)
  if (read.kind === 'refused') {
    yield read
    return
  }
  const revision = revisionOf(read.files)
  const opened = revision === inForce ? undefined : openFiles(read.files)
  if (opened?.kind !== 'compiled') {
    yield opened ?? { kind: 'unchanged', revision }
    return
  }
  const digest = directoryDigest(read.files)
  const keys: string[] = []
  let [portion, weight]: [JudgedFile[], number] = [[], 0]
  for (const file of read.files) {
    const key = fileKey(file, digest)
    keys.push(key)
    if (known.has(key)) continue
    const { judged } = judgeFile(file, key, opened.directory)
    portion.push(judged)
    weight += weightOf(judged)
    if (weight < PORTION_RULES) continue
    yield { kind: 'judged', files: portion }
    ;[portion, weight] = [[], 0]
  }
  if (portion.length > 0) yield { kind: 'judged', files: portion }
  yield { kind: 'end', revision, keys, warnings: read.warnings }
}

const port = parentPort
let messages: Generator<LoadMessage> | undefined
// Each portion is asked for: the other side takes a turn of its event loop between two of them.
port?.on('message', (asked: LoadOrder | 'next') => {
  if (asked !== 'next') messages = messagesOf(asked)
  const step = messages?.next()
  if (step === undefined || step.done === true) return
  if (step.value.kind !== 'judged') messages = undefined
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  port.postMessage(step.value)
})
