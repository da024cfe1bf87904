/** Debian's Chromium for the window's tests: pages that report every error, and what is looked at on each of them. */
import type * as Axe from 'axe-core'
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { chromium, type Browser, type Locator, type Page } from 'playwright-core'

export const chromiumPath = '/usr/bin/chromium'

const screens = join(dirname(import.meta.dirname), 'e2e/__screens__')
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

export type Scheme = 'light' | 'dark'

export interface Window extends AsyncDisposable {
  readonly page: Page
  /** Errors on the console, and errors nobody caught. */
  readonly errors: string[]
}

export const launchBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: chromiumPath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })

const usualSize = { width: 980, height: 640 } as const

interface OpenOptions {
  readonly width?: number
  readonly height?: number
  readonly scheme?: Scheme
  readonly reducedMotion?: 'reduce'
  readonly forcedColors?: 'active'
}

/** A window with a profile of its own. */
export async function openPage(
  browser: Browser,
  address: string,
  options: OpenOptions = {},
): Promise<Window> {
  const {
    width = usualSize.width,
    height = usualSize.height,
    scheme = 'light',
    reducedMotion,
    forcedColors,
  } = options
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: scheme,
    locale: 'en-US',
    ...(reducedMotion ? { reducedMotion } : {}),
    ...(forcedColors ? { forcedColors } : {}),
  })
  // A processor that is taken away for a while must not decide a test.
  context.setDefaultTimeout(90_000)
  const page = await context.newPage()
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(error.stack ?? String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') errors.push(message.text())
  })
  await page.goto(address)
  return { page, errors, [Symbol.asyncDispose]: () => context.close() }
}

/**
 * Another page in a window that was used: with nothing remembered, nothing held down and no errors yet, in `openPage`'s size and
 * scheme. It takes a fourth of what another window takes.
 */
export async function reopenPage({ page, errors }: Window, address: string): Promise<void> {
  await page.mouse.up()
  await page.mouse.move(-1, -1)
  await page.evaluate(() => {
    sessionStorage.clear()
    localStorage.clear()
  })
  await page.emulateMedia({ colorScheme: 'light' })
  await page.setViewportSize(usualSize)
  await page.goto(address)
  errors.length = 0
}

/** True when the element is seen in time; throws, saying what was waited for, when it isn't. */
export async function appears(locator: Locator): Promise<true> {
  await locator.first().waitFor()
  return true
}

/**
 * Clicks a row of the sidebar until it is the selected one. Disks come and go while tests run side by side, and a row that
 * moves between the pointer's aim and its press leaves the click to its neighbour.
 */
export async function selectRow(row: Locator): Promise<void> {
  for (let tries = 0; tries < 20; tries++) {
    await row.click()
    if ((await row.getAttribute('aria-selected')) === 'true') return
  }
  throw new Error('the row is never the selected one')
}

/** True when nothing like it is there any more in time. */
export async function disappears(locator: Locator): Promise<true> {
  await locator.first().waitFor({ state: 'detached' })
  return true
}

/**
 * What axe finds, one line for each violation; empty when there is nothing. Contrast is half of its work: `colours` looks for that
 * alone, as in another scheme of a page that was looked at, and `structure` for all else, as at another size.
 */
export async function accessibilityFaults(
  page: Page,
  what: 'all' | 'colours' | 'structure' = 'all',
): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in globalThis))) {
    // Into the page's own world, past its policy: as a devtools snippet would be.
    const session = await page.context().newCDPSession(page)
    await session.send('Runtime.evaluate', { expression: axeSource })
    await session.detach()
  }
  return page.evaluate(async (rules) => {
    const { axe } = globalThis as never as { readonly axe: typeof Axe }
    const { violations } = await axe.run(document, { resultTypes: ['violations'], ...rules })
    return violations.map(
      ({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html.slice(0, 200)).join(' | ')}`,
    )
  }, axeRules[what])
}

const axeRules = {
  all: {},
  colours: { runOnly: { type: 'rule', values: ['color-contrast'] } },
  structure: { rules: { 'color-contrast': { enabled: false } } },
} as const satisfies Readonly<Record<string, Axe.RunOptions>>

/** Elements that reach out of the window at a side; empty when there are none. */
export const overflowing = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const out = [...document.querySelectorAll<HTMLElement>('body *')].filter((element) => {
      const box = element.getBoundingClientRect()
      const seen = box.width > 1 && box.height > 1 && getComputedStyle(element).visibility !== 'hidden'
      return seen && (box.right > innerWidth + 0.5 || box.left < -0.5 || box.bottom > innerHeight + 0.5)
    })
    // What lies in a box that scrolls or hides is cut there, not by the window.
    const cut = (element: HTMLElement) => {
      for (let parent = element.parentElement; parent; parent = parent.parentElement)
        if (getComputedStyle(parent).overflow !== 'visible' && parent !== document.body) return true
      return false
    }
    return out.filter((element) => !cut(element)).map((element) => element.outerHTML.slice(0, 120))
  })

/** Writes `__screens__/<name>.png`. */
export async function screenshot(page: Page, name: string): Promise<void> {
  mkdirSync(screens, { recursive: true })
  await page.screenshot({ path: join(screens, `${name}.png`), animations: 'disabled' })
}

/** Drops files on an element as the system does; a page can't make such an event itself. */
export async function dropFiles(page: Page, onto: Locator, files: readonly string[]): Promise<void> {
  const box = await onto.boundingBox()
  if (!box) throw new Error('there is nothing to drop on')
  const session = await page.context().newCDPSession(page)
  const at = { x: box.x + box.width / 2, y: box.y + box.height / 2 }
  const data = { items: [], files: [...files], dragOperationsMask: 1 }
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
    await session.send('Input.dispatchDragEvent', { type, ...at, data })
  await session.detach()
}

/**
 * Drags a row of the sidebar onto an element with the mouse, and holds it there. As in `selectRow`, a row may move away between the
 * pointer's aim and its press: what was taken then is its neighbour, and is put back.
 */
export async function dragOnto(page: Page, row: Locator, onto: Locator): Promise<void> {
  for (let tries = 0; tries < 20; tries++) {
    const [start, end] = [await row.boundingBox(), await onto.boundingBox()]
    if (!start || !end) throw new Error('there is nothing to drag')
    await page.mouse.move(start.x + 70, start.y + start.height / 2)
    await page.mouse.down()
    await page.mouse.move(start.x + 90, start.y + start.height / 2 + 6, { steps: 4 })
    await page.locator('[data-dragging]').first().waitFor()
    if ((await row.getAttribute('data-dragging')) !== null) {
      await page.mouse.move(end.x + end.width / 2, end.y + end.height / 2, { steps: 8 })
      return
    }
    await page.mouse.up()
    await disappears(page.locator('[data-dragging]'))
  }
  throw new Error('the row is never the dragged one')
}
