/** The window in Chromium, served by `reprise web`: how soon it can be used, its size, and whether it ever stutters. */
import { linkSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Page } from 'playwright-core'
import { launchBrowser, openPage } from '#test/browser'
import { program } from '#test/needs'
import { startWebHost } from '#test/web-host'
import { attachBenchDisk, type BenchDisk } from './bench-disk.ts'
import { buildImage } from './build-image.ts'
import type { BenchOptions } from './groups.ts'
import { inSeconds, type Line } from './line.ts'
import { median } from './measure.ts'
import { realData } from './real-data.ts'

const MiB = 2 ** 20

export async function measureWindow(options: BenchOptions): Promise<Line[]> {
  const lines = [bundleLine()]
  if (program('chromium') === null) return lines
  const loads: { readonly paint: number; readonly usable: number }[] = []
  for (let round = 0; round <= options.rounds; round++) loads.push(await loadOnce())
  const usable = median(loads.slice(1).map((load) => load.usable))
  const paint = median(loads.slice(1).map((load) => load.paint))
  const restoring = await longTasks(options)
  return [
    ...lines,
    {
      what: 'the window in Chromium: from the address to a filled sidebar and wells that take something',
      ours: `${inSeconds(usable)}, first painted after ${inSeconds(paint)}`,
      peer: '',
      value: usable,
      unit: 's',
      target: { atMost: 1.5 },
    },
    {
      what: 'longest task of the page while a restore runs',
      ours: `${restoring.longest.toFixed(0)} ms; ${restoring.count} of 50 ms or more in ${inSeconds(restoring.seconds)}`,
      peer: '',
      value: restoring.longest,
      unit: 'ms',
      target: { atMost: 50 },
    },
  ]
}

/** Everything a browser fetches, each file by itself as a server would send it. */
function bundleLine(): Line {
  const folder = resolve(import.meta.dirname, '../out/renderer')
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  )
  const sizes = files.map(
    ({ parentPath, name }) => gzipSync(readFileSync(join(parentPath, name)), { level: 9 }).length,
  )
  const kilobytes = sizes.reduce((sum, size) => sum + size, 0) / 1000
  return {
    what: 'renderer bundle, gzip -9, scripts, styles and page together',
    ours: `${kilobytes.toFixed(0)} kB`,
    peer: '',
    value: kilobytes,
    unit: 'kB',
    target: { atMost: 300 },
  }
}

/** A host and a browser of their own: nothing is warm but the system's file cache. Seconds from the navigation's start. */
async function loadOnce(): Promise<{ readonly paint: number; readonly usable: number }> {
  await using host = await startWebHost()
  const browser = await launchBrowser()
  try {
    await using window = await openPage(browser, host.url)
    // Asked at each frame.
    await window.page.waitForFunction(() => {
      const button = [...document.querySelectorAll('button')].find(
        ({ textContent }) => textContent === 'Image…',
      )
      const rows = [...document.querySelectorAll('[role=row]')]
      return (
        button?.disabled === false && rows.some(({ textContent }) => textContent?.includes('Practice disk'))
      )
    })
    const ms = await window.page.evaluate(() => ({
      usable: performance.now(),
      paint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN,
    }))
    return { paint: ms.paint / 1000, usable: ms.usable / 1000 }
  } finally {
    await browser.close()
  }
}

declare global {
  var benchLongTasks: number[]
}

/** A restore by the window, with a verify, of an image onto a loop device; tasks that the browser calls long. */
async function longTasks(
  options: BenchOptions,
): Promise<{ readonly longest: number; readonly count: number; readonly seconds: number }> {
  const image = await buildImage(await realData(options.imageMiB * MiB), 'zlib')
  const folder = mkdtempSync(join(tmpdir(), 'reprise-bench-home-'))
  try {
    linkSync(image, join(folder, 'bench-source.dmg'))
    await using disk = await attachBenchDisk(options.imageMiB * MiB)
    await using host = await startWebHost({ home: folder })
    const browser = await launchBrowser()
    try {
      await using window = await openPage(browser, host.url)
      const { page } = window
      await choose(page, disk)
      await page.evaluate(() => {
        globalThis.benchLongTasks = []
        new PerformanceObserver((list) => {
          for (const { duration } of list.getEntries()) globalThis.benchLongTasks.push(duration)
        }).observe({ type: 'longtask' })
      })
      const start = performance.now()
      await page.getByRole('button', { name: 'Erase and Restore' }).click()
      await page.getByRole('button', { name: 'Restore Again' }).waitFor({ timeout: 600_000 })
      const seconds = (performance.now() - start) / 1000
      const tasks = await page.evaluate(() => globalThis.benchLongTasks)
      return { longest: Math.max(0, ...tasks), count: tasks.length, seconds }
    } finally {
      await browser.close()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** As a person would, up to the sheet that asks whether to erase. */
async function choose(page: Page, disk: BenchDisk): Promise<void> {
  await page.getByRole('button', { name: 'Image…' }).click()
  await page.getByRole('option', { name: /bench-source/ }).dblclick()
  await page.getByRole('group', { name: /^Source, bench-source/ }).waitFor()
  await page
    .getByRole('row', { name: new RegExp(`^${disk.name}`) })
    .first()
    .click()
  await page.keyboard.press('Control+2')
  await page.getByRole('group', { name: /^Destination/ }).waitFor()
  await page.getByText('Erase destination', { exact: true }).click()
  await page.getByRole('button', { name: 'Restore…' }).click()
  const sheet = page.getByRole('alertdialog')
  await sheet.getByText(disk.path).first().waitFor()
}
