/** Opens an address in the person's browser, by the system's own means. */
import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'

const openers: { readonly [platform: string]: readonly string[] } = {
  linux: ['/usr/bin/xdg-open', '/usr/local/bin/xdg-open'],
  darwin: ['/usr/bin/open'],
}

/** False when nothing is there that could. The browser is not waited for. */
export function openBrowser(url: string): boolean {
  const file = (openers[process.platform] ?? []).find(isExecutable)
  if (file === undefined) return false
  const child = spawn(file, [url], { stdio: 'ignore', detached: true })
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
