// Policies from text, without a disk: what a test wrote is what is loaded.
import { folderFile } from '../../src/policy-file/folder.ts'
import { loadFiles, type Load, type LoadedPolicies } from '../../src/policy-file/load.ts'

const encoder = new TextEncoder()

/** Loads files by name; `directory.yaml` is the directory. */
export const loadTexts = (texts: Readonly<Record<string, string | Uint8Array>>): Load =>
  loadFiles(
    Object.entries(texts)
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, text]) => {
        const bytes = typeof text === 'string' ? encoder.encode(text) : text
        return folderFile(name, name, name === 'directory.yaml' ? 'directory' : 'policy', bytes)
      }),
    '.',
  )

/** Loads files that must load. */
export const loadedTexts = (texts: Readonly<Record<string, string>>): LoadedPolicies => {
  const load = loadTexts(texts)
  if (load.kind === 'loaded') return load
  throw new Error(
    load.issues.map((issue) => `${issue.file}:${issue.line}:${issue.col} ${issue.what}`).join('\n'),
  )
}

/** `E16 3:8`, one for each issue, in the order of lines. */
export const issueSpots = (load: Load): readonly string[] =>
  load.kind === 'refused' ? load.issues.map(({ code, line, col }) => `${code} ${line}:${col}`) : ['loaded']
