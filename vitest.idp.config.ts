// `npm run test:idp`: against a real Keycloak, which takes half a minute and half a gigabyte; so not part of `npm test`.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/idp/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 300_000,
    // One Keycloak at a time: it is unpacked once, and its folder holds the realm to import.
    fileParallelism: false,
  },
})
