/**
 * What the engine binary does: connects its verbs with everything they need, and decides nothing. What a verb doesn't need isn't loaded.
 */
import { readFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { main, processTerminal, workingFolder } from '#main/cli'
import { leave, productFile, productVersion, watchThreads } from '#main/product'

// V8 may free machine code of a WebAssembly import that another thread still runs, and the process ends with SIGSEGV
// (nodejs/node#64500). Seen where threads run from source, by Node's own TypeScript stripper. What is kept is small. The built
// program has no such import, and a flag that differs would cost it Node's own compiled code.
if (import.meta.url.endsWith('.ts')) setFlagsFromString('--no-wasm-code-gc')

watchThreads()
const terminal = processTerminal()
const status = await main(process.argv.slice(2), {
  terminal,
  // Asked when a path is: there may be none.
  get cwd() {
    return workingFolder(
      process.env,
      () => process.cwd(),
      () => productFile('package.json'),
    )
  },
  version: productVersion(),
  platform: process.platform,
  argumentBytes: () => (process.platform === 'linux' ? readFileSync('/proc/self/cmdline') : null),
  now: Date.now,
  engines: async (log) => (await import('./connect-engines.ts')).connectCommandLine(log),
  streams: async (log) => (await import('./connect-multicast.ts')).connectStreams(log),
  programs: {
    web: async (argv) => (await import('#main/web')).runWeb(argv, terminal),
    engineHost: async () => {
      const [{ runEngineHost }, { createEngines }] = await Promise.all([
        import('#main/engine-host'),
        import('./connect-engines.ts'),
      ])
      return runEngineHost(createEngines)
    },
  },
})

await terminal.drained()
// Everything is written and let go; a handle of somebody's library mustn't keep the process.
await leave(status)
