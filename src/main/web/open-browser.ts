/**
 * Opens a link in the person's browser, by the system's own means. What stands in a program's arguments can be read by
 * everyone on the machine, and the link lets in whoever comes first: so it stands in a file that is the person's own,
 * and the browser is sent from there.
 */
import { spawn } from 'node:child_process'
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

export interface BrowserOpening {
  readonly home: string
  /** Opens a file with the program that it is for; false when nothing is there that could. Waits for nothing. */
  readonly start: (path: string) => boolean
}

const openers: { readonly [platform: string]: readonly string[] } = {
  linux: ['/usr/bin/xdg-open', '/usr/local/bin/xdg-open'],
  darwin: ['/usr/bin/open'],
}

/**
 * Of a folder in the home, and not a hidden one: browsers that are snaps see no others there, and a /tmp of their own.
 * https://github.com/jupyter/notebook/issues/4500
 */
const prefix = 'Reprise-'

/** A browser that takes longer needs the link that was printed. */
const keptMs = 60_000

/** Null when nothing could be opened. The file goes after a minute, or when what is returned is let go of. */
export function openBrowser(
  link: string,
  { home, start }: BrowserOpening = { home: homedir(), start: startOpener },
): Disposable | null {
  try {
    const folder = mkdtempSync(join(home, prefix))
    const letGo = () => {
      clearTimeout(timer)
      process.off('exit', letGo)
      remove(folder)
    }
    const timer = setTimeout(letGo, keptMs).unref()
    // Also when the second Ctrl-C ends it all.
    process.once('exit', letGo)
    using opening = new DisposableStack()
    opening.defer(letGo)
    const path = join(folder, 'open.html')
    writeFileSync(path, pageTo(link), { mode: 0o600 })
    return start(path) ? opening.move() : null
  } catch {
    // A home that can't be written to, or is full: the link was printed, too.
    return null
  }
}

const pageTo = (link: string) =>
  `<!doctype html><title>Reprise</title><meta http-equiv="refresh" content="0; url=${link}">\n`

function remove(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true })
  } catch {
    // Nothing ends for it: its link is used, or as good as the one that was printed.
  }
}

function startOpener(path: string): boolean {
  const opener = (openers[process.platform] ?? []).find(isExecutable)
  if (opener === undefined) return false
  const child = spawn(opener, [path], { stdio: 'ignore', detached: true })
  child.on('error', () => undefined)
  child.unref()
  return true
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
