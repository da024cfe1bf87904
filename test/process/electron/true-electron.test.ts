import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { _electron, type ElectronApplication } from 'playwright-core'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { missing } from '#test/needs'
import type { ElectronBridge } from '#shared/contract'

declare const window: { readonly reprise: ElectronBridge }

const root = join(import.meta.dirname, '../../..')
const noDisplay = !process.env['DISPLAY'] && !process.env['WAYLAND_DISPLAY']
if (noDisplay) process.stderr.write('skipped: Electron itself needs a display\n')

let data: string
let app: ElectronApplication
beforeEach(async () => {
  data = mkdtempSync(join(tmpdir(), 'reprise-true-electron-'))
  const folder = join(root, 'node_modules/electron')
  app = await _electron.launch({
    executablePath: join(folder, 'dist', readFileSync(join(folder, 'path.txt'), 'utf8')),
    args: [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), root],
    env: { ...process.env, REPRISE_DATA: data },
  })
})
afterEach(async () => {
  await app.close()
  rmSync(data, { recursive: true, force: true })
})

describe.skipIf(missing('electron') || noDisplay)('the app in Electron itself', () => {
  test('shows the Practice disk, and gives the page nothing but the bridge', async () => {
    const page = await app.firstWindow()
    await page.getByText('Practice disk').first().waitFor()
    expect(page.url()).toBe('app://bundle/')
    const seen = await page.evaluate(() => ({
      bridge: Object.keys(window.reprise).sort(),
      node: ['require', 'process', 'module'].filter((name) => name in globalThis),
    }))
    expect(seen).toEqual({ bridge: ['host', 'onFrame', 'pathForFile', 'request'], node: [] })
  })

  test('loads nothing from outside and goes nowhere', async () => {
    const page = await app.firstWindow()
    await page.getByText('Practice disk').first().waitFor()
    const fetched = await page.evaluate(() =>
      fetch('https://example.com/').then(
        () => 'loaded',
        () => 'refused',
      ),
    )
    expect(fetched).toBe('refused')
    await page.evaluate(() => {
      location.href = 'https://example.com/'
    })
    await page.waitForTimeout(300)
    expect(page.url()).toBe('app://bundle/')
  })
})
