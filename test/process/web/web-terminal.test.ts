/** `reprise web` as people start it in a terminal: script(1) makes one. */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { program } from '#test/needs'
import { isAlive, node24, reprise, until } from '#test/web-host'

const script = program('script') ?? ''

interface InTerminal extends AsyncDisposable {
  /** With its one-time token. */
  readonly url: string
  /** The folder it runs in. */
  readonly home: string
  /** Ends the program as Ctrl-C would. */
  stop(): void
  /** Resolves when the terminal shows it, to what it matched. */
  shows(pattern: RegExp): Promise<RegExpExecArray>
  type(keys: string): Promise<void>
}

/** Runs a line of sh, in which `$WEB` starts `reprise web` and which says `pid` and `ended` with its status. */
async function inTerminal(line: string): Promise<InTerminal> {
  const home = mkdtempSync(join(tmpdir(), 'reprise-home-'))
  const child = spawn(script, ['-qec', line, '/dev/null'], {
    cwd: home,
    env: { PATH: process.env['PATH'] ?? '', HOME: home, SHELL: '/bin/sh', WEB: `${node24} ${reprise} web` },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = new Promise((resolve) => child.on('close', resolve))
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  const shows = (pattern: RegExp) => until(() => pattern.exec(output))
  const pid = Number((await shows(/pid (\d+)/))[1])
  const [url] = await shows(/http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{43}/)
  return {
    url,
    home,
    stop: () => process.kill(pid, 'SIGINT'),
    shows,
    async type(keys) {
      child.stdin.write(keys)
      // Nothing shows that a key was read, least of all where it isn't.
      await delay(500)
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      if (isAlive(pid)) process.kill(pid, 'SIGKILL')
      await ended
      rmSync(home, { recursive: true, force: true })
    },
  }
}

/** Null until it is there and holds something. */
const tryRead = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : null) || null
const statusOf = async (url: string) => (await fetch(url, { signal: AbortSignal.timeout(5000) })).status

describe.skipIf(process.platform !== 'linux' || script === '')('reprise web in a terminal', () => {
  test('gives another link at Enter', async () => {
    await using host = await inTerminal('echo pid $$; exec $WEB')
    await host.type('\n')
    const [, link] = await host.shows(/New link: (http\S+)/)
    expect(link).not.toBe(host.url)
    expect(await statusOf(link ?? '')).toBe(200)
  })

  test('serves on while its terminal takes nothing, and says the rest later', async () => {
    await using host = await inTerminal('echo pid $$; exec $WEB')
    // Ctrl-S, and Enter for another link.
    await host.type('\x13')
    await host.type('\n')
    expect(await statusOf(host.url)).toBe(200)
    await host.type('\x11')
    await host.shows(/New link: http/)
  })

  test('ends while its terminal takes nothing', async () => {
    await using host = await inTerminal("sh -c 'echo pid $$; exec $WEB'; echo $? > ended")
    await host.type('\x13')
    await host.type('\n')
    host.stop()
    expect(await until(() => tryRead(join(host.home, 'ended')))).toBe('0\n')
  })

  test('serves on when nobody reads what it prints', async () => {
    await using host = await inTerminal(
      '(sh -c \'echo pid $$ >&2; exec $WEB\'; echo "ended $?" >&2) | head -1',
    )
    await host.type('\n')
    await host.type('\n')
    expect(await statusOf(host.url)).toBe(200)
    host.stop()
    expect((await host.shows(/ended (\d+)/))[1]).toBe('0')
  })

  test('serves on in the background of a shell, whatever is typed there', async () => {
    await using host = await inTerminal('set -m; $WEB & echo pid $!; wait; echo "ended $?"')
    await host.type('\n')
    expect(await statusOf(host.url)).toBe(200)
    host.stop()
    await host.shows(/ended 0/)
  })

  test('serves on when Ctrl-Z and bg send it there, and gives links again after fg', async () => {
    await using host = await inTerminal(
      'set -m; sh -c \'echo pid $$; exec $WEB\'; bg; echo "it is back there"; until [ -e go ]; do sleep 0.1; done; fg; echo "ended $?"',
    )
    await host.type('\x1a')
    await host.shows(/it is back there/)
    await host.type('\n')
    expect(await statusOf(host.url)).toBe(200)
    writeFileSync(join(host.home, 'go'), '')
    // The Enter was kept for whom the terminal would be given to.
    await host.shows(/New link: http/)
    host.stop()
    await host.shows(/ended 0/)
  })
})
