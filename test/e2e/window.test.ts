/** How the window behaves under the hand, on a double of the host. */
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  accessibilityFaults,
  appears,
  disappears,
  dragOnto,
  dropFiles,
  launchBrowser,
  openPage,
  overflowing,
  reopenPage,
  screenshot,
  type Window,
} from '#test/browser'
import type { Disk } from '#shared/model'
import { missing } from '#test/needs'
import { temporaryFolder } from '#test/temporary-folder'
import { serveUiPage, type UiPage } from '#test/ui-page'
import { choose, chooseSource, row, severalSessions, startRestore, windowStates } from '#test/ui-states'

const reach = (page: Page, name: string) => windowStates.find((state) => state.name === name)!.reach(page)
const focusedName = (page: Page) =>
  page.evaluate(() => {
    const element = document.activeElement
    const label = element instanceof HTMLInputElement ? element.closest('label') : element
    return element?.getAttribute('aria-label') ?? label?.textContent?.trim() ?? ''
  })

describe.skipIf(missing('program:chromium'))('the window', () => {
  let host: UiPage
  let browser: Browser
  let window: Window
  let page: Page
  beforeAll(async () => {
    ;[host, browser] = await Promise.all([serveUiPage('development'), launchBrowser()])
    window = await openPage(browser, host.address)
    page = window.page
  })
  afterAll(async () => {
    await browser.close()
    await host[Symbol.asyncDispose]()
  })
  beforeEach(async () => {
    await reopenPage(window, host.address)
    await row(page, 'SanDisk').waitFor()
  })
  afterEach(() => {
    expect(window.errors).toEqual([])
  })

  describe('drags', () => {
    it('take a disk from the sidebar to Destination', async () => {
      await dragOnto(page, row(page, 'SanDisk'), page.getByRole('group', { name: /^Destination/ }))
      await page.mouse.up()
      const filled = page.getByRole('group', { name: /^Destination, SanDisk Ultra, 61.5 GB/ })
      expect(await appears(filled)).toBe(true)
    })

    it('say why a disk is refused, and refuse it', async () => {
      await chooseSource(page)
      await dragOnto(page, row(page, 'Kingston'), page.getByRole('group', { name: /^Destination/ }))
      await page.getByText('Too small by 6.2 GB').waitFor()
      await page.mouse.up()
      await page.getByRole('group', { name: 'Destination, empty' }).waitFor()
      await expect.poll(() => page.getByText('Too small').count()).toBe(0)
    })

    it('offer no Source to what cannot be one, by the keyboard neither', async () => {
      await row(page, 'Kingston').click()
      await page.keyboard.press('Control+2')
      await page.getByRole('group', { name: /^Destination, Kingston/ }).waitFor()
      await row(page, 'Kingston').click()
      await page.keyboard.press('ArrowRight')
      await expect.poll(() => focusedName(page)).toMatch(/^Drag /)
      await page.keyboard.press('Enter')
      await expect.poll(() => focusedName(page)).toMatch(/^Destination/)
      expect(await page.getByText('It is the destination').count()).toBe(1)
      for (let tabs = 0; tabs < 4; tabs += 1) {
        expect(await focusedName(page)).not.toMatch(/^Source/)
        await page.keyboard.press('Tab')
      }
      await page.keyboard.press('Escape')
    })

    it('take a volume to Source', async () => {
      await dragOnto(page, row(page, 'UNTITLED'), page.getByRole('group', { name: /^Source/ }))
      await page.mouse.up()
      const filled = page.getByRole('group', { name: /^Source, UNTITLED, 61.2 GB · exFAT/ })
      expect(await appears(filled)).toBe(true)
    })

    it('work by the keyboard: handle, Tab to the well, Enter', async () => {
      await row(page, 'SanDisk').click()
      await page.keyboard.press('ArrowRight')
      await expect.poll(() => focusedName(page)).toBe('Drag SanDisk Ultra')
      await page.keyboard.press('Enter')
      // The wells take part from the next frame on: the first of them has the focus then.
      await expect.poll(() => focusedName(page)).toMatch(/^(Source|Destination)/)
      for (let tabs = 0; tabs < 4 && !(await focusedName(page)).startsWith('Destination'); tabs += 1)
        await page.keyboard.press('Tab')
      await page.keyboard.press('Enter')
      expect(await appears(page.getByRole('group', { name: /^Destination, SanDisk Ultra/ }))).toBe(true)
    })

    it('are given up with Esc', async () => {
      await row(page, 'SanDisk').click()
      await page.keyboard.press('ArrowRight')
      await page.keyboard.press('Enter')
      await page.locator('[data-offer]').first().waitFor()
      await page.keyboard.press('Escape')
      await page.getByRole('group', { name: 'Destination, empty' }).waitFor()
      await expect.poll(() => page.locator('[data-offer]').count()).toBe(0)
    })

    it('of a file that the host cannot find end in a sentence that helps', async () => {
      await using folder = await temporaryFolder()
      const file = await folder.write('lost.dmg', 'not much')
      await dropFiles(page, page.getByRole('group', { name: /^Source/ }), [file])
      await page.getByRole('alert').getByText("'lost.dmg' wasn't found").waitFor()
      await page.getByRole('button', { name: 'Close this message' }).click()
      await expect.poll(() => page.getByRole('alert').count()).toBe(0)
    })

    it('are of what is pasted, not of what was dropped before', async () => {
      await using folder = await temporaryFolder()
      const source = page.getByRole('group', { name: /^Source/ })
      await dropFiles(page, source, [await folder.write('dropped.dmg', 'not much')])
      await page.getByRole('alert').getByText("'dropped.dmg' wasn't found").waitFor()
      await source.getByRole('button', { name: /^Source/ }).focus()
      await page.evaluate(() => {
        const clipboardData = new DataTransfer()
        clipboardData.items.add('a file of which only the name was copied', 'text/plain')
        document.activeElement?.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true }))
      })
      expect(await appears(page.getByRole('alert').getByText('One file at a time.'))).toBe(true)
    })

    it('and what is pasted may be the address of an image', async () => {
      const address = 'https://lab.example/Lab%2010.6.dmg'
      await page
        .getByRole('group', { name: /^Source/ })
        .getByRole('button', { name: /^Source/ })
        .focus()
      await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
      await page.evaluate((text) => navigator.clipboard.writeText(text), address)
      await page.keyboard.press('Control+v')
      expect(await appears(page.getByRole('group', { name: /^Source, Lab 10\.6\.dmg/ }))).toBe(true)
      expect(await page.getByText('One file at a time.').count()).toBe(0)
    })

    it('of a sparse bundle, which is a folder, do so, too', async () => {
      await using folder = await temporaryFolder()
      const bundle = join(folder.path, 'Lab.sparsebundle')
      await mkdir(bundle)
      await dropFiles(page, page.getByRole('group', { name: /^Source/ }), [bundle])
      await page.getByRole('alert').getByText("'Lab.sparsebundle' wasn't found").waitFor()
      await page.getByRole('button', { name: 'Close this message' }).click()
      await expect.poll(() => page.getByRole('alert').count()).toBe(0)
    })
  })

  describe('the confirm sheet', () => {
    it('has Cancel focused, arms after two seconds, and gives the focus back', async () => {
      await reach(page, 'ready')
      const opened = Date.now()
      await page.getByRole('button', { name: 'Restore…' }).click()
      await expect.poll(() => focusedName(page)).toBe('Cancel')
      const yes = page.getByRole('button', { name: 'Erase and Restore' })
      await expect.poll(() => yes.isEnabled()).toBe(false)
      await page.locator('.confirm-yes:not([data-arming])').waitFor()
      expect(Date.now() - opened).toBeGreaterThan(1900)
      await expect.poll(() => yes.isEnabled()).toBe(true)
      await page.keyboard.press('Escape')
      await page.getByRole('alertdialog').waitFor({ state: 'detached' })
      await expect.poll(() => focusedName(page)).toBe('Restore…')
    })

    it('does not make a disk wait that was erased before', async () => {
      await page.evaluate(() => {
        const { double, fixtures } = globalThis.window
        double.app = {
          ...double.app,
          preferences: { ...double.app.preferences, knownDisks: [fixtures.sandisk.identity] },
        }
        double.lose()
      })
      await page.getByText('Connecting again').first().waitFor({ state: 'detached' })
      await reach(page, 'confirm')
      await expect.poll(() => page.getByRole('button', { name: 'Erase and Restore' }).isEnabled()).toBe(true)
    })

    it('is not confirmed by Enter', async () => {
      await reach(page, 'confirm-armed')
      await page.keyboard.press('Enter')
      await page.getByRole('alertdialog').waitFor({ state: 'detached' })
      expect(
        await page.evaluate(() => globalThis.window.double.calls.map((call) => call.name)),
      ).not.toContain('restore.start')
    })

    it('closes when the disk is unplugged under it', async () => {
      await reach(page, 'confirm')
      await page.evaluate(() => globalThis.window.double.unplug('/dev/sdb'))
      expect(await disappears(page.getByRole('alertdialog'))).toBe(true)
      expect(await appears(page.getByText('Disconnected. Choose'))).toBe(true)
    })

    it('begins to arm anew when what would be lost has changed', async () => {
      await reach(page, 'confirm-armed')
      await page.evaluate(() => {
        const { double, fixtures } = globalThis.window
        double.setDevices(
          double.devices.map((disk) =>
            disk.path === '/dev/sdb'
              ? { ...disk, volumes: [fixtures.aVolume({ path: '/dev/sdb1', label: 'WEDDING' })] }
              : disk,
          ),
        )
      })
      await page.getByRole('alertdialog').getByText('WEDDING').first().waitFor()
      await expect.poll(() => page.getByRole('button', { name: 'Erase and Restore' }).isEnabled()).toBe(false)
    })
  })

  it('shows where a name would turn around what is beside it', async () => {
    await chooseSource(page)
    await page.evaluate(() => {
      const { double } = globalThis.window
      const [file] = double.listing.entries.filter(({ kind }) => kind === 'file')
      if (file) double.listing = { ...double.listing, entries: [{ ...file, name: 'lab\u202Egpj.dmg' }] }
    })
    await page.getByRole('button', { name: 'Image…' }).click()
    expect(await appears(page.getByRole('option', { name: 'lab?gpj.dmg' }))).toBe(true)
  })

  describe('the sheet that wants the name typed', () => {
    beforeEach(async () => {
      await page.goto(`${host.address}?internal`)
      await reach(page, 'confirm-typed')
    })

    it('takes exactly the name, typed', async () => {
      const yes = page.getByRole('button', { name: 'Erase and Restore' })
      await page.locator('.confirm-yes:not([data-arming])').waitFor()
      await expect.poll(() => yes.isEnabled()).toBe(false)
      await page.getByRole('textbox').pressSequentially('EFRX')
      await expect.poll(() => yes.isEnabled()).toBe(true)
      await page.getByRole('textbox').pressSequentially(' ')
      await expect.poll(() => yes.isEnabled()).toBe(false)
    })

    it('takes letters as a keyboard types them, which the disk may hold in parts', async () => {
      await page.evaluate(() => {
        const { double } = globalThis.window
        double.setDevices(
          double.devices.map((disk) =>
            disk.name === 'WDC WD40EFRX' ? { ...disk, name: 'Bu\u0308ro' } : disk,
          ),
        )
      })
      await page.getByText('Type Bu\u0308ro to go on').waitFor()
      await page.getByRole('textbox').fill('B\u00fcro')
      await expect.poll(() => page.getByRole('button', { name: 'Erase and Restore' }).isEnabled()).toBe(true)
    })

    it('keeps what is typed while the disk fills up, and begins anew for another disk', async () => {
      const field = page.getByRole('textbox')
      await field.focus()
      await page.evaluate(() => {
        const { double } = globalThis.window
        double.setDevices(
          double.devices.map((disk) =>
            disk.path === '/dev/sda'
              ? { ...disk, volumes: disk.volumes.map((volume) => ({ ...volume, usedBytes: 3200e9 })) }
              : disk,
          ),
        )
      })
      await page.getByRole('alertdialog').getByText('3.2 TB used').waitFor()
      expect(await field.inputValue()).toBe('WDC WD40')
      expect(await field.evaluate((element) => element === document.activeElement)).toBe(true)
      await page.evaluate(() => {
        const { double } = globalThis.window
        double.setDevices(
          double.devices.map((disk) => (disk.path === '/dev/sda' ? { ...disk, sizeBytes: 4001e9 } : disk)),
        )
      })
      await expect.poll(() => field.inputValue()).toBe('')
    })

    it('takes nothing pasted', async () => {
      const field = page.getByRole('textbox')
      await field.fill('')
      await page.evaluate(() => {
        const data = new DataTransfer()
        data.setData('text/plain', 'WDC WD40EFRX')
        document.activeElement?.dispatchEvent(
          new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }),
        )
      })
      await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
      await page.evaluate(() => navigator.clipboard.writeText('WDC WD40EFRX'))
      await page.keyboard.press('Control+v')
      await expect.poll(() => field.inputValue()).toBe('')
    })
  })

  describe('the keyboard', () => {
    it('walks through the regions with F6', async () => {
      const regions: string[] = []
      for (let presses = 0; presses < 4; presses += 1) {
        await page.keyboard.press('F6')
        regions.push(
          await page.evaluate(
            () => document.activeElement?.closest('[data-region]')?.getAttribute('data-region') ?? 'none',
          ),
        )
      }
      expect(regions).toEqual(['menus', 'sidebar', 'main', 'menus'])
      await page.keyboard.press('Shift+F6')
      await expect.poll(() => focusedName(page)).toMatch(/Restore/)
    })

    it('goes from the tree through the wells and the options to Restore…', async () => {
      await row(page, 'SanDisk').click()
      const stops: string[] = []
      for (let tabs = 0; tabs < 11; tabs += 1) {
        await page.keyboard.press('Tab')
        stops.push(await focusedName(page))
      }
      expect(stops.map((stop) => stop.split(':')[0])).toEqual([
        'Show internal disks',
        'Restore',
        'Source',
        'Image…',
        'Destination',
        'Choose…',
        'Erase destination',
        'Write only what changed',
        'Verify after restore',
        'Clear unused space',
        'Eject when done',
      ])
    })

    it('opens a row menu with Shift+F10', async () => {
      await row(page, 'SanDisk').click()
      await page.keyboard.press('Shift+F10')
      await page.getByRole('menuitem', { name: 'Use as Destination' }).waitFor()
      await expect.poll(() => focusedName(page)).toBe('Use as Source')
      await page.keyboard.press('ArrowDown')
      await page.keyboard.press('Enter')
      await page.getByRole('group', { name: /^Destination, SanDisk/ }).waitFor()
    })

    it('opens the menu of another row while one is open', async () => {
      const open = () => page.locator('.menu').getAttribute('aria-label', { timeout: 5000 })
      await row(page, 'SanDisk').click({ button: 'right' })
      expect(await open()).toBe('SanDisk Ultra')
      await row(page, 'Practice disk').dispatchEvent('contextmenu', { button: 2 })
      await expect.poll(open).toBe('Practice disk')
    })

    it('is left with no menu of a row whose disk is another one by now', async () => {
      await row(page, 'SanDisk').click()
      await page.keyboard.press('Shift+F10')
      const entry = page.getByRole('menuitem', { name: 'Use as Destination' })
      await entry.waitFor()
      const sandiskBecomes = (change: Partial<Disk>) =>
        page.evaluate((now) => {
          const { double } = globalThis.window
          double.setDevices(
            double.devices.map((disk) => (disk.path === '/dev/sdb' ? { ...disk, ...now } : disk)),
          )
        }, change)
      await sandiskBecomes({ sizeBytes: 60e9 })
      expect(await entry.count()).toBe(1)
      await sandiskBecomes({ identity: 'another', name: 'Backup' })
      expect(await disappears(entry)).toBe(true)
      await sandiskBecomes({ identity: 'usb-1.2 /dev/sdb 0001', name: 'SanDisk Ultra' })
      await row(page, 'SanDisk').waitFor()
      expect(await entry.count()).toBe(0)
    })

    it('comes to no row that only says that there is no disk', async () => {
      await page.evaluate(() => {
        const { double } = globalThis.window
        double.setDevices(double.devices.filter(({ practice }) => practice))
      })
      const none = page.getByText('No disks here. Connect one.')
      await none.waitFor()
      await row(page, 'Practice disk').click()
      await page.keyboard.press('Home')
      const focusedRow = () => page.evaluate(() => document.activeElement?.getAttribute('data-key') ?? '')
      const first = await focusedRow()
      expect(first).toMatch(/^disk:.*Practice Disk/)
      await page.keyboard.press('ArrowUp')
      expect(await focusedRow()).toBe(first)
      await none.click({ force: true })
      await none.click({ button: 'right', force: true })
      expect(await page.getByRole('menu').count()).toBe(0)
      const selected = () => page.getByRole('row', { selected: true }).getAttribute('data-key')
      expect(await selected()).toBe(first)
      await none.dblclick({ force: true })
      expect(await page.getByRole('dialog').count()).toBe(0)
    })

    it('has its shortcuts on keyboards with other letters', async () => {
      await row(page, 'SanDisk').click()
      await page.evaluate(() => {
        for (const [key, code] of [
          ['é', 'Digit2'],
          ['д', 'KeyL'],
        ] as const)
          document.activeElement?.dispatchEvent(
            new KeyboardEvent('keydown', { key, code, ctrlKey: true, bubbles: true, cancelable: true }),
          )
      })
      await page.getByRole('tab', { name: 'Activity', selected: true }).waitFor()
      await page.getByRole('tab', { name: 'Restore' }).click()
      expect(await appears(page.getByRole('group', { name: /^Destination, SanDisk/ }))).toBe(true)
    })

    it('does not run shortcuts under an open sheet', async () => {
      await reach(page, 'confirm')
      await page.keyboard.press('Control+l')
      await page.getByRole('alertdialog').waitFor()
      expect(
        await page.getByRole('tab', { name: 'Restore', includeHidden: true }).getAttribute('aria-selected'),
      ).toBe('true')
    })

    it.each(['confirm', 'password', 'session-client-menu', 'server-menu'])(
      'keeps its shortcuts from the browser, which would load the page anew, over %s',
      async (state) => {
        await reach(page, state)
        await page.evaluate(() => {
          addEventListener('keydown', (event) => setTimeout(() => names.push(nameOf(event))), true)
          const names: string[] = []
          const nameOf = ({ key, defaultPrevented }: KeyboardEvent) =>
            key === 'Control' || key === 'Shift' ? '' : `${key} ${defaultPrevented ? 'kept' : 'fell through'}`
          Object.assign(globalThis, { keysSeen: names })
        })
        for (const keys of ['Control+Shift+r', 'Control+l', 'Control+a']) await page.keyboard.press(keys)
        const seen = async () =>
          (await page.evaluate<string[]>('keysSeen')).filter((name) => /^[rl]/i.test(name))
        await expect.poll(seen).toEqual(['r kept', 'l kept'])
      },
    )
  })

  describe('the sheets that make images', () => {
    it('need nothing but the keyboard', async () => {
      await page.keyboard.press('Control+Alt+n')
      const sheet = page.getByRole('dialog')
      await sheet.waitFor()
      const focusOn = async (name: string) => {
        for (let tabs = 0; tabs < 20 && !(await focusedName(page)).includes(name); tabs += 1)
          await page.keyboard.press('Tab')
        await expect.poll(() => focusedName(page)).toContain(name)
      }
      await expect.poll(() => focusedName(page), { timeout: 30_000 }).toMatch(/^Choose a disk/)
      await page.keyboard.press('ArrowDown')
      await page.getByRole('listbox').waitFor()
      await page.keyboard.press('Enter')
      await page.getByRole('listbox').waitFor({ state: 'detached' })
      await expect.poll(() => sheet.getByLabel('Save as').inputValue()).toBe('SanDisk Ultra.dmg')
      await focusOn('Encrypt')
      await page.keyboard.press('Space')
      const inPassword = () => page.evaluate(() => document.activeElement?.matches('[type=password]'))
      await expect.poll(inPassword, { timeout: 30_000 }).toBe(true)
      await page.keyboard.type('hush')
      await page.keyboard.press('Tab')
      await page.keyboard.type('hush')
      await page.keyboard.press('Enter')
      await sheet.waitFor({ state: 'detached' })
      const sent = await page.evaluate(() =>
        globalThis.window.double.calls.filter(({ name }) => name === 'image.start').map(({ input }) => input),
      )
      expect(sent).toMatchObject([
        { task: { kind: 'create', from: { path: '/dev/sdb' }, encryption: { password: 'hush' } } },
      ])
    })

    it('give the focus back to where it was', async () => {
      await row(page, 'Practice Image').click()
      await page.keyboard.press('Control+Shift+S')
      await page.getByRole('dialog').waitFor()
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'detached' })
      await expect.poll(() => focusedName(page), { timeout: 30_000 }).toContain('Practice Image')
    })
  })

  describe('the menus', () => {
    it('follow the pointer and the arrow keys once one is open, and give the focus back', async () => {
      await page.getByRole('button', { name: 'Image…' }).focus()
      await page.getByRole('button', { name: 'File' }).click()
      await page.getByRole('menuitem', { name: /Open Disk Image/ }).waitFor()
      await page.getByRole('button', { name: 'View' }).hover()
      await page.getByRole('menuitem', { name: /Show Only Volumes/ }).waitFor()
      await page.keyboard.press('ArrowLeft')
      await page.getByRole('menuitem', { name: /Start Stream/ }).waitFor()
      await page.keyboard.press('Escape')
      await page.getByRole('menu').waitFor({ state: 'detached' })
      await expect.poll(() => focusedName(page)).toBe('Image…')
    })

    it('hold menus that the arrow keys open and leave', async () => {
      await page.getByRole('button', { name: 'File' }).click()
      await page.getByRole('menuitem', { name: 'New Image' }).focus()
      await page.keyboard.press('ArrowRight')
      await page.getByRole('menuitem', { name: 'From Device…' }).waitFor()
      await page.keyboard.press('ArrowLeft')
      await page.getByRole('menuitem', { name: 'From Device…' }).waitFor({ state: 'detached' })
      await page.keyboard.press('ArrowRight')
      await page.getByRole('menuitem', { name: 'Blank…' }).waitFor()
      await page.keyboard.press('Enter')
      expect(await appears(page.getByRole('dialog').getByText('New blank image'))).toBe(true)
    })

    it('close by a second press on their button, and by a press beside them', async () => {
      const file = page.getByRole('button', { name: 'File' })
      await file.click()
      await page.getByRole('menu').waitFor()
      await file.click()
      await page.getByRole('menu').waitFor({ state: 'detached' })
      await file.click()
      await page.getByRole('menu').waitFor()
      await page.mouse.click(600, 500)
      expect(await disappears(page.getByRole('menu'))).toBe(true)
    })

    it('show only the volumes, all devices again, and the internal disks', async () => {
      const list = async (name: string) => {
        await page.getByRole('button', { name: 'View' }).click()
        await page.getByRole('menuitem', { name }).click()
      }
      await list('Show Only Volumes')
      await expect.poll(() => row(page, 'SanDisk').count()).toBe(0)
      expect(await row(page, 'UNTITLED').getAttribute('aria-level')).toBe('1')
      await row(page, 'Practice disk').waitFor()
      // It is dragged, and chosen, as it is below its disk.
      await dragOnto(page, row(page, 'UNTITLED'), page.getByRole('group', { name: /^Source/ }))
      await page.mouse.up()
      await page.getByRole('group', { name: /^Source, UNTITLED/ }).waitFor()
      await list('Show All Devices')
      await row(page, 'SanDisk').waitFor()
      expect(await row(page, 'UNTITLED').getAttribute('aria-level')).toBe('2')
      await page.getByText('Show internal disks').click()
      await row(page, 'Samsung SSD').waitFor()
      await expect
        .poll(() => page.evaluate(() => globalThis.window.double.app.preferences.showInternalDisks))
        .toBe(true)
    })

    it('are not there in Electron, where the host sends the commands', async () => {
      await page.goto(`${host.address}?electron`)
      await row(page, 'SanDisk').click()
      await expect.poll(() => page.getByRole('navigation').count()).toBe(0)
      await page.evaluate(() => globalThis.window.double.sendMenu('use-as-destination'))
      await page.getByRole('group', { name: /^Destination, SanDisk/ }).waitFor()
    })
  })

  describe('streams beside each other', () => {
    const names = async () =>
      (await page.getByRole('radio').allInnerTexts()).map((text) => text.split('\n')[0] ?? '')

    const focused = () => page.locator('[role=radio]:focus').allInnerTexts()

    it('are put in order by the keyboard, and the one that was moved keeps the focus', async () => {
      await severalSessions(page)
      expect(await names()).toEqual(['ModularSystem', 'Kiosk', 'Library', 'New Stream'])
      await page.getByRole('radio', { name: /^Library/ }).focus()
      await page.keyboard.press('Alt+ArrowUp')
      await expect.poll(names).toEqual(['ModularSystem', 'Library', 'Kiosk', 'New Stream'])
      await page.keyboard.press('Alt+ArrowUp')
      await expect.poll(names).toEqual(['Library', 'ModularSystem', 'Kiosk', 'New Stream'])
      await expect.poll(focused).toEqual([expect.stringMatching(/^Library/)])
      await page.keyboard.press('Alt+ArrowDown')
      await expect.poll(names).toEqual(['ModularSystem', 'Library', 'Kiosk', 'New Stream'])
      await expect.poll(focused).toEqual([expect.stringMatching(/^Library/)])
      // It was never chosen by all that.
      expect(await page.getByRole('radio', { name: /^ModularSystem/ }).isChecked()).toBe(true)
    })

    it('are put in order by the menu of each, and by that of the one that is shown', async () => {
      await severalSessions(page)
      await page.getByRole('radio', { name: /^Kiosk/ }).focus()
      await page.keyboard.press('Shift+F10')
      await page.getByRole('menuitem', { name: 'Move Down' }).press('Enter')
      await expect.poll(names).toEqual(['ModularSystem', 'Library', 'Kiosk', 'New Stream'])
      await expect.poll(focused).toEqual([expect.stringMatching(/^Kiosk/)])
      await page.getByRole('button', { name: 'Actions for ModularSystem' }).click()
      expect(await page.getByRole('menuitem', { name: 'Move Up' }).getAttribute('aria-disabled')).toBe('true')
      await page.getByRole('menuitem', { name: 'Move Down' }).click()
      await expect.poll(names).toEqual(['Library', 'ModularSystem', 'Kiosk', 'New Stream'])
    })

    it('have no such menu where there is one stream only', async () => {
      await reach(page, 'session-live')
      expect(await page.getByRole('button', { name: /^Actions for ModularSystem/ }).count()).toBe(0)
    })
  })

  it('names the computer that is to be disconnected, and asks once more', async () => {
    await reach(page, 'session-client-menu')
    // Not only for who can't see it: rows change places under the pointer.
    expect(await appears(page.locator('.menu-header').getByText('lab-04'))).toBe(true)
    const calls = () =>
      page.evaluate(
        () => globalThis.window.double.calls.filter(({ name }) => name === 'session.disconnect').length,
      )
    await page.getByRole('menuitem', { name: 'Disconnect' }).click()
    const sheet = page.getByRole('alertdialog', { name: "Disconnect 'lab-04'?" })
    expect(await sheet.innerText()).toContain('lab-04 (10.20.0.104)')
    await expect.poll(() => focusedName(page)).toBe('Cancel')
    expect(await calls()).toBe(0)
    await sheet.getByRole('button', { name: 'Disconnect' }).click()
    await disappears(sheet)
    expect(await calls()).toBe(1)
  })

  it('offers nothing to do with a stream while the host is gone', async () => {
    await reach(page, 'session-waiting')
    const buttons = [/^Stop/, 'Start Now'].map((name) => page.getByRole('button', { name }))
    const enabled = () => Promise.all(buttons.map((button) => button.isEnabled()))
    expect(await enabled()).toEqual([true, true])
    await page.evaluate(() => globalThis.window.double.lose({ refusing: true }))
    await page.getByRole('alert').waitFor()
    await expect.poll(enabled).toEqual([false, false])
    await page.evaluate(() => (globalThis.window.double.refusing = false))
    await expect.poll(enabled).toEqual([true, true])
  })

  it('says no time left of a stream while the host is gone', async () => {
    await reach(page, 'session-live')
    const remaining = page.locator('.stream-figures dd').last()
    await expect.poll(() => remaining.innerText()).toMatch(/^about /)
    await page.evaluate(() => globalThis.window.double.lose({ refusing: true }))
    await page.getByRole('alert').waitFor()
    await expect.poll(() => remaining.innerText()).toBe('–')
  })

  it('shows nobody as receiving from a stream that has ended', async () => {
    await reach(page, 'session-ended')
    const states = await page.locator('.client-state').allInnerTexts()
    expect(states.filter((text) => text.startsWith('Stopped by server'))).toHaveLength(6)
    expect(states.filter((text) => /Receiving|Missing|Joined/.test(text))).toEqual([])
  })

  describe('more options of a stream', () => {
    it('are closed at first, opened by the keyboard, and stay as they were left', async () => {
      await reach(page, 'multicast-form')
      const line = page.getByRole('button', { name: 'More Options' })
      const rules = page.getByLabel('Who may join')
      expect([await line.getAttribute('aria-expanded'), await rules.isVisible()]).toEqual(['false', false])
      await line.focus()
      await page.keyboard.press('Enter')
      await rules.waitFor()
      await page.keyboard.press('Tab')
      await page.keyboard.type('lab-*\n10.0.3')
      expect(await rules.inputValue()).toBe('lab-*\n10.0.3')
      await appears(page.getByText("Line 2: '10.0.3' is no address."))
      expect(await rules.getAttribute('aria-invalid')).toBe('true')
      expect(await page.getByRole('button', { name: 'Start Stream' }).isDisabled()).toBe(true)
      await page.keyboard.type('.7')
      await disappears(page.getByText('Line 2:'))
      await page.getByRole('tab', { name: 'Restore' }).click()
      await page.getByRole('tab', { name: 'Multicast Server' }).click()
      expect(await line.getAttribute('aria-expanded')).toBe('true')
      await line.click()
      await appears(page.getByText('2 rules of who may join'))
    })
  })

  describe('a running restore', () => {
    it('shows its progress in the title, and Stop is one press away', async () => {
      await reach(page, 'running')
      await expect.poll(() => page.title()).toBe('43 % – Restoring – Reprise')
      const bar = page.getByRole('progressbar', { name: 'Progress' })
      await expect
        .poll(() => bar.getAttribute('aria-valuetext'))
        .toBe('Restoring, 43 percent, about 6 minutes left, then verifying')
      await page.getByRole('button', { name: 'Stop' }).click()
      await page.getByText('Stopping at a safe point…').first().waitFor()
      await expect.poll(() => page.getByRole('button', { name: 'Stop' }).isEnabled()).toBe(false)
    })

    const send = (jobId: string, how: 'runs' | 'ended') =>
      page.evaluate(
        ([jobId, how]) => {
          const { double, fixtures } = globalThis.window
          const plan = fixtures.planFor(fixtures.aRequest(), double.devices, double.images)
          const job = fixtures.aJob(plan, { phase: 'restoring', percent: 43 }, { jobId })
          const cancelled = { kind: 'cancelled', target: 'incomplete', percent: 43 } as const
          double.sendJob(how === 'runs' ? job : fixtures.ended(job, cancelled))
        },
        [jobId, how] as const,
      )
    const stopped = () =>
      page.evaluate(() =>
        globalThis.window.double.calls
          .filter(({ name }) => name === 'job.cancel')
          .map(({ input }) => (input as { readonly jobId: string }).jobId),
      )

    it('can be stopped at once, also where another job was in front before', async () => {
      await reach(page, 'confirm')
      await send('job-2', 'runs')
      await page.getByRole('button', { name: 'Erase and Restore' }).click()
      await send('job-1', 'runs')
      await page.getByRole('button', { name: 'Stop', exact: true }).click()
      await expect.poll(stopped).toEqual(['job-1'])
      // It was in front just now, and is again: nobody means it.
      await send('job-1', 'ended')
      await page.getByRole('button', { name: 'Stop', exact: true }).click()
      expect(await stopped()).toEqual(['job-1'])
    })

    it('is stopped alone by a second press that comes when it has ended and another job runs', async () => {
      await reach(page, 'running')
      const stop = page.getByRole('button', { name: 'Stop', exact: true })
      await send('job-2', 'runs')
      await stop.click()
      await send('job-1', 'ended')
      await stop.click()
      expect(await stopped()).toEqual(['job-1'])
      // Whoever means the other job presses later.
      await expect
        .poll(async () => {
          await stop.click({ timeout: 1000 }).catch(() => undefined)
          return stopped()
        })
        .toEqual(['job-1', 'job-2'])
    })

    it('can be stopped only while the host is there, and says no time left meanwhile', async () => {
      await reach(page, 'running')
      const stop = page.getByRole('button', { name: 'Stop', exact: true })
      const bar = page.getByRole('progressbar', { name: 'Progress' })
      const left = page.getByText(/about 6 minutes left/i)
      await expect.poll(() => left.count()).toBe(2)
      await page.evaluate(() => globalThis.window.double.lose({ refusing: true }))
      await page.getByRole('alert').waitFor()
      await expect.poll(() => stop.isEnabled()).toBe(false)
      expect(await left.count()).toBe(0)
      expect(await bar.getAttribute('aria-valuetext')).toBe('Restoring, 43 percent')
      await page.evaluate(() => (globalThis.window.double.refusing = false))
      await expect.poll(() => stop.isEnabled()).toBe(true)
    })

    it('does not move anything when figures change', async () => {
      await reach(page, 'running')
      const places = () =>
        page.evaluate(() =>
          [...document.querySelectorAll('.running *, .status-bar *')]
            .filter((element) => element.children.length === 0 && !element.closest('svg'))
            .map((element) => {
              const { x, y } = element.getBoundingClientRect()
              return `${element.tagName} ${Math.round(x)} ${Math.round(y)}`
            }),
        )
      const before = await places()
      await page.evaluate(() => {
        const { double, fixtures } = globalThis.window
        const plan = fixtures.planFor(fixtures.aRequest(), double.devices, double.images)
        const job = fixtures.aJob(plan, { phase: 'restoring', percent: 44 })
        double.sendJob({
          ...job,
          progress: { ...job.progress!, bytesPerSecond: 9.6e6, remainingMs: 40_000, limitedBy: 'decoding' },
        })
      })
      await page.getByText('decompression speed').first().waitFor()
      expect(await places()).toEqual(before)
    })

    it('says what is going on to a screen reader, once', async () => {
      await startRestore(page)
      const said = await page.evaluate(async () => {
        const { double, fixtures } = globalThis.window
        const plan = fixtures.planFor(fixtures.aRequest(), double.devices, double.images)
        const heard: string[] = []
        const region = document.querySelector('[data-announcer=polite]')!
        new MutationObserver(() => heard.push(region.textContent)).observe(region, {
          childList: true,
          characterData: true,
          subtree: true,
        })
        for (const percent of [0, 10, 30, 40, 60, 61]) {
          double.sendJob(fixtures.aJob(plan, { phase: 'restoring', percent }))
          await new Promise((resolve) => setTimeout(resolve, 60))
        }
        return heard
      })
      expect(said).toEqual(['Restoring', '25 percent', '50 percent'])
    })
  })

  it('reads a source again, when asked to, that the engine stopped over', async () => {
    await page.evaluate(() => {
      const { double, errors, fixtures } = globalThis.window
      const details = { exitCode: null, signal: 'SIGKILL', lastLines: [] }
      double.answer('source.inspect', async ({ source }) => {
        double.answer('source.inspect', async () => {
          const image = fixtures.practiceImage
          return { kind: 'image', locator: source, name: image.name, image }
        })
        throw new errors.EngineGoneError('E_ENGINE_GONE', 'killed', { details })
      })
    })
    await row(page, 'Practice Image').click()
    await page.keyboard.press('Control+1')
    const problem = page.getByRole('alert').filter({ hasText: 'It ended with signal SIGKILL.' })
    await problem.getByRole('button', { name: 'Try Again' }).click()
    expect(await appears(page.getByRole('group', { name: /^Source, Practice Image.dmg, 48 MB/ }))).toBe(true)
  })

  it('checks a refused restore again when asked to, and leaves the keyboard where it is', async () => {
    await page.evaluate(() => {
      const { double, errors } = globalThis.window
      double.answer('restore.plan', async () => {
        throw new errors.DeviceError('E_DST_BUSY', 'in use', { details: { path: '/dev/sdb' } })
      })
    })
    await chooseSource(page)
    await row(page, 'SanDisk Ultra').click()
    await page.keyboard.press('Control+2')
    const again = page.getByRole('list', { name: 'Preflight' }).getByRole('button', { name: 'Check Again' })
    await appears(again)
    await screenshot(page, 'refused')
    await page.evaluate(() => {
      const { double, fixtures } = globalThis.window
      double.answer('restore.plan', async (request) => {
        await new Promise((resolve) => setTimeout(resolve, 300))
        return fixtures.planFor(request, double.devices, double.images)
      })
    })
    await again.focus()
    await page.keyboard.press('Enter')
    await appears(page.getByText('Checking…'))
    expect(await again.evaluate((button) => button === document.activeElement)).toBe(true)
    await disappears(again)
  })

  it('reads a file again, when asked to, that could not be read', async () => {
    await page.evaluate(() => {
      const { double, errors, fixtures } = globalThis.window
      double.answer('source.inspect', async ({ source }) => {
        double.answer('source.inspect', async () => {
          const image = fixtures.practiceImage
          return { kind: 'image', locator: source, name: image.name, image }
        })
        throw new errors.DeviceError('E_IO_READ', 'EIO', { details: { path: source, errno: 'EIO' } })
      })
    })
    await row(page, 'Practice Image').click()
    await page.keyboard.press('Control+1')
    await page.getByRole('alert').getByRole('button', { name: 'Try Again' }).click()
    expect(await appears(page.getByRole('group', { name: /^Source, Practice Image.dmg, 48 MB/ }))).toBe(true)
  })

  it('copies what there is to tell of any job that failed, from its row', async () => {
    await reach(page, 'image-jobs')
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await page.getByRole('button', { name: 'Copy Details of Untitled.dmg' }).click()
    expect(await appears(page.getByRole('button', { name: 'Copied of Untitled.dmg' }))).toBe(true)
    const text = await page.evaluate(() => navigator.clipboard.readText())
    expect(text).toContain('E_DEVICE_TOOL (device)')
    expect(await page.getByRole('button', { name: /^Copy Details/ }).count()).toBe(0)
  })

  it('copies what became of a computer that receives a stream, from its row', async () => {
    await reach(page, 'session-client-menu')
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await page.evaluate(() =>
      globalThis.window.double.answer('session.clientLog', async () => [
        { atMs: Date.now() - 60_000, state: 'joined', standing: 'well', lossPercent: 0 },
        { atMs: Date.now(), state: 'receiving', standing: 'slow', lossPercent: 31 },
      ]),
    )
    await page.getByRole('menuitem', { name: 'Copy Log' }).click()
    const copied = () => page.evaluate(() => navigator.clipboard.readText())
    await expect
      .poll(copied)
      .toMatch(/^Computer: lab-04\n[^]* {2}Joined\n[^]* {2}Receiving, slow, loss 31 %$/)
  })

  it('saves a report of a copy that differs from what was written', async () => {
    await reach(page, 'failed-verify')
    const downloading = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Save Report…' }).click()
    const download = await downloading
    expect(download.suggestedFilename()).toMatch(/^Reprise report \d{4}-\d\d-\d\d \d\d\.\d\d\.txt$/)
    expect(await readFile(await download.path(), 'utf8')).toContain('E_VERIFY (verification): differs')
    await reopenPage(window, host.address)
    await reach(page, 'failed')
    await page.getByRole('button', { name: 'Copy Details' }).waitFor()
    expect(await page.getByRole('button', { name: 'Save Report…' }).count()).toBe(0)
  })

  it('copies what there is to tell of a failure that is no job: of a request, a stream, a source', async () => {
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    for (const [state, code] of [
      ['eject-refused', 'E_DST_BUSY (device)'],
      ['session-failed', 'E_SRC_CHANGED (device)'],
      ['unreadable-source', 'E_SRC_FORMAT (format)'],
    ] as const) {
      await reach(page, state)
      await page.getByRole('alert').getByRole('button', { name: 'Copy Details' }).click()
      expect(await appears(page.getByRole('button', { name: 'Copied' }))).toBe(true)
      expect(await page.evaluate(() => navigator.clipboard.readText())).toContain(code)
      await reopenPage(window, host.address)
    }
  })

  it.each(['too-small', 'no-answer'])('copies why a restore is refused, from its line: %s', async (state) => {
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await page.evaluate((fails) => {
      const { double, errors } = globalThis.window
      if (fails)
        double.answer('restore.plan', async () => {
          throw new errors.DeviceError('E_DST_BUSY', 'in use', { details: { path: '/dev/sdb' } })
        })
    }, state === 'no-answer')
    if (state === 'too-small') await reach(page, state)
    else {
      await chooseSource(page)
      await row(page, 'SanDisk Ultra').click()
      await page.keyboard.press('Control+2')
    }
    const [code, family] = state === 'too-small' ? ['E_DST_SMALL', 'usage'] : ['E_DST_BUSY', 'device']
    const list = page.getByRole('list', { name: 'Preflight' })
    expect(await appears(list.getByText(code))).toBe(true)
    await list.getByRole('button', { name: 'Copy Details' }).click()
    expect(await appears(list.getByRole('button', { name: 'Copied' }))).toBe(true)
    expect(await page.evaluate(() => navigator.clipboard.readText())).toContain(`${code} (${family})`)
    await screenshot(page, `preflight-${state}`)
  })

  it('counts by the clock of its host, which may be another computer', async () => {
    await startRestore(page)
    await page.evaluate(() => {
      const { double, fixtures, streams } = globalThis.window
      double.aheadMs = 600_000
      double.lose()
      const plan = fixtures.planFor(fixtures.aRequest(), double.devices, double.images)
      const hostMs = Date.now() + double.aheadMs
      const job = fixtures.aJob(plan, { phase: 'restoring', percent: 3 })
      double.sendJob({ ...job, startedMs: hostMs - 2 * 3_600_000 })
      const client = streams.aClient({ host: 'lab-07', state: 'lost', lastSeenMs: hostMs - 3_600_000 })
      double.sendSessions([streams.aSession({ startedMs: hostMs - 4 * 3_600_000, clients: [client] })])
    })
    expect(await appears(page.getByText(/^2:00:\d\d$/))).toBe(true)
    await page.getByRole('tab', { name: 'Multicast Server' }).click()
    expect(await appears(page.getByText(/^4:00:\d\d$/))).toBe(true)
    const seen = page.getByRole('row', { name: /lab-07/ }).getByText(/^1:00:\d\d$/)
    expect(await appears(seen)).toBe(true)
  })

  /** What interrupts from now on. */
  const listen = async () => {
    const heard = await page.evaluateHandle(() => {
      const heard: string[] = []
      const region = document.querySelector('[data-announcer=urgent]')!
      new MutationObserver(() => heard.push(region.textContent)).observe(region, {
        childList: true,
        characterData: true,
        subtree: true,
      })
      return heard
    })
    return () => heard.jsonValue()
  }
  const failStream = () =>
    page.evaluate(() => {
      const { double, streams } = globalThis.window
      double.sendSessions([streams.aSession({ phase: 'failed', endedMs: 1 })])
    })
  const failRestore = () =>
    page.evaluate(() => {
      const { double, errors, fixtures } = globalThis.window
      const plan = fixtures.planFor(fixtures.aRequest(), double.devices, double.images)
      const job = fixtures.aJob(plan, { phase: 'restoring', percent: 43 })
      double.sendJob(job)
      const error = errors.serializeError(
        new errors.DeviceError('E_IO_WRITE', 'x', { details: { path: '/dev/sdb' } }),
      )
      double.sendJob(fixtures.ended(job, { kind: 'failed', error, target: 'incomplete' }))
    })

  it('tells a screen reader of a second end in the same words, too', async () => {
    await startRestore(page)
    const heard = await listen()
    const end = (jobId: string) =>
      page.evaluate((jobId) => {
        const { double, fixtures } = globalThis.window
        const plan = fixtures.planFor(fixtures.aRequest(), double.devices, double.images)
        const job = fixtures.aJob(plan, { phase: 'restoring', percent: 99 }, { jobId })
        double.sendJob(job)
        double.sendJob(fixtures.ended(job, { kind: 'done', summary: fixtures.aSummary() }))
      }, jobId)
    const words = 'ModularSystem.dmg → SanDisk Ultra: Restored and verified.'
    await end('job-1')
    await expect.poll(heard).toEqual([words])
    await end('job-2')
    await expect.poll(heard).toEqual([words, words])
  })

  it('tells a screen reader once of an end that a notice shows, too', async () => {
    await startRestore(page)
    await page.getByRole('tab', { name: 'Multicast Server' }).click()
    await page.evaluate(() => {
      const { double, fixtures } = globalThis.window
      const plan = fixtures.planFor(fixtures.aRequest(), double.devices, double.images)
      const job = fixtures.aJob(plan, { phase: 'restoring', percent: 99 })
      double.sendJob(job)
      double.sendJob(fixtures.ended(job, { kind: 'done', summary: fixtures.aSummary() }))
    })
    await page.getByRole('button', { name: 'Close this message' }).waitFor()
    const telling = () =>
      page
        .locator('[role=status], [role=alert], [aria-live]')
        .filter({ hasText: 'Restored and verified' })
        .evaluateAll((regions) => regions.map((region) => region.getAttribute('data-announcer')))
    await expect.poll(telling).toEqual(['urgent'])
  })

  it('tells a screen reader what comes while a sheet or a menu is open, also that a restore failed', async () => {
    const isDeaf = () =>
      page.locator('[data-announcer=urgent]').evaluate((region) => region.closest('[inert]') !== null)
    const isInert = () => page.locator('.shell-main').evaluate((main) => main.closest('[inert]') !== null)
    await startRestore(page)
    await page.getByRole('button', { name: 'File', exact: true }).click()
    await page.getByRole('menuitem', { name: /New Image/ }).waitFor()
    expect([await isInert(), await isDeaf()]).toEqual([true, false])
    await page.keyboard.press('Escape')
    await expect.poll(isInert).toBe(false)
    await page.keyboard.press('Control+Alt+n')
    await page.getByRole('dialog').waitFor()
    expect([await isInert(), await isDeaf()]).toEqual([true, false])
    await failRestore()
    await expect
      .poll(() => page.locator('[data-announcer=urgent]').textContent())
      .toMatch(/^ModularSystem\.dmg → SanDisk Ultra: 'SanDisk Ultra' couldn't be written\./)
  })

  it('leaves it to the alert in the panel that a stream failed while a sheet about it was open', async () => {
    await reach(page, 'session-rate')
    await page.getByRole('dialog').waitFor()
    const heard = await listen()
    await failStream()
    await page.getByRole('alert').filter({ hasText: 'The stream failed' }).waitFor()
    // Interrupts, whatever covers it.
    await page.evaluate(() => {
      const { double, fixtures } = globalThis.window
      const plan = fixtures.planFor(fixtures.aRequest(), double.devices, double.images)
      const job = fixtures.aJob(plan, { phase: 'restoring', percent: 99 }, { jobId: 'job-2' })
      double.sendJob(job)
      double.sendJob(fixtures.ended(job, { kind: 'done', summary: fixtures.aSummary() }))
    })
    const done = 'ModularSystem.dmg → SanDisk Ultra: Restored and verified.'
    await expect.poll(heard).toEqual([done])
  })

  it('tells only of the panel what failed under the sidebar, beside which the notices are heard', async () => {
    await startRestore(page)
    await page.evaluate(() => {
      const { double, streams } = globalThis.window
      double.sendSessions([streams.aSession()])
    })
    await page.setViewportSize({ width: 490, height: 320 })
    expect(await disappears(page.getByRole('complementary'))).toBe(true)
    await page.evaluate(() => globalThis.window.double.sendMenu('toggle-sidebar'))
    await page.getByRole('complementary').waitFor()
    const heard = await listen()
    await failStream()
    await page.locator('.notices [role=alert]').waitFor()
    await failRestore()
    await expect
      .poll(heard)
      .toEqual([
        expect.stringMatching(/^ModularSystem\.dmg → SanDisk Ultra: 'SanDisk Ultra' couldn't be written\./),
      ])
  })

  it('tells of each failure that nobody saw until it was read, beside what comes meanwhile', async () => {
    await page.evaluate(() => {
      const { double, fixtures, streams } = globalThis.window
      const failed = { phase: 'failed' as const, endedMs: 1 }
      const ways = [{}, failed]
      for (const sessionId of ['Lab A', 'Lab B'])
        for (const way of ways)
          double.sendSessions([
            streams.aSession({
              ...way,
              sessionId,
              settings: { ...streams.aSession().settings, name: sessionId },
            }),
          ])
      const plan = fixtures.planFor(fixtures.aRequest(), double.devices, double.images)
      const job = fixtures.aJob(plan, { phase: 'restoring', percent: 99 })
      double.sendJob(job)
      double.sendJob(fixtures.ended(job, { kind: 'done', summary: fixtures.aSummary() }))
    })
    const told = () => page.locator('.notices .banner strong').allTextContents()
    const ended = 'ModularSystem.dmg → SanDisk Ultra'
    await expect.poll(told).toEqual([expect.stringMatching(/^Lab A: /), ended])
    const count = page.locator('.notice-count')
    expect(await count.textContent()).toBe('1 of 2')
    const close = page.getByRole('button', { name: 'Close this message' }).first()
    // So long it takes no press.
    await page.waitForTimeout(1200)
    await close.dblclick()
    expect(await told()).toEqual([expect.stringMatching(/^Lab B: /), ended])
    expect(await count.count()).toBe(0)
    await page.waitForTimeout(1200)
    await close.dblclick()
    expect(await told()).toEqual([ended])
  })

  it('does not take a second Enter, or a double click, for a yes to replacing a configuration', async () => {
    await reach(page, 'save-configuration')
    await page.getByRole('textbox', { name: 'Save as' }).focus()
    await page.keyboard.press('Enter')
    const written = () =>
      page.evaluate(
        () => globalThis.window.double.calls.filter(({ name }) => name === 'configuration.write').length,
      )
    expect(await written()).toBe(0)
    for (const name of ['another', 'ModularSystem'])
      await page.getByRole('textbox', { name: 'Save as' }).fill(`${name}.plist`)
    await page.getByRole('button', { name: 'Save', exact: true }).dblclick()
    const replace = page.getByRole('button', { name: 'Replace', exact: true })
    await replace.waitFor()
    expect(await written()).toBe(0)
    // So long it takes no press.
    await page.waitForTimeout(1200)
    await replace.click()
    await expect.poll(written).toBe(1)
  })

  it('reads out what comes as an answer in a sheet: another password, a file that is there', async () => {
    await chooseSource(page, 'Payroll')
    for (const typed of ['open', 'open again']) {
      await page.getByRole('textbox', { name: 'Password' }).fill(typed)
      await page.keyboard.press('Enter')
      expect(await appears(page.getByRole('alert').getByText("This isn't the password."))).toBe(true)
    }
    await reopenPage(window, host.address)
    await reach(page, 'save-configuration')
    await page.evaluate(() =>
      globalThis.window.double.answer('target.inspect', async () => ({
        kind: 'file',
        sizeBytes: 1,
        freeBytes: 1,
      })),
    )
    await page.getByRole('textbox', { name: 'Save as' }).fill('Lab.plist')
    expect(await page.getByRole('alert').count()).toBe(0)
    await page.keyboard.press('Enter')
    expect(await appears(page.getByRole('alert').getByText('A file of this name is there.'))).toBe(true)
  })

  it('reads out what a stream lacks once it was to be started, and not before', async () => {
    await page.getByRole('tab', { name: 'Multicast Server' }).click()
    const reason = page.locator('#stream-reason')
    await reason.waitFor()
    expect(await reason.getAttribute('role')).toBeNull()
    const missing = await reason.innerText()
    await choose(page, 'Server', 'Start Stream…')
    expect(await appears(page.getByRole('alert').getByText(missing))).toBe(true)
    // While the form is filled in it only stands there.
    await page.getByRole('textbox', { name: 'Session name' }).fill('Lab 2')
    await expect.poll(() => reason.getAttribute('role')).toBeNull()
    expect(await reason.innerText()).toBe(missing)
  })

  it('reads out what is wrong in a sheet when its button is pressed, and not while it is typed', async () => {
    await choose(page, 'File', 'Open URL…')
    const answer = page.getByRole('dialog').getByRole('alert')
    const field = page.getByRole('textbox', { name: 'URL' })
    for (const typed of ['lab', 'lab 2']) {
      await field.fill(typed)
      expect(await answer.count()).toBe(0)
      await page.keyboard.press('Enter')
      expect(await appears(answer)).toBe(true)
    }
    await reopenPage(window, host.address)
    await reach(page, 'resize')
    const size = page.getByRole('textbox', { name: 'New size' })
    for (const typed of ['', 'x']) {
      await size.fill(typed)
      expect(await answer.count()).toBe(0)
      await page.keyboard.press('Enter')
      expect(await appears(answer)).toBe(true)
    }
  })

  it('names the volume of an image that is agreed to', async () => {
    await reach(page, 'several-volumes')
    await page.getByRole('option', { name: 'Data' }).click()
    await page.getByRole('checkbox', { name: 'Erase destination' }).press('Space')
    await page.getByRole('button', { name: 'Restore…' }).click()
    const sheet = page.getByRole('alertdialog')
    const words = "Only partition 3 of the image, with the volumes 'Macintosh HD' and 'Data', is restored."
    const volume = sheet.getByText(words)
    expect(await appears(volume)).toBe(true)
    await screenshot(page, 'confirm-volume')
  })

  describe('a window that is narrow, or zoomed', () => {
    it('shows who receives a stream, how far and why not, without scrolling sideways', async () => {
      await reach(page, 'session-live')
      await page.setViewportSize({ width: 653, height: 600 })
      const clients = page.getByRole('region', { name: 'Clients' })
      const sideways = () => clients.evaluate((box) => box.scrollWidth - box.clientWidth)
      await expect.poll(sideways).toBe(0)
      for (const name of ['Client', 'State', 'Progress'])
        expect(await appears(clients.getByRole('columnheader', { name, exact: true }))).toBe(true)
      expect(await clients.getByRole('columnheader', { name: 'Write rate' }).count()).toBe(0)
      expect(await appears(clients.getByText('Write failed at'))).toBe(true)
      await page.setViewportSize({ width: 1200, height: 700 })
      expect(await appears(clients.getByRole('columnheader', { name: 'Write rate' }))).toBe(true)
    })

    const tiny = { width: 490, height: 320 }
    const sidebar = () => page.getByRole('complementary')
    /** By keyboard, as whoever zooms so far may. */
    const showSidebar = async () => {
      await page.getByRole('button', { name: 'View', exact: true }).focus()
      await page.keyboard.press('Enter')
      const line = page.getByRole('menuitem', { name: 'Show Sidebar' })
      await line.waitFor()
      expect(await line.getAttribute('aria-checked').then((checked) => checked ?? 'false')).toBe('false')
      await line.press('Enter')
      await sidebar().waitFor()
    }

    it('shows the sidebar over the panel, where a disk is made the source by keyboard', async () => {
      await page.setViewportSize(tiny)
      expect(await disappears(sidebar())).toBe(true)
      await showSidebar()
      await expect.poll(() => sidebar().evaluate((box) => box.contains(document.activeElement))).toBe(true)
      for (const scheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme: scheme })
        expect(await accessibilityFaults(page, scheme === 'light' ? 'all' : 'colours')).toEqual([])
        expect(await overflowing(page)).toEqual([])
        await screenshot(page, `sidebar-over-${scheme}`)
      }
      const onDisk = page.locator('[role=row]:focus').filter({ hasText: 'SanDisk' })
      for (let presses = 0; presses < 20 && (await onDisk.count()) === 0; presses += 1)
        await page.keyboard.press('ArrowDown')
      await page.keyboard.press('Control+1')
      expect(await disappears(sidebar())).toBe(true)
      await page.getByRole('group', { name: /^Source, SanDisk Ultra/ }).waitFor()
      await expect
        .poll(() => page.evaluate(() => document.activeElement?.closest('main') !== null))
        .toBe(true)
    })

    it('lets a disk of the sidebar over the panel be dragged by keyboard, too', async () => {
      await page.setViewportSize(tiny)
      await showSidebar()
      await page.locator('[role=row]:focus').waitFor()
      await page.keyboard.press('ArrowRight')
      await expect.poll(() => focusedName(page)).toMatch(/^Drag /)
      await page.keyboard.press('Enter')
      await expect.poll(() => focusedName(page)).toMatch(/^(Source|Destination)/)
      for (let tabs = 0; tabs < 4 && !(await focusedName(page)).startsWith('Source'); tabs += 1)
        await page.keyboard.press('Tab')
      await page.keyboard.press('Enter')
      await page.getByRole('group', { name: /^Source, (?!empty)/ }).waitFor()
      expect(await disappears(sidebar())).toBe(true)
    })

    it('takes the sidebar away again at Escape, and gives the focus back', async () => {
      await page.setViewportSize(tiny)
      const image = page.getByRole('button', { name: 'Image…' })
      await image.focus()
      await page.evaluate(() => globalThis.window.double.sendMenu('toggle-sidebar'))
      await expect.poll(() => sidebar().evaluate((box) => box.contains(document.activeElement))).toBe(true)
      await page.keyboard.press('Escape')
      expect(await disappears(sidebar())).toBe(true)
      await expect.poll(() => image.evaluate((button) => button === document.activeElement)).toBe(true)
      await page.evaluate(() => globalThis.window.double.sendMenu('toggle-sidebar'))
      await sidebar().waitFor()
      await page.mouse.click(470, 200)
      expect(await disappears(sidebar())).toBe(true)
      await page.setViewportSize({ width: 1200, height: 700 })
      await sidebar().waitFor()
    })

    it('keeps what it has to tell in reach beside the sidebar over the panel', async () => {
      await page.setViewportSize({ width: 560, height: 640 })
      await showSidebar()
      await page.evaluate(() => {
        const { double, streams } = globalThis.window
        double.sendSessions([streams.aSession()])
        double.sendSessions([streams.aSession({ phase: 'failed', endedMs: 1 })])
      })
      const close = page.locator('.notices').getByRole('button', { name: 'Close' })
      await close.waitFor()
      expect(await close.evaluate((button) => button.closest('[inert]'))).toBeNull()
      await close.focus()
      // So long it takes no press.
      await page.waitForTimeout(1200)
      await page.keyboard.press('Enter')
      expect(await disappears(close)).toBe(true)
      expect(await page.getByRole('tablist').evaluate((list) => list.closest('[inert]') !== null)).toBe(true)
      // The focus has one place left to go to, from where Escape closes it.
      await expect
        .poll(() => page.evaluate(() => document.activeElement?.closest('[data-region=sidebar]') !== null))
        .toBe(true)
      await page.keyboard.press('Escape')
      expect(await disappears(sidebar())).toBe(true)
    })

    it('lays what it has to tell over the sidebar over the panel where there is no room beside', async () => {
      await page.setViewportSize({ width: 320, height: 640 })
      await showSidebar()
      await page.evaluate(() => {
        const { double, streams } = globalThis.window
        double.sendSessions([streams.aSession()])
        double.sendSessions([streams.aSession({ phase: 'failed', endedMs: 1 })])
      })
      const banner = page.locator('.notices .banner')
      await banner.waitFor()
      const covered = await banner.evaluate((box) => {
        const { left, right, top, bottom } = box.getBoundingClientRect()
        const y = (top + bottom) / 2
        return [left + 2, (left + right) / 2, right - 2].map(
          (x) => !box.contains(document.elementFromPoint(x, y)),
        )
      })
      expect(covered).toEqual([false, false, false])
      expect(await banner.evaluate((box) => box.clientWidth)).toBeGreaterThan(240)
      for (const scheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme: scheme })
        expect(await accessibilityFaults(page, 'colours')).toEqual([])
        await screenshot(page, `sidebar-over-notice-small-${scheme}`)
      }
    })

    it('has what it has to tell among what F6 reaches, and under the pointer, beside the sidebar over the panel', async () => {
      await page.setViewportSize({ width: 560, height: 640 })
      await showSidebar()
      const region = () =>
        page.evaluate(() => document.activeElement?.closest<HTMLElement>('[data-region]')?.dataset['region'])
      const visited = async () => {
        const regions = new Set<string | undefined>()
        for (let presses = 0; presses < 6; presses += 1) {
          await page.keyboard.press('F6')
          regions.add(await region())
        }
        return [...regions]
      }
      await expect.poll(region).toBe('sidebar')
      expect(await visited()).not.toContain('main')
      expect(await visited()).toContain('menus')
      await page.evaluate(() => {
        const { double, streams } = globalThis.window
        for (const sessionId of ['a', 'b']) {
          double.sendSessions([streams.aSession({ sessionId })])
          double.sendSessions([streams.aSession({ sessionId, phase: 'failed', endedMs: 1 })])
        }
      })
      const close = page.locator('.notices').getByRole('button', { name: 'Close' })
      await close.waitFor()
      for (const scheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme: scheme })
        expect(await accessibilityFaults(page, scheme === 'light' ? 'all' : 'colours')).toEqual([])
        expect(await overflowing(page)).toEqual([])
        await screenshot(page, `sidebar-over-notice-${scheme}`)
      }
      expect(await visited()).toContain('main')
      for (let count = 0; count < 2; count += 1) {
        // So long it takes no press.
        await page.waitForTimeout(1200)
        await close.click()
      }
      expect(await disappears(close)).toBe(true)
      expect(await sidebar().isVisible()).toBe(true)
    })

    it('lets a disk of the sidebar over the panel be dropped on a well', async () => {
      await page.setViewportSize({ width: 490, height: 600 })
      await showSidebar()
      await dragOnto(page, row(page, 'SanDisk'), page.getByRole('group', { name: /^Destination/ }))
      await page.mouse.up()
      await page.getByRole('group', { name: /^Destination, SanDisk Ultra/ }).waitFor()
      expect(await disappears(sidebar())).toBe(true)
    })

    it.each([490, 560, 653, 900])('lays no fact of the footer over another, %i wide', async (width) => {
      await page.setViewportSize({ width: 1200, height: 700 })
      await row(page, 'notes.img').click()
      await page.setViewportSize({ width, height: 600 })
      const facts = page.locator('.info .facts-columns > div')
      // In sight, or on a line that isn't; and as wide as its name is at least.
      const inSight = () =>
        facts.evaluateAll((boxes) =>
          boxes
            .filter((box) => {
              const line = box.parentElement?.getBoundingClientRect()
              return line !== undefined && box.getBoundingClientRect().top < line.bottom
            })
            .map((box) => {
              const name = box.querySelector('dt')
              const { right = 0 } = box.parentElement?.getBoundingClientRect() ?? {}
              return {
                name: name?.textContent,
                isWhole: name !== null && name.scrollWidth <= name.clientWidth,
                isInside: box.getBoundingClientRect().right <= right + 0.5,
              }
            }),
        )
      await expect.poll(async () => (await inSight()).length).toBeGreaterThan(1)
      expect((await inSight()).filter(({ isWhole, isInside }) => !isWhole || !isInside)).toEqual([])
      await page.setViewportSize({ width: 1200, height: 700 })
    })

    it('says in full what a restore is at', async () => {
      await reach(page, 'running')
      await page.setViewportSize({ width: 800, height: 600 })
      const words = page.locator('.status-text .ellipsis')
      await expect.poll(() => words.evaluate((box) => box.scrollWidth - box.clientWidth)).toBe(0)
    })
  })

  describe('reduced motion and forced colors', () => {
    it('turn nothing and slide nothing', async () => {
      await using still = await openPage(browser, host.address, { reducedMotion: 'reduce' })
      await reach(still.page, 'running')
      const moving = await still.page.evaluate(
        () => document.getAnimations().filter((animation) => animation.playState === 'running').length,
      )
      expect(moving).toBe(0)
    })

    it('keep the selection and the segments visible', async () => {
      await using forced = await openPage(browser, host.address, { forcedColors: 'active' })
      await row(forced.page, 'SanDisk').click()
      const colour = (name: string) =>
        forced.page
          .getByRole('tab', { name })
          .evaluate((element) => getComputedStyle(element).backgroundColor)
      expect(await colour('Restore')).not.toBe(await colour('Activity'))
      const segment = forced.page.locator('.capacity-segment').nth(1)
      await expect
        .poll(() => segment.evaluate((element) => getComputedStyle(element).backgroundColor))
        .toMatch(/^(rgb|color)/)
      expect(
        await row(forced.page, 'SanDisk').evaluate((element) => getComputedStyle(element).outlineStyle),
      ).toBe('solid')
    })

    it('draw what differs in the colour of text', async () => {
      await using forced = await openPage(browser, host.address, { forcedColors: 'active' })
      await reach(forced.page, 'failed-verify')
      const stroke = (cell: string) =>
        forced.page
          .locator(`.differences ${cell}`)
          .first()
          .evaluate((element) => getComputedStyle(element).stroke)
      expect(await stroke('.cell-missed')).toBe(await stroke('.cell-pending'))
    })
  })

  describe('the log', () => {
    it('draws only what is in sight, follows, and stops following when scrolled', async () => {
      await reach(page, 'log')
      const lines = page.getByRole('listitem')
      await expect.poll(() => lines.count()).toBeLessThan(60)
      const follow = page.getByRole('checkbox', { name: 'Follow' })
      await expect.poll(() => follow.isChecked()).toBe(true)
      await page.getByRole('list', { name: 'Lines of the log' }).evaluate((list) => list.scrollTo({ top: 0 }))
      await page.getByText('volume unmounted').or(page.getByText('write')).first().waitFor()
      await expect.poll(() => follow.isChecked()).toBe(false)
    })

    it("follows the jobs' transcript, pauses when scrolled up, and goes on when asked", async () => {
      /** So many restores, of which the last one runs. */
      const tell = (count: number, percent: number) =>
        page.evaluate(
          ([jobs, done]) => {
            const { double, fixtures } = globalThis.window
            const plan = fixtures.planFor(fixtures.aRequest(), double.devices, double.images)
            for (let index = 0; index < jobs; index += 1)
              double.sendJob({
                ...fixtures.aJob(plan, { phase: 'verifying', percent: done }),
                jobId: `told-${index}`,
              })
          },
          [count, percent] as const,
        )
      await reach(page, 'log')
      await page.getByRole('radio', { name: 'Transcript' }).click()
      const transcript = page.getByLabel('Transcript', { exact: true }).and(page.locator('pre'))
      const follow = page.getByRole('checkbox', { name: 'Follow' })
      const below = () =>
        transcript.evaluate(
          ({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight,
        )
      await tell(12, 10)
      await expect.poll(() => transcript.innerText()).toContain('....10')
      expect(await transcript.evaluate((pre) => pre.scrollHeight > pre.clientHeight)).toBe(true)
      await expect.poll(below).toBeLessThan(2)
      await expect.poll(() => follow.isChecked()).toBe(true)

      await transcript.hover()
      await page.mouse.wheel(0, -300)
      await expect.poll(() => follow.isChecked()).toBe(false)
      const seen = await transcript.evaluate((pre) => pre.scrollTop)
      await tell(14, 30)
      await expect.poll(() => transcript.innerText()).toContain('....30')
      expect(await transcript.evaluate((pre) => pre.scrollTop)).toBe(seen)
      expect(await below()).toBeGreaterThan(100)

      await page.getByText('Follow', { exact: true }).click()
      await expect.poll(below).toBeLessThan(2)
      await tell(15, 50)
      await expect.poll(below).toBeLessThan(2)
      await expect.poll(() => follow.isChecked()).toBe(true)
    })

    it('has a window of its own', async () => {
      await page.goto('about:blank')
      await page.goto(`${host.address}#log`)
      await page.getByRole('radio', { name: 'Transcript' }).waitFor()
      await expect.poll(() => page.getByRole('tab').count()).toBe(0)
      expect(await page.title()).toBe('Log – Reprise')
      await page.goto(`${host.address}?electron`)
      await page.getByRole('tab', { name: 'Activity' }).click()
      await page.getByRole('radio', { name: 'Log' }).click()
      expect(await appears(page.getByRole('button', { name: 'Own Window' }))).toBe(true)
    })
  })

  it('marks a disk that appears and one that goes', async () => {
    await page.evaluate(() => {
      const { double, fixtures } = globalThis.window
      double.plug(fixtures.aDisk({ path: '/dev/sdz', name: 'New Stick' }))
    })
    expect(await appears(row(page, 'New Stick'))).toBe(true)
    await page.evaluate(() => globalThis.window.double.unplug('/dev/sdz'))
    expect(await disappears(row(page, 'New Stick'))).toBe(true)
  })
})
