// The demo in this process, for tests that visit it.
import { startDemo, type RunningDemo } from '../../src/demo/demo.ts'

/** Starts it behind the proxy that is named. */
export const startTestDemo = (proxy: 'nginx' | 'builtin'): Promise<RunningDemo> =>
  startDemo({ proxy, path: process.env['PATH'], command: 'postern', note: (line) => console.warn(line) })
