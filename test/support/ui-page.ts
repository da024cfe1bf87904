/** Builds the double page and serves it, under the same policy as the real one. */
import { createServer } from 'node:http'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { extname, join, normalize } from 'node:path'
import type { AddressInfo } from 'node:net'
import reactPlugin from '@vitejs/plugin-react'
import { build } from 'vite'
import { securityHeaders } from '#main/ui-host'

const types: { readonly [extension: string]: string } = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

export interface UiPage extends AsyncDisposable {
  /** `http://127.0.0.1:…/` */
  readonly address: string
}

/**
 * @param react Its development build says on the console what is wrong with what is drawn; that of production draws the same in
 *   half the time.
 */
export async function serveUiPage(react: 'development' | 'production'): Promise<UiPage> {
  const folder = await mkdtemp(join(tmpdir(), 'reprise-ui-page-'))
  await build({
    root: join(import.meta.dirname, 'ui-page'),
    configFile: false,
    logLevel: 'error',
    plugins: [reactPlugin()],
    // As the real page is built; a test's environment would have it otherwise.
    oxc: { jsx: { development: false } },
    define: { 'process.env.NODE_ENV': JSON.stringify(react) },
    build: { outDir: folder, emptyOutDir: true, minify: false },
  })
  const headers = securityHeaders({ connect: [] })
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://x').pathname
    const file = join(folder, normalize(path === '/' ? '/index.html' : path))
    readFile(file).then(
      (bytes) =>
        response
          .writeHead(200, { ...headers, 'content-type': types[extname(file)] ?? 'application/octet-stream' })
          .end(bytes),
      () => response.writeHead(404, headers).end(),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    address: `http://127.0.0.1:${port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await rm(folder, { recursive: true, force: true })
    },
  }
}
