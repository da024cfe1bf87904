/** The system that Reprise runs on, as it goes with a log: `Debian GNU/Linux 13 (trixie), Linux 6.12.0 x64`. */
import { readFileSync } from 'node:fs'
import { arch, release, type, version } from 'node:os'

export function systemName(osRelease = '/etc/os-release'): string {
  const kernel = `${type()} ${release()} ${arch()}`
  const name = process.platform === 'linux' ? distribution(osRelease) : version()
  return name === null ? kernel : `${name}, ${kernel}`
}

/** What the distribution calls itself; null where it doesn't say. */
function distribution(path: string): string | null {
  try {
    const line = /^PRETTY_NAME=(.*)$/m.exec(readFileSync(path, 'utf8'))?.[1] ?? ''
    return line.replaceAll(/^["']|["']$/g, '').trim() || null
  } catch {
    // Small systems have no such file.
    return null
  }
}
