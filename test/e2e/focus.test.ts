/** Where the keyboard is after each step: never nowhere. On a double of the host. */
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { launchBrowser, openPage, reopenPage, type Window } from '#test/browser'
import { missing } from '#test/needs'
import { serveUiPage, type UiPage } from '#test/ui-page'
import { choose, chooseSource, row, startRestore, windowStates } from '#test/ui-states'

const reach = (page: Page, name: string) => windowStates.find((state) => state.name === name)!.reach(page)

/** What has the focus, as a person would name it; `nowhere` when it fell to the page. */
const focused = (page: Page) =>
  page.evaluate(() => {
    const element = document.activeElement
    if (!element || element === document.body) return 'nowhere'
    const label = element instanceof HTMLInputElement ? element.closest('label') : element
    return element.getAttribute('aria-label') ?? label?.textContent.trim() ?? ''
  })

const press = async (page: Page, name: string) => {
  await page.getByRole('button', { name, exact: true }).focus()
  await page.keyboard.press('Enter')
}

/** The restore that `startRestore` began, at a phase or at its end. */
const sendJob = (page: Page, at: 'restoring' | 'verifying' | 'done' | 'failed' | 'cancelled') =>
  page.evaluate((at) => {
    const { double, fixtures, errors } = globalThis.window
    const plan = fixtures.planFor(fixtures.aRequest(), double.devices, double.images)
    const failed = at === 'failed' && ({ failed: true } as const)
    const half = fixtures.aJob(plan, { phase: 'restoring', percent: 43, ...failed })
    switch (at) {
      case 'restoring':
        return double.sendJob(half)
      case 'verifying':
        return double.sendJob(fixtures.aJob(plan, { phase: 'verifying', percent: 4 }))
      case 'done':
        return double.sendJob(fixtures.ended(half, { kind: 'done', summary: fixtures.aSummary({}) }))
      case 'cancelled':
        return double.sendJob(
          fixtures.ended(half, { kind: 'cancelled', phase: 'restoring', percent: 43, target: 'empty' }),
        )
      case 'failed': {
        const details = { path: '/dev/sdb', holders: ['tracker-miner (1204)'] }
        const error = errors.serializeError(new errors.DeviceError('E_DST_BUSY', 'busy', { details }))
        return double.sendJob(fixtures.ended(half, { kind: 'failed', target: 'untouched', error }))
      }
    }
  }, at)

/** The first stream that was started, in this phase. */
const sendSession = (page: Page, phase: 'preparing' | 'waiting' | 'streaming' | 'ended') =>
  page.evaluate((phase) => {
    const { double, streams } = globalThis.window
    double.sendSessions([streams.aSession({ sessionId: 'session-1', phase })])
  }, phase)

