/** The machine and the programs a result belongs to. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, release, totalmem } from 'node:os'
import { program } from '#test/needs'

/** Lines of `what: value`. */
export function describeMachine(): readonly (readonly [string, string])[] {
  return [
    ['CPU', `${cpus()[0]?.model.trim() ?? 'unknown'}, ${availableParallelism()} cores`],
    ['Memory', `${(totalmem() / 2 ** 30).toFixed(0)} GiB`],
    ['System', `${systemName()}, Linux ${release()}`],
    ['Node', process.version],
    ['dd', firstLine('dd', ['--version'])],
    ['dmg2img', firstLine('dmg2img', [])],
    ['qemu-img', firstLine('qemu-img', ['--version'])],
    ['7-Zip', firstLine(program('7zz') === null ? '7z' : '7zz', [])],
    ['udpcast', firstLine('dpkg-query', ['-W', 'udpcast'])],
    ['uftp', firstLine('dpkg-query', ['-W', 'uftp'])],
    ['Chromium', firstLine('chromium', ['--version'])],
  ]
}

function systemName(): string {
  const text = readFileSync('/etc/os-release', 'utf8')
  return /^PRETTY_NAME="?(.*?)"?$/m.exec(text)?.[1] ?? 'Linux'
}

function firstLine(name: string, args: readonly string[]): string {
  const path = program(name)
  if (path === null) return 'not installed'
  let text: string
  try {
    text = execFileSync(path, [...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 20_000,
    })
  } catch (error) {
    // Some print their name and version and then complain that they were given nothing to do.
    const { stdout = '', stderr = '' } = error as { readonly stdout?: string; readonly stderr?: string }
    text = stdout + stderr
  }
  return (
    text
      .split('\n')
      .find((line) => /\d/.test(line))
      ?.trim() ?? 'unknown version'
  )
}
