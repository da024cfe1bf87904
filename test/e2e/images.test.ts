/** Work on images from the window: the real page, the real host, the real engines. */
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  appears,
  disappears,
  launchBrowser,
  openPage,
  screenshot,
  selectRow,
  type Window,
} from '#test/browser'
import { missing } from '#test/needs'
import { choose } from '#test/ui-states'
import { startWebHost, type WebHost } from '#test/web-host'
import { serveFile, startWebServer } from '#test/web-server'

describe.skipIf(missing('program:chromium'))('work on images', () => {
  let host: WebHost
  let browser: Browser
  let window: Window
  let page: Page
  beforeAll(async () => {
    ;[host, browser] = await Promise.all([startWebHost(), launchBrowser()])
    window = await openPage(browser, host.url)
    page = window.page
    await appears(page.getByRole('row', { name: /Practice image/ }))
  })
  afterAll(async () => {
    await browser.close()
    await host[Symbol.asyncDispose]()
  })
  beforeEach(async () => {
    await page.reload()
    await appears(page.getByRole('row', { name: /Practice image/ }))
  })
  afterEach(() => {
    expect(window.errors).toEqual([])
  })

  const row = (name: string | RegExp): Locator => page.getByRole('row', { name }).first()
  const sheet = () => page.getByRole('dialog')
  const press = (name: string) => page.getByRole('button', { name, exact: true }).click()

  /** Converts the Practice image into the home folder. */
  async function convertPractice(
    name: string,
    format: string,
    more: () => Promise<void> = async () => undefined,
  ): Promise<string> {
    await selectRow(row(/Practice image/))
    await choose(page, 'Images', 'Convert…')
    await sheet()
      .getByRole('button', { name: /^Format|Format$/ })
      .click()
    await page.getByRole('option', { name: format, exact: true }).click()
    await sheet().getByLabel('Save as').fill(name)
    await sheet().getByLabel('In', { exact: true }).fill(host.home)
    await more()
    await press('Convert')
    return join(host.home, name)
  }

  /** Erases the Practice disk with what is in the Source well. */
  async function restoreToPractice(): Promise<void> {
    await selectRow(row(/Practice disk/))
    await page.keyboard.press('Control+2')
    await appears(page.getByRole('group', { name: /^Destination, Practice disk/ }))
    await page.getByText('Erase destination', { exact: true }).click()
    await press('Restore…')
  }

  async function confirm(): Promise<void> {
    const alert = page.getByRole('alertdialog')
    await alert.getByRole('button', { name: 'Erase and Restore' }).click()
    expect(await appears(page.getByRole('heading', { name: 'Restored and verified' }))).toBe(true)
  }

  it('a path typed in the file panel opens what it names, and says what is not there', async () => {
    const folder = join(host.home, 'Lab images')
    mkdirSync(folder, { recursive: true })
    copyFileSync(join(host.data, 'practice/Practice image.dmg'), join(folder, 'Typed.dmg'))
    await press('Image…')
    const path = sheet().getByLabel('Path')
    await expect.poll(() => path.inputValue()).toBe(host.home)
    await path.fill('~/Lab imagse')
    await path.press('Enter')
    await appears(sheet().getByText(`'${host.home}/Lab imagse' wasn't found.`, { exact: false }))
    await screenshot(page, 'real-path')
    await path.fill('~/Lab images')
    await path.press('Enter')
    await appears(sheet().getByRole('option', { name: /^Typed\.dmg/ }))
    await expect.poll(() => path.inputValue()).toBe(folder)
    await path.fill('~/Lab images/Typed.dmg')
    await press('Choose')
    await appears(page.getByRole('group', { name: /^Source, Typed\.dmg, / }))
    // The next one begins there.
    await choose(page, 'File', 'Open Disk Image…')
    await expect.poll(() => path.inputValue()).toBe(folder)
  })

  it('a conversion asks before it replaces, tells its figures, and its image is opened', async () => {
    const path = await convertPractice('copy.dmg', 'UDIF read-only compressed (LZFSE)')
    await appears(page.getByText(/The image was converted\. .* disk in .* %, /))
    await screenshot(page, 'real-converted')
    await appears(row('copy.dmg'))
    await appears(page.locator('.info').getByText('UDIF read-only compressed (LZFSE)'))
    const before = statSync(path)

    await page.getByRole('tab', { name: 'Restore' }).click()
    await convertPractice('copy.dmg', 'UDIF read-only compressed (bzip2)')
    await appears(page.getByRole('alertdialog').getByText(path))
    await press('Cancel')
    await appears(sheet().getByLabel('Save as'))
    expect(statSync(path).mtimeMs).toBe(before.mtimeMs)
    await press('Convert')
    await press('Replace')
    await appears(page.locator('.info').getByText('UDIF read-only compressed (bzip2)'))
    expect(statSync(path).ino).not.toBe(before.ino)
  })

  it('an old SHA-256 beside an image is replaced when that is confirmed', async () => {
    const path = await convertPractice('beside.img', 'Raw disk image')
    await appears(row('beside.img'))
    const old = `${'0'.repeat(64)}  beside.img\n`
    writeFileSync(`${path}.sha256`, old)
    await choose(page, 'Images', 'Add Checksum…')
    await appears(page.getByText("'beside.img' isn't what the SHA-256 beside it says."))
    const replace = page.getByRole('button', { name: 'Replace Checksum… of beside.img' })
    await replace.click()
    await press('Cancel')
    expect(readFileSync(`${path}.sha256`, 'utf8')).toBe(old)
    await replace.click()
    await press('Replace')
    await appears(page.getByText(/Checksums were added to the image\..*beside\.img\.sha256/))
    await disappears(replace)
    const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex')
    expect(readFileSync(`${path}.sha256`, 'utf8')).toContain(sha256)
  })

  it('the log says what a job did, and is saved with the program and the system above it', async () => {
    const path = await convertPractice('logged.dmg', 'UDIF read-only compressed (zlib)')
    await appears(row('logged.dmg'))
    await page.getByRole('tab', { name: 'Activity' }).click()
    await page.getByRole('radio', { name: 'Log' }).click()
    await appears(page.getByRole('listitem').filter({ hasText: 'a job is done' }))
    await screenshot(page, 'real-log')
    const downloading = page.waitForEvent('download')
    await press('Save…')
    const download = await downloading
    expect(download.suggestedFilename()).toMatch(/^Reprise log \d{4}-\d\d-\d\d \d\d\.\d\d\.txt$/)
    const text = readFileSync(await download.path(), 'utf8')
    expect(text).toMatch(/^Reprise \d\S* \(in a browser\)\n.*Linux \d.*\n\d{4}-\d\d-\d\d .* UTC[+-]/)
    expect(text).toMatch(new RegExp(`info {2}a job begins {2}kind=convert-image .* destination=${path} `))
    expect(text).toMatch(/info {2}a job is done {2}.* storedBytes=\d+/)
    expect(text).not.toContain('{')
  })

  it('an image is scanned, shows its scan, and is restored', async () => {
    await convertPractice('lab.dmg', 'UDIF read-only compressed (zlib)')
    await selectRow(row('lab.dmg'))
    await appears(page.locator('.info').getByText('UDIF read-only compressed (zlib)'))
    await appears(page.locator('.info').getByText('UDIF read-only compressed (zlib)'))
    await choose(page, 'Images', 'Scan Image for Restore…')
    await press('Scan')
    await appears(page.getByText(/The image was scanned for restore/))
    await choose(page, 'Images', 'Show Scan Info')
    await appears(sheet().getByText(/^Reprise \d/))
    await expect.poll(() => sheet().locator('code').first().textContent()).toMatch(/^[0-9a-f]{64}$/)
    await screenshot(page, 'real-scanned')
    await press('Done')
    await page.keyboard.press('Control+1')
    await restoreToPractice()
    await confirm()

    // Once more: the disk holds it already, and hardly anything has to be written.
    await press('Restore Again')
    await page.getByText('Write only what changed').click()
    await restoreToPractice()
    await confirm()
    expect(await appears(page.locator('.verdict').getByText(/had to be written/))).toBe(true)
  })

  it('an image that was never scanned is asked about, scanned, and confirmed by itself', async () => {
    await convertPractice('unscanned.dmg', 'UDIF read-only compressed (zlib)')
    await selectRow(row('unscanned.dmg'))
    await appears(page.locator('.info').getByText('UDIF read-only compressed (zlib)'))
    await page.keyboard.press('Control+1')
    await restoreToPractice()
    const asked = page.getByRole('alertdialog')
    await appears(asked.getByText("'unscanned.dmg' hasn't been scanned for restore."))
    await screenshot(page, 'real-not-scanned')
    await press('Scan and Continue')
    await confirm()
    await selectRow(row('unscanned.dmg'))
    expect(await appears(page.locator('.info').getByText('SHA-256'))).toBe(true)
  })

  const cutSmall = async () => {
    await sheet().getByText('Cut into segments').click()
    await sheet().getByLabel('Of at most', { exact: true }).fill('0,263')
    await sheet()
      .getByRole('button', { name: /Unit of Of at most|Of at most.*unit|GB/ })
      .click()
    await page.getByRole('option', { name: 'MB', exact: true }).click()
  }

  const nothing = async () => undefined
  const arePartsThere = async () => {
    expect(existsSync(join(host.home, 'parts.002.dmgpart'))).toBe(true)
  }
  const resizeBundle = async () => {
    await choose(page, 'Images', 'Resize…')
    await sheet().getByLabel('New size', { exact: true }).fill('500')
    await press('Resize')
    await appears(page.getByText(/The image was resized from .* to 500 /))
  }

  it.each([
    ['secret.dmg', 'UDIF read-only compressed (zlib)', nothing, nothing],
    ['parts.dmg', 'UDIF read-only', cutSmall, arePartsThere],
    ['Secret.sparsebundle', 'Sparse bundle disk image', nothing, resizeBundle],
  ] as const)(
    'an encrypted image, %s, asks for its password, says when it is wrong, and opens',
    async (name, format, more, after) => {
      await convertPractice(name, format, async () => {
        await more()
        await sheet().getByText('Encrypt (AES-256)').click()
        await sheet().getByLabel('Password').fill('open sesame')
        await sheet().getByLabel('Once more').fill('open sesame')
        await screenshot(page, `real-encrypt-${name}`)
      })
      // The sheet that converts has a password, too, and may still be there.
      await disappears(sheet().getByLabel('Once more'))
      // Who did this may be at something else by now, and nobody is asked for it before they say so.
      await appears(page.getByText(/^The image was converted/))
      await row(name).click({ button: 'right' })
      await page.getByRole('menuitem', { name: 'Unlock…' }).click()
      const password = sheet().getByLabel('Password')
      await appears(password)
      await password.fill('open barley')
      await page.keyboard.press('Enter')
      await appears(sheet().getByText(/isn't the password/))
      await password.fill('open sesame')
      await page.keyboard.press('Enter')
      await appears(page.locator('.info').getByText('AES-256'))
      await expect.poll(() => sheet().count()).toBe(0)
      await after()
      await screenshot(page, `real-unlocked-${name}`)
    },
  )

  it('an image on a web server becomes the source, and is restored without being stored', async () => {
    const image = readFileSync(join(host.data, 'practice/Practice image.dmg'))
    await using server = await startWebServer((request, response) => {
      const known = request.headers.authorization === `Basic ${Buffer.from('ann:hush').toString('base64')}`
      if (known) serveFile(request, response, { bytes: image, etag: '"1"' })
      else response.writeHead(401, { 'www-authenticate': 'Basic realm="images"' }).end()
    })
    await choose(page, 'File', 'Open URL…')
    await sheet().getByLabel('URL').fill(`${server.url}/Web%20copy.dmg`.replace('://', '://ann:hush@'))
    await page.keyboard.press('Enter')
    await appears(page.getByRole('group', { name: /^Source, Web copy.dmg, / }))
    expect(await page.locator('html').innerHTML()).not.toContain('hush')
    await restoreToPractice()
    await confirm()
  })

  it('an image that a server gives only as a whole shows how far it is, and stops when it is told to', async () => {
    const image = readFileSync(join(host.data, 'practice/Practice image.dmg'))
    const half = Math.floor(image.length / 2)
    let release = () => undefined as unknown
    let closed = 0
    await using server = await startWebServer((_, response) => {
      response.on('close', () => (closed += 1))
      response.writeHead(200, { 'content-length': image.length, etag: '"1"' })
      response.write(image.subarray(0, half))
      release = () => response.end(image.subarray(half))
    })
    const open = async () => {
      await choose(page, 'File', 'Open URL…')
      await sheet().getByLabel('URL').fill(`${server.url}/Whole.dmg`)
      await page.keyboard.press('Enter')
      await appears(page.getByText(/^Fetching image: [1-9].* of /))
    }
    const status = page.getByRole('contentinfo', { name: 'Status' })
    await open()
    const why = page.locator('.source-problem', { hasText: 'The server gives no parts of files' })
    await appears(why)
    await appears(status.getByText('Fetching Whole.dmg'))
    await appears(status.getByText(/^(49|50) %$/))
    await screenshot(page, 'real-fetching')
    await status.getByRole('button', { name: 'Stop' }).click()
    await appears(page.getByRole('group', { name: 'Source, empty' }))
    await expect.poll(() => closed).toBe(1)
    await disappears(status.getByText('Fetching'))
    await open()
    release()
    await appears(page.getByRole('group', { name: /^Source, Whole.dmg, / }))
    await disappears(why)
  })

  it('an address that fails is kept: tried again, or opened to be mended, without its password', async () => {
    const image = readFileSync(join(host.data, 'practice/Practice image.dmg'))
    let isThere = false
    await using server = await startWebServer((request, response) => {
      if (isThere) serveFile(request, response, { bytes: image, etag: '"1"' })
      else response.writeHead(404).end()
    })
    const address = `${server.url}/Late.dmg`
    await choose(page, 'File', 'Open URL…')
    await sheet().getByLabel('URL').fill(address.replace('://', '://ann:hush@'))
    await page.keyboard.press('Enter')
    await appears(page.getByRole('alert').getByRole('button', { name: 'Try Again' }))
    await screenshot(page, 'real-url-failed')
    for (const open of [() => press('Change URL…'), () => choose(page, 'File', 'Open URL…')]) {
      await open()
      expect(await sheet().getByLabel('URL').inputValue()).toBe(address)
      expect(await sheet().getByLabel('Password').inputValue()).toBe('')
      await press('Cancel')
      await disappears(sheet())
    }
    isThere = true
    await press('Try Again')
    await appears(page.getByRole('group', { name: /^Source, Late.dmg, / }))
    await choose(page, 'File', 'Open URL…')
    expect(await sheet().getByLabel('URL').inputValue()).toBe('')
  })

  it('a blank image is made, and resized', async () => {
    await choose(page, 'File', 'New Image', 'Blank…')
    await sheet().getByLabel('Size', { exact: true }).fill('20')
    await sheet()
      .getByRole('button', { name: /File system/ })
      .click()
    await page.getByRole('option', { name: 'None', exact: true }).click()
    await sheet()
      .getByRole('button', { name: /^Format|Format$/ })
      .click()
    await page.getByRole('option', { name: 'Sparse disk image' }).click()
    await sheet().getByLabel('Save as').fill('Scratch.sparseimage')
    await sheet().getByLabel('In', { exact: true }).fill(host.home)
    await press('Create')
    await appears(row('Scratch.sparseimage'))
    await appears(page.locator('.info').getByText('20 MB'))
    expect(existsSync(join(host.home, 'Scratch.sparseimage'))).toBe(true)
    await choose(page, 'Images', 'Resize…')
    await sheet().getByLabel('New size', { exact: true }).fill('50')
    await press('Resize')
    await appears(page.getByText(/The image was resized from 20 MB to 50 MB/))
    await appears(page.locator('.info').getByText('50 MB'))
  })
})