describe.skipIf(missing('program:chromium'))('the focus', () => {
  let host: UiPage
  let browser: Browser
  let window: Window
  let page: Page
  beforeAll(async () => {
    ;[host, browser] = await Promise.all([serveUiPage('production'), launchBrowser()])
    window = await openPage(browser, host.address)
    page = window.page
  })
  afterAll(async () => {
    await browser.close()
    await host[Symbol.asyncDispose]()
  })
  const open = async (preset = '') => {
    await reopenPage(window, `${host.address}?${preset}`)
    await row(page, 'SanDisk').waitFor()
  }
  beforeEach(() => open())
  afterEach(() => {
    expect(window.errors).toEqual([])
  })

  it('goes to the tick when the practice restore was set up, as that is what is next', async () => {
    await open('first')
    await press(page, 'Try It')
    await expect.poll(() => focused(page)).toMatch('Erase destination')
  })

  it('goes to the empty well when the practice restore was declined', async () => {
    await open('first')
    await press(page, 'Not Now')
    await expect.poll(() => focused(page)).toMatch(/^Source/)
  })

  it('stays at the well that was cleared', async () => {
    await reach(page, 'composed')
    await press(page, 'Clear Destination')
    await expect.poll(() => focused(page)).toMatch(/^Destination: Drop/)
    await press(page, 'Clear Source')
    await expect.poll(() => focused(page)).toMatch(/^Source: Drop/)
  })

  it('goes along with a restore, from the yes to how it ended', async () => {
    await page.evaluate(() => {
      globalThis.window.release = globalThis.window.double.holdStart()
    })
    await startRestore(page)
    await expect.poll(() => focused(page)).toMatch('Waiting for permission…')
    await page.evaluate(() => globalThis.window.release())
    await sendJob(page, 'restoring')
    await expect.poll(() => focused(page)).toMatch('Restoring')
    await sendJob(page, 'verifying')
    await expect.poll(() => focused(page)).toMatch('Verifying')
    await sendJob(page, 'done')
    await expect.poll(() => focused(page)).toMatch('Restored and verified')
  })

  it('goes from Stop to what is going on, and from there to how it ended', async () => {
    await startRestore(page)
    await sendJob(page, 'restoring')
    await press(page, 'Stop')
    await expect.poll(() => focused(page)).toMatch('Stopping at a safe point…')
    await sendJob(page, 'cancelled')
    await expect.poll(() => focused(page)).toMatch('Stopped at 43 %')
  })

  it('goes from Stop to how it ended when the end comes by itself', async () => {
    await startRestore(page)
    await sendJob(page, 'restoring')
    await page.getByRole('button', { name: 'Stop', exact: true }).focus()
    await sendJob(page, 'failed')
    await expect.poll(() => focused(page)).toMatch(/in use/)
  })

  it('comes back to the wells when the restore is given up before it began', async () => {
    await page.evaluate(() => {
      globalThis.window.release = globalThis.window.double.holdStart()
    })
    await startRestore(page)
    await expect.poll(() => focused(page)).toMatch(/Starting|Waiting for permission/)
    await press(page, 'Stop')
    await expect.poll(() => focused(page)).toMatch(/Erase destination|Restore…/)
  })

  it('is not taken from someone who is elsewhere when a restore ends', async () => {
    await startRestore(page)
    await sendJob(page, 'restoring')
    await page.getByRole('tab', { name: 'Multicast Server' }).click()
    const name = page.getByRole('textbox', { name: 'Session name' })
    await name.focus()
    await sendJob(page, 'done')
    await page.getByText('Restored and verified').first().waitFor()
    await name.pressSequentially('Lab')
    expect(await name.inputValue()).toBe('Lab')
  })

  it('is somewhere after Show Log and after Restore Again', async () => {
    await startRestore(page)
    await sendJob(page, 'done')
    await press(page, 'Show Log')
    await page.getByRole('radio', { name: 'Log' }).waitFor()
    await expect.poll(() => focused(page)).toBe('Lines of the log')
    await page.getByRole('tab', { name: 'Restore' }).click()
    await press(page, 'Restore Again')
    await expect.poll(() => focused(page)).toMatch(/^Destination/)
  })

  it('goes on to what is next when an image was unlocked', async () => {
    await chooseSource(page, 'Payroll')
    // It asks by itself, once the image was looked at.
    await page.getByRole('textbox', { name: 'Password' }).and(page.locator(':focus')).waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    // What had it before the sheet has it again; only then does anyone go on.
    await expect.poll(() => focused(page)).toBe('Image…')
    await press(page, 'Unlock…')
    await page.getByRole('textbox', { name: 'Password' }).fill('sesame')
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await expect.poll(() => focused(page)).toMatch(/^Destination/)
  })

  it('goes from the form of a stream to the stream, and along with it', async () => {
    await reach(page, 'multicast-form')
    await press(page, 'Check Network')
    await expect.poll(() => focused(page)).toMatch('Check Network')
    await press(page, 'Start Stream')
    await sendSession(page, 'preparing')
    await expect.poll(() => focused(page)).toBe('ModularSystem')
    await sendSession(page, 'waiting')
    await press(page, 'Start Now')
    await sendSession(page, 'streaming')
    await expect.poll(() => focused(page)).toBe('ModularSystem')
    await sendSession(page, 'ended')
    await press(page, 'Remove')
    await page.evaluate(() => globalThis.window.double.sendSessions([]))
    await expect.poll(() => focused(page)).toMatch(/^Image: Drop/)
  })

  it('goes to what the form of a stream still needs when the warning was read', async () => {
    await open('first')
    await press(page, 'Not Now')
    await page.getByRole('tab', { name: 'Multicast Server' }).click()
    await press(page, 'Got It')
    await expect.poll(() => focused(page)).toMatch(/^Image: Drop/)
  })

  it('stays with a job of the list when it ends, and its Stop is gone', async () => {
    await startRestore(page)
    await sendJob(page, 'restoring')
    await page.getByRole('tab', { name: 'Activity' }).click()
    await page.getByRole('listitem').getByRole('button', { name: 'Stop', exact: true }).focus()
    await sendJob(page, 'cancelled')
    await expect.poll(() => focused(page)).toMatch('ModularSystem.dmg → SanDisk Ultra')
  })

  it('is somewhere when a message was closed', async () => {
    await reach(page, 'eject-refused')
    await press(page, 'Close this message')
    await expect.poll(() => focused(page)).not.toBe('nowhere')
  })

  it('comes back from a menu that was used by the mouse to where it was', async () => {
    await reach(page, 'composed')
    const clear = page.getByRole('button', { name: 'Clear Source' })
    await clear.focus()
    await choose(page, 'View', 'Show Internal Disks')
    await expect.poll(() => focused(page)).toBe('Clear Source')
    await choose(page, 'Help', 'Keyboard Shortcuts')
    await page.getByRole('dialog').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await expect.poll(() => focused(page)).toBe('Clear Source')
    // Closed without a command.
    await page.getByRole('button', { name: 'Edit', exact: true }).click()
    await page.keyboard.press('Escape')
    await expect.poll(() => focused(page)).toBe('Clear Source')
    // Nothing had it: then it goes on to what is next.
    await page.locator('.compose-hint').click()
    expect(await focused(page)).toBe('nowhere')
    await choose(page, 'File', 'Open URL…')
    await page.getByRole('dialog').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await expect.poll(() => focused(page)).toMatch('Erase destination')
    await choose(page, 'View', 'Show Log')
    await expect.poll(() => focused(page)).toBe('Lines of the log')
  })

  it('goes from a menu that was used by the keyboard to the menu, or to where the command leads', async () => {
    await reach(page, 'composed')
    await page.getByRole('button', { name: 'View', exact: true }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('menuitem', { name: 'Show Internal Disks' }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('menu').waitFor({ state: 'detached' })
    await expect.poll(() => focused(page)).toBe('View')
  })

  it('stays nowhere when a person put it there', async () => {
    await reach(page, 'composed')
    await page.locator('.compose-hint').click()
    expect(await focused(page)).toBe('nowhere')
    await page.evaluate(() => globalThis.window.double.unplug('/dev/sdb'))
    await page.getByText('Disconnected. Choose').waitFor()
    expect(await focused(page)).toBe('nowhere')
  })
})
