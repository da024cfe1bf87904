/** A stream from the window to the command line: the real page, the real host, the real server and client. */
import { randomFillSync } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { appears, dropFiles, launchBrowser, openPage, screenshot, selectRow } from '#test/browser'
import { missing } from '#test/needs'
import { freePort } from '#test/real-stream-server'
import { runReprise, startWebHost } from '#test/web-host'

/** A scanned image of data that doesn't compress. */
async function scannedImage(home: string): Promise<string> {
  const raw = join(home, 'Lab.img')
  const image = join(home, 'Lab.dmg')
  await writeFile(raw, randomFillSync(Buffer.alloc(24 * 1024 * 1024)))
  await runReprise(home, 'image', 'convert', '--source', raw, '--format', 'UDZO', '--target', image)
  await runReprise(home, 'imagescan', '--source', image)
  return image
}

/** Puts an image in the well and fills the form for this computer alone. */
async function fillForm(page: Page, image: string, port: number): Promise<void> {
  await page.getByRole('tab', { name: 'Multicast Server' }).click()
  await dropFiles(page, page.getByRole('group', { name: /^Image/ }), [image])
  await appears(page.getByText('Scanned, in order'))
  await page.getByRole('button', { name: /Interface/ }).click()
  await page.getByRole('option', { name: /127\.0\.0\.1/ }).click()
  await page.getByLabel('Port').fill(String(port))
}

describe.skipIf(missing('program:chromium'))('a lab of one', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launchBrowser()
  })
  afterAll(() => browser.close())

  it('gets an image that is streamed from the window, and stands in its table as done', async () => {
    await using host = await startWebHost()
    const image = await scannedImage(host.home)
    await using window = await openPage(browser, host.url)
    const { page } = window
    const port = await freePort()
    await fillForm(page, image, port)

    await page.getByRole('button', { name: 'Check Network' }).click()
    await page.locator('.checks').waitFor()
    await screenshot(page, 'real-multicast-checked')
    expect(await page.locator('.checks [data-state=failed]').allInnerTexts()).toEqual([])

    await page.getByRole('button', { name: 'Server', exact: true }).click()
    await page.getByRole('menuitem', { name: 'Save Configuration As…' }).click()
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await appears(page.getByText("'Lab.plist' was saved."))
    const saved = await readFile(join(host.home, 'Lab.plist'), 'utf8')
    expect(saved).toContain('<key>Multicast Address</key>')
    expect(saved).toContain(`<integer>${port}</integer>`)

    await page.getByRole('button', { name: 'Start Stream' }).click()
    await appears(page.getByText('Waiting for the first computer'))
    await screenshot(page, 'real-multicast-waiting')
    const command = await page.locator('.client-command code').innerText()
    const locator = /asr:\/\/[^\s']+/.exec(command)?.[0] ?? ''
    expect(locator).toContain(`127.0.0.1:${port}/Lab`)

    const out = join(host.home, 'received.dmg')
    await runReprise(host.home, 'restore', '--source', locator, '--file', out)
    expect((await readFile(out)).equals(await readFile(image))).toBe(true)

    await appears(page.getByRole('row', { name: /Done/ }))
    await screenshot(page, 'real-multicast-done')
    // Twice: what comes in its place takes no press of the same hand.
    await page.getByRole('button', { name: 'Stop', exact: true }).dblclick()
    await appears(page.getByText('1 computer done, all of them.'))
    await appears(page.getByRole('button', { name: 'Remove' }))
    await screenshot(page, 'real-multicast-ended')
    expect(window.errors).toEqual([])
  })

  it('restores from a stream in the window, and shows its passes', async () => {
    await using host = await startWebHost()
    const image = await scannedImage(host.home)
    await using window = await openPage(browser, host.url)
    const { page } = window
    const port = await freePort()
    await fillForm(page, image, port)
    await page.getByLabel('Password').fill('sesame')
    await page.getByRole('button', { name: 'Start Stream' }).click()
    await appears(page.getByText('Waiting for the first computer'))

    await page.getByRole('button', { name: 'File', exact: true }).click()
    await page.getByRole('menuitem', { name: 'Open URL…' }).click()
    await page.getByLabel('URL').fill(`asr://127.0.0.1:${port}/Lab`)
    await page.keyboard.press('Enter')
    await page
      .getByRole('dialog', { name: /Unlock/ })
      .getByLabel('Password')
      .fill('sesame')
    await page.keyboard.press('Enter')
    await appears(page.getByRole('group', { name: /^Source, Lab.dmg/ }))
    await selectRow(page.getByRole('row', { name: /Practice disk/ }))
    await page.keyboard.press('Control+2')
    await page.getByText('Erase destination', { exact: true }).click()
    await screenshot(page, 'real-stream-composed')
    await page.getByRole('button', { name: 'Restore…' }).click()
    await page.getByRole('button', { name: 'Erase and Restore' }).click()
    await appears(page.getByRole('img', { name: /^Pass 1/ }))
    await screenshot(page, 'real-stream-receiving')
    await appears(page.getByRole('heading', { name: 'Restored and verified' }))
    await screenshot(page, 'real-stream-restored')
    await page.getByRole('tab', { name: 'Multicast Server' }).click()
    await appears(page.getByRole('row', { name: /Done/ }))
    expect(window.errors).toEqual([])
  })

  it('saves the image of a stream as a file from the window', async () => {
    await using host = await startWebHost()
    const image = await scannedImage(host.home)
    await using window = await openPage(browser, host.url)
    const { page } = window
    const port = await freePort()
    await fillForm(page, image, port)
    await page.getByRole('button', { name: 'Start Stream' }).click()
    await appears(page.getByText('Waiting for the first computer'))

    await page.getByRole('button', { name: 'File', exact: true }).click()
    await page.getByRole('menuitem', { name: 'Open URL…' }).click()
    await page.getByLabel('URL').fill(`asr://127.0.0.1:${port}/Lab`)
    await page.keyboard.press('Enter')
    await appears(page.getByRole('group', { name: /^Source, Lab.dmg/ }))
    await page.getByRole('button', { name: 'Choose…' }).click()
    await screenshot(page, 'real-stream-choose')
    await page.getByRole('menuitem', { name: 'Image File…' }).click()
    await page.getByLabel('Save as').fill('received.dmg')
    await page.getByRole('button', { name: 'Choose', exact: true }).click()
    await appears(page.getByRole('group', { name: /^Destination, received.dmg, Image file/ }))
    await page.getByText('Erase destination', { exact: true }).click()
    await page.getByRole('button', { name: 'Restore…' }).click()
    await appears(page.getByRole('heading', { name: "Save 'Lab.dmg' as 'received.dmg'?" }))
    await screenshot(page, 'real-stream-saving')
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await appears(page.getByRole('heading', { name: 'Restored and verified' }))
    await screenshot(page, 'real-stream-saved')
    expect((await readFile(join(host.home, 'received.dmg'))).equals(await readFile(image))).toBe(true)
    expect(window.errors).toEqual([])
  })
})
