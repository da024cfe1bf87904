import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { isAlive, node24, reprise, until } from '#test/web-host'
import { startElevatedHost } from '#src/main/engine-client/elevated-host.ts'
import { productVersion } from '#main/product'

/** `pkexec` itself needs a system bus, a policy and a person; programs that do what it is documented to do stand in. */
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'reprise-pkexec-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function fakePkexec(script: string): string {
  const path = join(folder, 'pkexec')
  writeFileSync(path, `#!/bin/sh\n${script}\n`)
  chmodSync(path, 0o755)
  return path
}
const never = new AbortController().signal
const start = (script: string, signal = never) =>
  startElevatedHost({
    command: { file: node24, argv: [reprise, 'engine-host'] },
    version: productVersion(),
    signal,
    pkexecPaths: [fakePkexec(script)],
  })

test('runs the host with its standard streams, by absolute paths, without pkexec asking in a terminal', async () => {
  const argv = join(folder, 'argv')
  const host = await start(
    `printf '%s\\n' "$@" > ${argv}; shift; exec env -i PATH=/usr/bin:/bin PKEXEC_UID=1000 "$@"`,
  )
  await expect(host.connection.request('host.info', {})).resolves.toMatchObject({ version: productVersion() })
  expect(readFileSync(argv, 'utf8')).toBe(`--disable-internal-agent\n${node24}\n${reprise}\nengine-host\n`)
  // It knows by PKEXEC_UID what it is for.
  await expect(
    host.connection.request('practice.prepare', { folder, renew: 'always' }),
  ).rejects.toMatchObject({ code: 'E_UNSUPPORTED' })
  const { pid } = await host.connection.hello
  await host.end(5000)
  expect(isAlive(pid)).toBe(false)
})

test('pkexec is given none of our variables, some of which it refuses to start with', async () => {
  vi.stubEnv('SHELL', '/home/somebody/bin/fish')
  vi.stubEnv('LANGUAGE', '../de')
  try {
    const names = join(folder, 'names')
    const host = await start(`env > ${names}; shift; exec "$@"`)
    await host.end(5000)
    // What a shell sets by itself.
    const own = /^(PWD|OLDPWD|SHLVL|_)=/
    const given = readFileSync(names, 'utf8').split('\n')
    expect(given.filter((line) => line !== '' && !own.test(line))).toEqual(['LC_ALL=C'])
  } finally {
    vi.unstubAllEnvs()
  }
})

test.each([
  [
    'dismissed',
    'echo "Error executing command as another user: Request dismissed" >&2; exit 126',
    'E_AUTH_CANCEL',
  ],
  ['refused', 'echo "Error executing command as another user: Not authorized" >&2; exit 127', 'E_DENIED'],
  [
    'asked where nobody can ask',
    'echo "Error executing command as another user: No authentication agent found." >&2; exit 127',
    'E_AUTH_NOAGENT',
  ],
  ['followed by a crash', 'echo "segmentation fault" >&2; exit 139', 'E_ENGINE_GONE'],
])('a prompt that is %s is told as that', async (_, script, code) => {
  await expect(start(script)).rejects.toMatchObject({ code })
})

test('a machine without pkexec is told as one where nobody can ask', async () => {
  const starting = startElevatedHost({
    command: { file: node24, argv: [] },
    version: '1',
    signal: never,
    pkexecPaths: [join(folder, 'nothing')],
  })
  await expect(starting).rejects.toMatchObject({
    code: 'E_AUTH_NOAGENT',
    details: { missing: 'program', packages: ['pkexec', 'polkitd'] },
  })
})

test('a prompt that is given up is gone when that is told', async () => {
  const pidFile = join(folder, 'pid')
  const stop = new AbortController()
  const starting = start(`echo $$ > ${pidFile}; exec sleep 60`, stop.signal)
  const pid = await until(() => {
    try {
      return Number(readFileSync(pidFile, 'utf8'))
    } catch {
      return null
    }
  })
  stop.abort(new Error('given up'))
  await expect(starting).rejects.toThrow('given up')
  expect(isAlive(pid)).toBe(false)
})
