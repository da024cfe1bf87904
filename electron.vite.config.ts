import { resolve } from 'node:path'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'electron-vite'

/** The window is in English; what React Aria says in thirty other languages would be a tenth of it. */
const englishOnly = {
  name: 'english-only',
  load: (id: string) =>
    /\/react-(aria|stately).*\/intl\/.*(?<!en-US)\.mjs$/.test(id)
      ? `export { default } from './en-US.mjs'`
      : null,
}

/**
 * One build, three runtimes. `main` holds the Electron entry, the command line (which is also the engine host) and
 * the engines' worker entries, side by side and flat, so that a worker is found beside whoever starts it. Packages are
 * built in: the engine host runs outside of Electron's archive, where there is no node_modules.
 */
export default defineConfig({
  main: {
    build: {
      outDir: 'out/main',
      minify: false,
      externalizeDeps: false,
      rollupOptions: {
        input: {
          index: resolve('src/main/index.ts'),
          reprise: resolve('src/main/reprise.ts'),
          'convert-worker': resolve('src/main/engine/convert/convert-worker.ts'),
          'decode-worker': resolve('src/main/engine/copy/decode-worker.ts'),
          'hash-worker': resolve('src/main/engine/hashing/hash-worker.ts'),
          'pipeline-worker': resolve('src/main/engine/pipeline/pipeline-worker.ts'),
          'receive-worker': resolve('src/main/engine/multicast/client/receive-worker.ts'),
          'stream-worker': resolve('src/main/engine/multicast/port/stream-worker.ts'),
        },
        output: {
          format: 'es',
          entryFileNames: '[name].js',
          chunkFileNames: '[name]-[hash].js',
          // Looking for a file and linking it costs more than reading what isn't needed in it, so what most commands need is
          // one file. What has many values to make when it is loaded is for those alone who use it: a thread loads
          // `values` and no more, and a command that asks nobody through a contract never makes its schemas.
          codeSplitting: {
            groups: [
              { name: 'values', test: /src.shared.(errors|model|units|log).*\.ts$/, priority: 3 },
              { name: 'contract', test: /(src.shared.contract|node_modules.zod).*/, priority: 2 },
              { name: 'common', test: /src.(shared.words|main.(product|cli)).*\.ts$/, minShareCount: 8 },
            ],
          },
        },
      },
    },
  },
  preload: {
    build: {
      outDir: 'out/preload',
      rollupOptions: {
        input: { preload: resolve('src/main/preload.ts') },
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  },
  renderer: {
    root: 'src/renderer',
    plugins: [react({ jsxImportSource: '#renderer' }), englishOnly],
    build: {
      outDir: 'out/renderer',
      minify: true,
      rollupOptions: { input: { index: resolve('src/renderer/index.html') } },
    },
  },
})
