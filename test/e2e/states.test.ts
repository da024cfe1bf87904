/** What holds in every state of the window: nothing for axe to find, nothing over the edge, no error on the console. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessibilityFaults, launchBrowser, openPage, overflowing, screenshot } from '#test/browser'
import { missing } from '#test/needs'
import { serveUiPage, type UiPage } from '#test/ui-page'
import { windowStates } from '#test/ui-states'

describe.skipIf(missing('program:chromium'))('every state', () => {
  let page: UiPage
  let browser: Browser
  beforeAll(async () => {
    ;[page, browser] = await Promise.all([serveUiPage(), launchBrowser()])
  })
  afterAll(async () => {
    await browser.close()
    await page[Symbol.asyncDispose]()
  })

  for (const { name, preset = '', reach } of windowStates)
    it(`is right: ${name}`, async () => {
      for (const scheme of ['light', 'dark'] as const) {
        await using window = await openPage(browser, `${page.address}?${preset}`, { scheme })
        await window.page.getByRole('tab', { name: 'Restore' }).waitFor()
        await reach(window.page)
        await screenshot(window.page, `${name}-${scheme}`)
        expect(await accessibilityFaults(window.page), `${name}, ${scheme}`).toEqual([])
        expect(await overflowing(window.page), `${name} at 980 x 640`).toEqual([])
        await window.page.setViewportSize({ width: 860, height: 560 })
        await screenshot(window.page, `${name}-${scheme}-small`)
        expect(await overflowing(window.page), `${name} at 860 x 560`).toEqual([])
        expect(window.errors).toEqual([])
      }
    })
})
