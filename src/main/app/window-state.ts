/** Where the window was, so that it opens there again, if that place is still on a screen. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Rectangle } from 'electron'

export interface WindowState {
  /** With the frame. Null: in the middle, with the first size. */
  readonly bounds: Rectangle | null
  readonly maximized: boolean
}

/** Of the page, without the frame. */
export const firstSize = { width: 980, height: 640 }
export const minSize = { width: 860, height: 560 }

/** At least this much of the window must be on a screen to be found and dragged. */
const visible = { width: 200, height: 60 }

/** What is stored at `path`, as far as it makes sense on `screens` (their work areas). Never throws. */
export function readWindowState(path: string, screens: readonly Rectangle[]): WindowState {
  try {
    const data = JSON.parse(readFileSync(path, 'utf8')) as {
      bounds?: { [key: string]: unknown }
      maximized?: unknown
    } | null
    const { x, y, width, height } = data?.bounds ?? {}
    const maximized = data?.maximized === true
    if (!isWhole(x) || !isWhole(y) || !isWhole(width) || !isWhole(height)) return { bounds: null, maximized }
    const bounds = {
      x,
      y,
      width: Math.max(width, minSize.width),
      height: Math.max(height, minSize.height),
    }
    return { bounds: screens.some((screen) => isFindable(bounds, screen)) ? bounds : null, maximized }
  } catch {
    // The first start, or a file that somebody else wrote.
    return { bounds: null, maximized: false }
  }
}

/** Stores it; where the window was isn't worth an error. */
export function writeWindowState(path: string, state: WindowState): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    writeFileSync(path, `${JSON.stringify(state)}\n`, { mode: 0o600 })
  } catch {
    // The folder can't be written: next time the window opens in the middle.
  }
}

const isWhole = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && Math.abs(value) < 100_000

function isFindable(bounds: Rectangle, screen: Rectangle): boolean {
  const width = Math.min(bounds.x + bounds.width, screen.x + screen.width) - Math.max(bounds.x, screen.x)
  // The top edge is where a window is dragged.
  const onScreen = bounds.y >= screen.y && bounds.y + visible.height <= screen.y + screen.height
  return width >= visible.width && onScreen
}
