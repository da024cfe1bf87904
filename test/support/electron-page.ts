/**
 * The built preload and the built page in Debian's Chromium, inside of a window of the Electron double. The preload runs
 * as it is shipped; its `require('electron')` gives doubles of `ipcRenderer`, `contextBridge` and `webUtils` that reach
 * the double's main process. The page is served by the app's own protocol handler.
 *
 * Chromium knows no `app:` scheme, so the page's address is http://bundle.localhost/, which exists only in this browser
 * and, like `app:`, counts as secure.
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { chromium, type Browser, type Page } from 'playwright-core'
import type { ElectronDouble, WindowDouble } from '#test/electron-double'

const root = dirname(dirname(import.meta.dirname))
const origin = 'http://bundle.localhost'

/** Runs in the page before anything of it: what Electron gives a sandboxed preload. */
const electronForPreload = `
  const listeners = new Map()
  window.__deliver = (channel, argv) => { for (const listener of listeners.get(channel) ?? []) listener({}, ...argv) }
  const electron = {
    ipcRenderer: {
      on: (channel, listener) => listeners.set(channel, [...(listeners.get(channel) ?? []), listener]),
      invoke: (channel, ...argv) => window.__invoke(channel, argv),
    },
    contextBridge: { exposeInMainWorld: (name, api) => { window[name] = api } },
    webUtils: { getPathForFile: (file) => '/dropped/' + file.name },
  }
  const require = (name) => {
    if (name !== 'electron') throw new Error('a sandboxed preload has no ' + name)
    return electron
  }
`

export interface ElectronPage extends AsyncDisposable {
  readonly page: Page
  /** Messages on the page's console that are errors, and errors nobody caught. */
  readonly errors: readonly string[]
}

/** Opens the page of the double's window. */
export async function openElectronPage(
  electron: ElectronDouble,
  window: WindowDouble,
): Promise<ElectronPage> {
  const preload = join(root, 'out/preload/preload.cjs')
  if (!existsSync(preload)) throw new Error('the preload is not built: run `npm run build`')
  const browser: Browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  })
  try {
    const page = await browser.newPage({ viewport: { width: 980, height: 640 } })
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(String(error)))
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text())
    })
    await page.exposeBinding('__invoke', (source, channel: string, argv: unknown[]) =>
      electron.invoke(
        window,
        channel,
        argv,
        source.frame === page.mainFrame() ? window.webContents.mainFrame : { origin: 'http://elsewhere' },
      ),
    )
    window.webContents.deliver = (channel, argv) => {
      // After the page has gone there is nobody to tell.
      page
        .evaluate(([name, values]) => (globalThis as never as PageGlobals).__deliver(name, values), [
          channel,
          [...argv],
        ] as const)
        .catch(() => undefined)
    }
    await page.addInitScript(
      `(() => { ${electronForPreload}\n;((require) => { ${readFileSync(preload, 'utf8')}\n })(require) })()`,
    )
    await page.route('**/*', async (route) => {
      const { pathname } = new URL(route.request().url())
      const answer = await electron.protocols.get('app')!({ url: `app://bundle${pathname}`, method: 'GET' })
      await route.fulfill({
        status: answer.status,
        headers: Object.fromEntries(answer.headers),
        body: Buffer.from(await answer.arrayBuffer()),
      })
    })
    await page.goto(`${origin}/`)
    return { page, errors, [Symbol.asyncDispose]: () => browser.close() }
  } catch (error) {
    await browser.close()
    throw error
  }
}

interface PageGlobals {
  __deliver(channel: string, argv: readonly unknown[]): void
}
