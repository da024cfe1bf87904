/** What holds in every state of the window: nothing for axe to find, nothing over the edge, no error on the console. */
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  accessibilityFaults,
  launchBrowser,
  openPage,
  overflowing,
  reopenPage,
  screenshot,
  type Window,
} from '#test/browser'
import { missing } from '#test/needs'
import { serveUiPage, type UiPage } from '#test/ui-page'
import { windowStates } from '#test/ui-states'

const sizes = [
  { width: 980, height: 640 },
  { width: 860, height: 560 },
  { width: 1440, height: 900 },
] as const

/**
 * Colours change softly and sheets fade in; what axe measures is what they come to. What takes longer is a state; and what is
 * in a closed part of the page stands still until that is opened.
 */
const motionEnded = (page: Page) =>
  page.evaluate(async () => {
    const isShort = ({ effect }: Animation) => Number(effect?.getComputedTiming().endTime ?? 0) < 1000
    const isShown = ({ effect }: Animation) =>
      !(effect instanceof KeyframeEffect) || effect.target?.checkVisibility() !== false
    const changes = document.getAnimations().filter((change) => isShort(change) && isShown(change))
    const ended = Promise.allSettled(changes.map((change) => change.finished))
    // Where a part was closed just now, they never end; and no short one lasts this long.
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 5000))])
  })

describe.skipIf(missing('program:chromium'))('every state', () => {
  let page: UiPage
  let browser: Browser
  let window: Window
  beforeAll(async () => {
    ;[page, browser] = await Promise.all([serveUiPage('production'), launchBrowser()])
    window = await openPage(browser, page.address)
  })
  afterAll(async () => {
    await browser.close()
    await page[Symbol.asyncDispose]()
  })

  for (const { name, preset = '', reach } of windowStates)
    it(`is right: ${name}`, async () => {
      await reopenPage(window, `${page.address}?${preset}`)
      await window.page.getByRole('tab', { name: 'Restore' }).waitFor()
      await reach(window.page)
      // The page is drawn by the scheme and the size as they are: it needn't be reached anew for each.
      for (const scheme of ['light', 'dark'] as const) {
        await window.page.emulateMedia({ colorScheme: scheme })
        await window.page.setViewportSize(sizes[0])
        await motionEnded(window.page)
        const what = scheme === 'light' ? 'all' : 'colours'
        expect(await accessibilityFaults(window.page, what), `${name}, ${scheme}`).toEqual([])
        await screenshot(window.page, `${name}-${scheme}`)
      }
      await window.page.emulateMedia({ colorScheme: 'light' })
      for (const size of sizes) {
        await window.page.setViewportSize(size)
        expect(await overflowing(window.page), `${name} at ${size.width} x ${size.height}`).toEqual([])
        if (size.height >= 600) continue
        // Where there is little room, things scroll.
        await motionEnded(window.page)
        expect(await accessibilityFaults(window.page, 'structure'), `${name}, small`).toEqual([])
        await screenshot(window.page, `${name}-light-small`)
      }
      expect(window.errors).toEqual([])
    })
})
