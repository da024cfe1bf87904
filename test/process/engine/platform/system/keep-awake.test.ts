/** With the system's own ways to start and end a program; `cat` stands in for the one that inhibits sleep. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createLogger, lineText } from '#shared/log'
import { createKeepAwake } from '#src/main/engine/platform/system/keep-awake.ts'

/** A file that only it has open: `cat - FILE` is told from all others by it. */
const program = (mark: string) => ({ name: 'cat', args: ['-', `/no/such/${mark}`] })

async function isRunning(mark: string): Promise<boolean> {
  const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const lines = await Promise.all(
    processes.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')),
  )
  return lines.some((line) => line.endsWith(`/cat\0-\0/no/such/${mark}\0`))
}

async function until(wanted: () => Promise<boolean>): Promise<void> {
  const giveUp = AbortSignal.timeout(10_000)
  while (!(await wanted())) await sleep(20, undefined, { signal: giveUp })
}

function logged() {
  const lines: string[] = []
  const log = createLogger(
    (line) => lines.push(lineText(line)),
    () => 0,
  )
  return { log, lines }
}

test.runIf(process.platform === 'linux')('its program runs until the work is done', async () => {
  const mark = `awake-${process.pid}`
  const { log, lines } = logged()
  const held = createKeepAwake({ log, afterMs: 0, program: program(mark) }).hold()
  await until(() => isRunning(mark))
  held[Symbol.dispose]()
  await until(async () => !(await isRunning(mark)))
  expect(lines).toEqual([])
})

/** A process that holds the computer awake, and does `work` then. Killed at the end, if it is still there. */
function holding(program: { name: string; args: string[] }, work: string) {
  const module = new URL('../../../../../src/main/engine/platform/system/keep-awake.ts', import.meta.url)
  const script = `
    const { createKeepAwake } = await import(${JSON.stringify(module.href)})
    createKeepAwake({ log: console, afterMs: 0, program: ${JSON.stringify(program)} }).hold()
    ${work}`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: 'inherit' })
  return { child, [Symbol.dispose]: () => void child.kill('SIGKILL') }
}

test.runIf(process.platform === 'linux')('its program ends with the process that died', async () => {
  const mark = `awake-of-killed-${process.pid}`
  using holder = holding(program(mark), 'setInterval(() => undefined, 1000)')
  await until(() => isRunning(mark))
  holder.child.kill('SIGKILL')
  await expect(until(async () => !(await isRunning(mark)))).resolves.toBeUndefined()
})

test('nothing waits for it', async () => {
  using holder = holding({ name: 'cat', args: [] }, 'setTimeout(() => undefined, 100)')
  expect(await once(holder.child, 'exit', { signal: AbortSignal.timeout(10_000) })).toEqual([0, null])
})

test.each([
  ['is missing', 'no-such-program', [], /^tool=no-such-program why="not installed"$/],
  ['refuses', 'ls', ['/no/such'], /^tool=ls status=\d .*\/no\/such/],
])('its program that %s is a line of the log, and no more', async (_, name, args, said) => {
  const { log, lines } = logged()
  using _held = createKeepAwake({ log, afterMs: 0, program: { name, args } }).hold()
  await until(async () => lines.length > 0)
  expect(lines).toHaveLength(1)
  expect(lines[0]?.replace('the computer may fall asleep  ', '')).toMatch(said)
})
