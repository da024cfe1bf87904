/**
 * The page's own scheme, `app://bundle/`, instead of files: an origin of its own, and no way to any other file. What is
 * served was read when the app started.
 */
import { securityHeaders, type PageFiles } from '#main/ui-host'
import type { ElectronModules } from './electron-modules.ts'

export const pageOrigin = 'app://bundle'
export const pageUrl = `${pageOrigin}/`
/** The same page, which shows the log alone. */
export const logUrl = `${pageUrl}#log`

/** Must be called before the app is ready. */
export function registerPageScheme(protocol: ElectronModules['protocol']): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: 'app', privileges: { standard: true, secure: true, supportFetchAPI: true } },
  ])
}

export function servePage(protocol: ElectronModules['protocol'], files: PageFiles): void {
  protocol.handle('app', (request) => answer(request.url, request.method, files))
}

function answer(address: string, method: string, files: PageFiles): Response {
  const url = URL.parse(address)
  const file = url?.host === 'bundle' ? files.get(url.pathname) : undefined
  const headers = { ...securityHeaders({ connect: [] }) }
  if (file === undefined || method !== 'GET') return new Response('not here\n', { status: 404, headers })
  return new Response(new Uint8Array(file.bytes), {
    headers: { ...headers, 'Content-Type': file.type, 'Cache-Control': 'no-store' },
  })
}
