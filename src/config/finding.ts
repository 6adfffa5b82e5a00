// One rule between keys of the configuration that is broken.
import type { Path } from './issue.ts'

/** One broken rule; `warning` where the service may start all the same. */
export interface Finding {
  readonly path: Path
  readonly message: string
  readonly severity: 'error' | 'warning'
}

/** What keeps the service from starting. */
export const error = (path: Path, message: string): Finding => ({ path, message, severity: 'error' })
/** What an operator should see, though the service starts. */
export const warning = (path: Path, message: string): Finding => ({ path, message, severity: 'warning' })
