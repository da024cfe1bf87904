/** Whole restores from the window: the real page, the real host, the real engine. */
import { createHash, randomFillSync } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  appears,
  disappears,
  dragOnto,
  dropFiles,
  launchBrowser,
  openPage,
  screenshot,
  type Window,
  selectRow,
} from '#test/browser'
import { attachFaultyDisk } from '#test/faulty-disk'
import { attachLoop, type LoopDevice } from '#test/loop'
import { missing } from '#test/needs'
import { startWebHost, type WebHost } from '#test/web-host'

const MiB = 1024 * 1024

/**
 * The row of exactly this device: other people's devices are on this machine too, and one that went a moment ago, still
 * shown, may have had the same path, with another file behind it.
 */
const deviceRow = (page: Page, { path, file }: Pick<LoopDevice, 'path' | 'file'>): Locator =>
  page.locator(`[role=row][data-key="disk:${path}"]`, { hasText: basename(file) })
const well = (page: Page, name: 'Source' | 'Destination'): Locator =>
  page.getByRole('group', { name: new RegExp(`^${name}`) })
const erase = (page: Page) => page.getByText('Erase destination', { exact: true })

/** A raw image of data that is nowhere zero, `sizeBytes` a multiple of 8 MiB. */
async function rawImage(path: string, sizeBytes: number): Promise<string> {
  const chunk = randomFillSync(Buffer.alloc(8 * MiB), 0)
  await using file = await open(path, 'w')
  for (let offset = 0; offset < sizeBytes; offset += chunk.length) {
    chunk.writeUInt32LE(offset / chunk.length, 0)
    await file.write(chunk, 0, chunk.length, offset)
  }
  return path
}

async function sha256(path: string, sizeBytes: number): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { end: sizeBytes - 1 })) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

/** From filled wells to the running job. */
async function confirmRestore(page: Page): Promise<void> {
  await erase(page).click()
  await page
    .getByRole('button', { name: 'Restore…' })
    .click()
    .catch(async (cause: unknown) => {
      const reason = await page.locator('#restore-reason').textContent({ timeout: 1000 })
      throw new Error(`Restore… can't be pressed: ${reason}`, { cause })
    })
  const sheet = page.getByRole('alertdialog')
  const yes = sheet.getByRole('button', { name: 'Erase and Restore' })
  await yes.click()
  await sheet.waitFor({ state: 'detached' })
}

describe.skipIf(missing('program:chromium'))('a newcomer', () => {
  it('does a whole practice restore, and is not asked to again', async () => {
    await using host = await startWebHost()
    const browser = await launchBrowser()
    try {
      await using window = await openPage(browser, host.url)
      const { page } = window
      await page.getByRole('button', { name: 'Try It' }).click()
      await appears(page.getByRole('group', { name: /^Source, Practice image/ }))
      await confirmRestore(page)
      await appears(page.getByRole('heading', { name: 'Restored and verified' }))
      await screenshot(page, 'real-practice-done')
      await expect.poll(() => page.title()).toBe('Done – Reprise')
      await page.reload()
      await appears(page.getByRole('heading', { name: 'Restored and verified' }))

      await page.getByRole('button', { name: 'Restore Again' }).click()
      await appears(page.getByRole('group', { name: 'Destination, empty' }))
      await page.reload()
      await appears(page.getByRole('group', { name: /^Source, Practice image/ }))
      await appears(page.getByRole('group', { name: 'Destination, empty' }))
      await expect.poll(() => page.getByRole('button', { name: 'Try It' }).count()).toBe(0)
      expect(window.errors).toEqual([])
    } finally {
      await browser.close()
    }
  })
})

