/** A real device streamed from the window, with each compression: the real page, host, server and client, and two loop devices. */
import { readFile } from 'node:fs/promises'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { appears, dragOnto, launchBrowser, openPage, screenshot } from '#test/browser'
import { noise } from '#test/image-of-runs'
import { attachLoop, command } from '#test/loop'
import { missing } from '#test/needs'
import { freePort } from '#test/real-stream-server'
import { temporaryFolder } from '#test/temporary-folder'
import { runReprise, startWebHost } from '#test/web-host'

const sizeBytes = 8 * 1024 * 1024

/** A device with an ext4 that nothing was ever deleted from, so that what is unused on it is zero. */
async function filledLoop() {
  await using folder = await temporaryFolder()
  await folder.write('noise', noise(1_000_000, 5))
  await folder.write('text', Buffer.alloc(1_000_000, 'Reprise restores disk images. '))
  const loop = await attachLoop({ sizeBytes })
  await command('mke2fs', ['-q', '-F', '-t', 'ext4', '-L', 'LAB', '-d', folder.path, loop.path])
  await command('blockdev', ['--flushbufs', loop.path])
  return loop
}

async function choose(page: Page, field: string, option: string | RegExp): Promise<void> {
  await page.getByRole('button', { name: new RegExp(field) }).click()
  await page.getByRole('option', { name: option }).click()
}

const needs = ['program:chromium', 'root', 'loop', 'program:mke2fs'] as const
describe.skipIf(missing(...needs))('a device dragged to the Multicast Server panel', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launchBrowser()
  })
  afterAll(() => browser.close())

  it('reaches other disks byte by byte, as it is and with each compression', async () => {
    await using source = await filledLoop()
    await using host = await startWebHost()
    await using window = await openPage(browser, host.url)
    const { page } = window
    const port = await freePort()
    await page.getByRole('tab', { name: 'Multicast Server' }).click()
    await choose(page, 'Interface', /127\.0\.0\.1/)
    await page.getByLabel('Port').fill(String(port))
    await page.getByLabel('Data rate, MB/s').fill('60')

    const levels = ['None', 'Speed', 'Balanced', 'Size']
    const locators: string[] = []
    for (const level of levels) {
      const row = page.locator(`[role=row][data-key="disk:${source.path}"]`)
      await row.scrollIntoViewIfNeeded()
      await dragOnto(page, row, page.getByRole('group', { name: /^Image/ }))
      await page.mouse.up()
      await choose(page, 'Compression', new RegExp(`^${level}`))
      await page.getByRole('button', { name: 'Start Stream' }).click()
      await appears(page.getByText('Waiting for the first computer'))
      const shown = await page.locator('.client-command code').innerText()
      locators.push(/asr:\/\/[^\s']+/.exec(shown)?.[0] ?? '')
      await page.getByText('New Stream', { exact: true }).click()
    }
    await screenshot(page, 'real-device-form')

    const came = await Promise.all(
      locators.map(async (locator) => {
        await using target = await attachLoop({ sizeBytes })
        const words = ['restore', '--source', locator, '--target', target.path, '--erase', '--noprompt']
        await runReprise(host.home, ...words)
        return await readFile(target.path)
      }),
    )
    const sent = await readFile(source.path)
    expect(levels.filter((_, index) => came[index]?.equals(sent))).toEqual(levels)

    for (const index of levels.keys()) {
      await page.getByRole('radio').nth(index).click()
      await appears(page.getByRole('row', { name: /Done/ }))
    }
    await screenshot(page, 'real-device-done')
    expect(window.errors).toEqual([])
  })
})
