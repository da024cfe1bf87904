import { defineConfig } from 'vitest/config'

/**
 * Three projects, by what they need:
 * - fast: no root, no Debian package, no browser; part of `npm run check`
 * - system: real processes, loop devices, file systems, other people's tools
 * - e2e: the app in Debian's Chromium
 * A suite whose needs aren't met skips itself with a line that says why (test/support/needs.ts).
 */
export default defineConfig({
  test: {
    reporters: ['default'],
    // As src/main/reprise.ts does, for engines that run in the process of a test.
    execArgv: ['--no-wasm-code-gc'],
    // What is waited for comes; a machine with other things to do takes its time.
    expect: { poll: { timeout: 60_000 } },
    projects: [
      {
        // The one runtime there is (src/renderer/jsx-runtime), whatever else is known of the mode.
        oxc: { jsx: { runtime: 'automatic', importSource: '#renderer', development: false } },
        test: {
          name: 'fast',
          include: ['test/{unit,contract,vectors,property,lint,simulation,renderer}/**/*.test.{ts,tsx}'],
          // Nothing that takes so long is fast; a processor that is taken away must not decide a test.
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'system',
          include: ['test/{process,cli,lab}/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
