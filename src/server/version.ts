// The version of the package, read once.
import { readFileSync } from 'node:fs'

const read = (): string => {
  try {
    const value: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
    return typeof value === 'object' && value !== null && 'version' in value
      ? String(value.version)
      : 'unknown'
  } catch {
    return 'unknown'
  }
}

export const VERSION = read()
