import { defineConfig } from 'vitest/config'

/** `npm run soak`: minutes of load, on its own. */
export default defineConfig({
  test: { include: ['test/soak/**/*.test.ts'], hookTimeout: 120_000, maxWorkers: 1 },
})
