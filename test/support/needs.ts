/**
 * What a suite needs beyond Node, and the one line it says when that isn't there. Used as
 * `describe.skipIf(missing('root', 'loop'))('…')`; the reason is printed once. With REPRISE_NEEDS=all (CI sets it) a
 * missing need fails instead of skipping: except the two that no set-up can bring, the real images and Electron's binary.
 */
import { execFileSync } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

/** The folder with real disk images beside the project, or null. */
export function realImages(): string | null {
  const folder = process.env['REPRISE_IMAGES'] ?? resolve(import.meta.dirname, '../../../shared/images')
  return existsSync(join(folder, 'images.json')) ? folder : null
}

/** Full path of a program on this machine, or null. */
export function program(name: string): string | null {
  for (const folder of ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']) {
    const path = join(folder, name)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // Not here: look in the next folder.
    }
  }
  return null
}

const named = {
  linux: () => (process.platform === 'linux' ? null : 'Linux'),
  root: () => (process.getuid?.() === 0 ? null : 'root'),
  loop: () => (loopDevicesWork() ? null : 'loop devices'),
  lab: () => (namespacesWork() ? null : 'network namespaces, bridges and nft as root'),
  images: () => (realImages() === null ? 'the real disk images (../shared/images)' : null),
  electron: () =>
    existsSync(join(dirname(dirname(import.meta.dirname)), 'node_modules/electron/dist/electron'))
      ? null
      : 'the Electron binary',
  built: () => (process.env['REPRISE_BUILT'] === '1' ? null : 'the built program (npm test builds it)'),
} as const

let loopWorks: boolean | undefined
function loopDevicesWork(): boolean {
  if (loopWorks !== undefined) return loopWorks
  try {
    execFileSync('losetup', ['-f'], { stdio: 'ignore' })
    loopWorks = process.getuid?.() === 0
  } catch {
    loopWorks = false
  }
  return loopWorks
}

let namespacesWorked: boolean | undefined
/** Containers are root without being allowed any of this. */
function namespacesWork(): boolean {
  if (namespacesWorked !== undefined) return namespacesWorked
  const name = `mc${process.pid}x-needs`
  const run = (...args: readonly string[]) =>
    execFileSync('ip', [...args], { stdio: 'ignore', timeout: 20_000 })
  try {
    run('netns', 'add', name)
    try {
      run('-n', name, 'link', 'add', 'br0', 'type', 'bridge')
      run('netns', 'exec', name, 'nft', 'add table netdev needs')
      namespacesWorked = process.getuid?.() === 0
    } finally {
      run('netns', 'del', name)
    }
  } catch {
    namespacesWorked = false
  }
  return namespacesWorked
}

type Need = keyof typeof named | `program:${string}`

/** The name of what is lacking, or null when the need is met. */
function lack(need: Need): string | null {
  if (!need.startsWith('program:')) return named[need as keyof typeof named]()
  const name = need.slice('program:'.length)
  return program(name) === null ? `the program ${name}` : null
}

const told = new Set<string>()

/** True when something in `needs` isn't here; says what, once. */
export function missing(...needs: readonly Need[]): boolean {
  const lacking = needs.map(lack).filter((name) => name !== null)
  if (lacking.length === 0) return false
  const reason = `skipped: needs ${lacking.join(', ')}`
  const bringable = needs.some((need) => need !== 'images' && need !== 'electron' && lack(need) !== null)
  if (process.env['REPRISE_NEEDS'] === 'all' && bringable) throw new Error(reason)
  if (!told.has(reason)) process.stderr.write(`${reason}\n`)
  told.add(reason)
  return true
}
