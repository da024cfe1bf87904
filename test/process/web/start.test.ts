import { spawn, spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { isAlive } from '#test/web-host'

let data: string
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'reprise-start-'))
})
afterEach(() => rmSync(data, { recursive: true, force: true }))

/** `npm start` as npm runs it, on a machine without a display. Resolves to its last line once it serves. */
async function start(argv: readonly string[]): Promise<{ line: string; status: number | null; pid: number }> {
  const root = join(import.meta.dirname, '../../..')
  const { DISPLAY: _, WAYLAND_DISPLAY: __, ...env } = process.env
  const child = spawn(process.execPath, ['scripts/start.mjs', ...argv], {
    cwd: root,
    env: { ...env, REPRISE_DATA: data },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  let output = ''
  const status = new Promise<number | null>((resolve) => child.on('close', resolve))
  await new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      if (output.includes('Ctrl-C')) resolve()
    })
    void status.then(() => resolve())
  })
  // Ctrl-C in a terminal reaches the whole group.
  process.kill(-(child.pid ?? 0), 'SIGINT')
  return { line: output.trimEnd().split('\n').at(-1) ?? '', status: await status, pid: child.pid ?? 0 }
}

test('without a display, npm start opens the browser’s way in, says so in one line, and ends at Ctrl-C', async () => {
  const { line, status, pid } = await start([])
  expect(line).toMatch(
    /^Electron isn't available here; Reprise runs in your browser at http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]+ \(Ctrl-C stops it\)$/,
  )
  expect(status).toBe(0)
  expect(isAlive(pid)).toBe(false)
})

test('npm start -- --web goes there straight away, at the port it is told', async () => {
  const { line, status } = await start(['--web', '--port', '0'])
  expect(line).toMatch(/^Reprise runs in your browser at http/)
  expect(status).toBe(0)
})

/** `npm start` on a fresh clone in `data`, where what npm does is `install`. */
function startFresh(install: string) {
  for (const folder of ['scripts', 'src', 'assets']) mkdirSync(join(data, folder))
  for (const name of ['start.mjs', 'setup.mjs'])
    copyFileSync(join(import.meta.dirname, '../../../scripts', name), join(data, 'scripts', name))
  for (const name of ['package-lock.json', 'electron.vite.config.ts']) writeFileSync(join(data, name), '')
  const npm = join(data, 'npm.js')
  const fs = `const { mkdirSync, writeFileSync } = require('node:fs')`
  writeFileSync(
    npm,
    `${fs}; mkdirSync('node_modules/node/bin', { recursive: true }); writeFileSync('node_modules/.package-lock.json', ''); ${install}`,
  )
  const { status, stderr } = spawnSync(process.execPath, ['scripts/start.mjs', '--web'], {
    cwd: data,
    env: { ...process.env, npm_execpath: npm },
    encoding: 'utf8',
  })
  return { status, stderr }
}

test('where npm runs no install scripts, npm start says so', () => {
  expect(startFresh('')).toEqual({
    status: 1,
    stderr:
      "The project's own Node is missing, because npm runs no install scripts here. Allow them with npm_config_ignore_scripts=false in the environment.\n",
  })
})

test('where its own Node can’t be run, npm start says why', () => {
  const { status, stderr } = startFresh(`writeFileSync('node_modules/node/bin/node', '')`)
  expect(status).toBe(1)
  expect(stderr).toMatch(/node_modules\/node\/bin\/node: spawnSync .* EACCES\n$/)
})