describe.skipIf(missing('program:chromium', 'root', 'loop'))('on real devices', () => {
  let host: WebHost
  let browser: Browser
  let window: Window
  let page: Page
  beforeAll(async () => {
    ;[host, browser] = await Promise.all([startWebHost(), launchBrowser()])
    window = await openPage(browser, host.url)
    page = window.page
    await appears(page.getByRole('row'))
  })
  afterAll(async () => {
    await browser.close()
    await host[Symbol.asyncDispose]()
  })
  beforeEach(async () => {
    await page.evaluate(() => sessionStorage.clear())
    await page.reload()
    await appears(page.getByRole('group', { name: 'Source, empty' }))
  })
  afterEach(async () => {
    expect(window.errors).toEqual([])
  })

  it('a dropped file and a dragged disk become a verified copy', async () => {
    const image = await rawImage(join(host.home, 'system.img'), 32 * MiB)
    await using disk = await attachLoop({ sizeBytes: 48 * MiB })
    await appears(deviceRow(page, disk))
    await dropFiles(page, well(page, 'Source'), [image])
    await appears(page.getByRole('group', { name: /^Source, system.img, 33.6 MB/ }))
    await dragOnto(page, deviceRow(page, disk), well(page, 'Destination'))
    await page.mouse.up()
    await appears(page.getByRole('group', { name: new RegExp(`^Destination, .*${disk.path}`) }))
    await appears(page.getByText('Fits: 33.6 MB of 50.3 MB'))
    await confirmRestore(page)
    await appears(page.getByRole('heading', { name: 'Restored and verified' }))
    await screenshot(page, 'real-done')
    expect(await sha256(disk.path, 32 * MiB)).toBe(await sha256(image, 32 * MiB))
  })

  it('a restore needs nothing but the keyboard, which is never nowhere', async () => {
    await using disk = await attachLoop({ sizeBytes: 80 * MiB })
    const row = deviceRow(page, disk)
    await appears(row)
    const press = (...keys: readonly string[]) =>
      keys.reduce((last, key) => last.then(() => page.keyboard.press(key)), Promise.resolve())
    const focusIs = (locator: Locator) =>
      locator.evaluate((element) => element.contains(document.activeElement))

    await press('F6', 'F6')
    for (let rows = 0; rows < 60 && !(await focusIs(row)); rows += 1) await press('ArrowDown')
    // The disk's handle, then the wells by Tab, then Enter.
    await press('ArrowRight', 'Enter')
    for (let tabs = 0; tabs < 6 && !(await focusIs(well(page, 'Destination'))); tabs += 1) await press('Tab')
    await press('Enter')
    await appears(page.getByRole('group', { name: new RegExp(`^Destination, .*${disk.path}`) }))
    // The Practice image by its shortcut.
    await press('F6', 'F6')
    if (
      !(await page
        .locator('[data-region=sidebar]')
        .evaluate((aside) => aside.contains(document.activeElement)))
    )
      await press('F6')
    const practice = page.getByRole('row', { name: /Practice image/ })
    await press('End')
    for (let rows = 0; rows < 60 && !(await focusIs(practice)); rows += 1) await press('ArrowUp')
    await press('Control+1')
    await appears(page.getByRole('group', { name: /^Source, Practice image/ }))
    const focusOn = async (locator: Locator) => {
      for (let tabs = 0; tabs < 30 && !(await focusIs(locator)); tabs += 1) await press('Tab')
      await expect.poll(() => focusIs(locator)).toBe(true)
    }
    await focusOn(page.locator('label', { hasText: 'Erase destination' }))
    await press('Space')
    await appears(page.getByRole('button', { name: 'Restore…', disabled: false }))
    await press('Control+Shift+R')
    const yes = page.getByRole('button', { name: 'Erase and Restore' })
    await appears(page.getByRole('alertdialog'))
    await expect.poll(() => yes.isEnabled(), { timeout: 10_000 }).toBe(true)
    await focusOn(yes)
    await press('Enter')
    const verdict = page.getByRole('heading', { name: 'Restored and verified' })
    expect(await appears(verdict)).toBe(true)
    await expect.poll(() => focusIs(verdict)).toBe(true)
    await focusOn(page.getByRole('button', { name: 'Show Log' }))
    await press('Enter')
    await expect.poll(() => focusIs(page.getByRole('list', { name: 'Lines of the log' }))).toBe(true)
    const tab = page.getByRole('tab', { name: 'Activity' })
    for (let tabs = 0; tabs < 30 && !(await focusIs(tab)); tabs += 1) await press('Shift+Tab')
    await press('ArrowLeft', 'ArrowLeft')
    await focusOn(page.getByRole('button', { name: 'Restore Again' }))
    await press('Enter')
    await expect.poll(() => focusIs(well(page, 'Destination'))).toBe(true)
  })

  it('a disk appears when it is attached and goes when it is detached', async () => {
    const disk = await attachLoop({ sizeBytes: 16 * MiB })
    const row = deviceRow(page, disk)
    try {
      expect(await appears(row)).toBe(true)
      await selectRow(row)
      await page.keyboard.press('Control+2')
      await appears(page.getByRole('group', { name: new RegExp(`^Destination, .*${disk.path}`) }))
    } finally {
      await disk[Symbol.asyncDispose]()
    }
    expect(await disappears(row)).toBe(true)
    expect(await appears(page.getByText('Disconnected. Choose it again, or another.'))).toBe(true)
  })

  it.skipIf(missing('program:nbdfuse'))('Stop stops, and says what became of the disk', async () => {
    const image = await rawImage(join(host.home, 'large.img'), 512 * MiB)
    // Slower than any real one: nothing is over before it is stopped.
    await using disk = await attachFaultyDisk({ sizeBytes: 528 * MiB })
    await appears(deviceRow(page, disk))
    await dropFiles(page, well(page, 'Source'), [image])
    await appears(page.getByRole('group', { name: /^Source, large.img/ }))
    await selectRow(deviceRow(page, disk))
    await page.keyboard.press('Control+2')
    await confirmRestore(page)
    await appears(page.locator('.phases [data-state=current]', { hasText: 'Restoring' }))
    await expect.poll(() => page.title(), { timeout: 30_000 }).toMatch(/^[1-9]\d? % – Restoring/)
    await screenshot(page, 'real-running')
    await page.getByRole('button', { name: 'Stop' }).click()
    await appears(page.getByRole('heading', { name: /^Stopped at \d+ %$/ }))
    await expect.poll(() => page.locator('.verdict').textContent()).toMatch(/erased: it is empty|incomplete/)
    await screenshot(page, 'real-cancelled')
  })

  it.skipIf(missing('program:nbdfuse'))(
    'a disk that fails ends in an alert, and has to be chosen again',
    async () => {
      const image = await rawImage(join(host.home, 'good.img'), 48 * MiB)
      await using disk = await attachFaultyDisk({ sizeBytes: 64 * MiB, failAtOffset: 24 * MiB })
      await appears(deviceRow(page, disk))
      await dropFiles(page, well(page, 'Source'), [image])
      await appears(page.getByRole('group', { name: /^Source, good.img/ }))
      await selectRow(deviceRow(page, disk))
      await page.keyboard.press('Control+2')
      await confirmRestore(page)
      const alert = page.getByRole('alert')
      await appears(alert.getByText('E_IO_WRITE'))
      await expect
        .poll(() => alert.textContent())
        .toMatch(/couldn't be written at byte .*The system reports EIO/)
      await expect.poll(() => alert.textContent()).toMatch(/erased: it is empty|incomplete/)
      await screenshot(page, 'real-failed')
      await page.getByRole('button', { name: 'Try Again' }).click()
      await appears(page.getByRole('group', { name: 'Destination, empty' }))
      await appears(page.getByRole('group', { name: /^Source, good.img/ }))
      expect(
        await page.locator('label', { hasText: 'Erase destination' }).getByRole('checkbox').isChecked(),
      ).toBe(false)
    },
  )

  it.skipIf(missing('program:nbdfuse'))(
    'a disk that is unplugged while it is written ends in an alert',
    async () => {
      const image = await rawImage(join(host.home, 'long.img'), 256 * MiB)
      await using disk = await attachFaultyDisk({ sizeBytes: 264 * MiB })
      await appears(deviceRow(page, disk))
      await dropFiles(page, well(page, 'Source'), [image])
      await appears(page.getByRole('group', { name: /^Source, long.img/ }))
      await selectRow(deviceRow(page, disk))
      await page.keyboard.press('Control+2')
      await confirmRestore(page)
      await appears(page.locator('.phases [data-state=current]', { hasText: 'Restoring' }))
      await disk.vanish()
      const alert = page.getByRole('alert')
      await appears(alert.getByText(/E_(DST_GONE|IO_WRITE|STALL)/))
      await expect.poll(() => alert.textContent()).toContain('incomplete')
      await screenshot(page, 'real-unplugged')
      await expect.poll(() => page.title()).toBe('Failed – Reprise')
    },
  )
})

describe.skipIf(missing('program:chromium'))('the page', () => {
  it('verifies an image and shows every checksum', async () => {
    await using host = await startWebHost()
    const browser = await launchBrowser()
    try {
      await using window = await openPage(browser, host.url)
      const { page } = window
      await page.getByRole('row', { name: /Practice image/ }).click({ button: 'right' })
      await page.getByRole('menuitem', { name: 'Verify…' }).click()
      expect(await appears(page.getByText('The image is intact.'))).toBe(true)
      await page.getByRole('button', { name: /checksums/ }).click()
      expect(await appears(page.getByText(/CRC-?32 [0-9a-f]{8}/))).toBe(true)
      await screenshot(page, 'real-verified')
      expect(window.errors).toEqual([])
    } finally {
      await browser.close()
    }
  })

  it('says that a link without a token is not valid', async () => {
    await using host = await startWebHost()
    const browser = await launchBrowser()
    try {
      await using window = await openPage(browser, host.origin)
      const alert = window.page.getByRole('alert')
      expect(await appears(alert.getByText('This link is not valid.'))).toBe(true)
      await expect.poll(() => window.page.getByRole('button', { name: 'Restore…' }).isEnabled()).toBe(false)
    } finally {
      await browser.close()
    }
  })

  it('says that Reprise cannot be reached when it was ended', async () => {
    const host = await startWebHost()
    const browser = await launchBrowser()
    try {
      await using window = await openPage(browser, host.url)
      await appears(window.page.getByRole('row', { name: /Practice disk/ }))
      // The link's token was used.
      expect(window.page.url()).toBe(`${host.origin}/`)
      await host[Symbol.asyncDispose]()
      expect(await appears(window.page.getByRole('alert').getByText(/was lost/))).toBe(true)
      const gone = window.page.getByRole('alert').getByText("Reprise can't be reached.")
      expect(await appears(gone)).toBe(true)
    } finally {
      await browser.close()
    }
  })

  it('shows the log in a tab of its own', async () => {
    await using host = await startWebHost()
    const browser = await launchBrowser()
    try {
      await using window = await openPage(browser, host.url)
      const { page } = window
      await page.getByRole('tab', { name: 'Activity' }).click()
      await page.getByRole('radio', { name: 'Log' }).click()
      const opening = page.context().waitForEvent('page')
      await page.getByRole('button', { name: 'Own Window' }).click()
      const log = await opening
      await log.getByRole('radio', { name: 'Transcript' }).click()
      expect(await appears(log.getByText('Nothing has been restored'))).toBe(true)
    } finally {
      await browser.close()
    }
  })
})
