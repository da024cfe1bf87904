import { resolve } from 'node:path'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'electron-vite'

/** The window speaks English; what React Aria would say in every other language is left out of it. */
const onlyEnglish = {
  name: 'only-english',
  load: (id: string) =>
    /\/intl\/.*\/(?!en-US)[a-z]{2}-[A-Z]{2}\.mjs$/.test(id) ? 'export default {}' : null,
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
          'stream-worker': resolve('src/main/engine/multicast/server/stream-worker.ts'),
        },
        output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' },
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
    plugins: [react(), onlyEnglish],
    build: {
      outDir: 'out/renderer',
      minify: true,
      rollupOptions: { input: { index: resolve('src/renderer/index.html') } },
    },
  },
})
