/**
 * `npm start`: the set-up, the build, then the app: in Electron where its binary is there or can be had, else in the
 * browser, told in one line. `npm start -- --web [--port N]` goes to the browser straight away. Runs on plain Node 20
 * before anything is installed, so it imports nothing but Node's own modules.
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { ensureInstalled, node24, root } from './setup.mjs'

const argv = process.argv.slice(2)
const electronFolder = join(root, 'node_modules/electron')
/** When the download failed, it isn't tried again for a while: every start would wait for it. */
const failureMark = join(root, 'node_modules/.cache/electron-download-failed')
const failureHours = 8
/** A hundred megabytes over a slow line; without a network it fails at once. */
const downloadMs = 180_000
/** An Electron that can't run here (no sandbox, a missing library) says so quickly. */
const earlyEndMs = 5000

ensureInstalled()
build()
if (argv.includes('--web')) await runWeb('')
else if (hasDisplay() && (hasElectron() || downloadElectron())) await runElectron()
else await runWeb("Electron isn't available here; ")

/** Builds what is older than its source. */
function build() {
  const sources = ['src', 'assets', 'package-lock.json', 'electron.vite.config.ts'].map((name) =>
    newest(join(root, name)),
  )
  const built = [
    'out/main/index.js',
    'out/main/reprise.js',
    'out/preload/preload.cjs',
    'out/renderer/index.html',
  ]
  const oldest = Math.min(...built.map((name) => modified(join(root, name))))
  if (oldest > Math.max(...sources)) return
  process.stdout.write('Building…\n')
  const tool = join(root, 'node_modules/electron-vite/bin/electron-vite.js')
  const { status, error, stdout, stderr } = spawnSync(node24, [tool, 'build', '--logLevel', 'warn'], {
    cwd: root,
    encoding: 'utf8',
  })
  if (status === 0) return
  process.stderr.write(error ? `${node24}: ${error.message}\n` : `${stdout}${stderr}`)
  process.exit(1)
}

function newest(path) {
  const facts = statSync(path)
  if (!facts.isDirectory()) return facts.mtimeMs
  // The folder's own time tells of files that were taken away.
  return Math.max(facts.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))))
}

function modified(path) {
  return existsSync(path) ? statSync(path).mtimeMs : 0
}

function hasDisplay() {
  if (process.platform !== 'linux') return true
  return Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY)
}

/** Full path of Electron's binary, or null. Asking the package itself would start a download. */
function electronBinary() {
  const name = join(electronFolder, 'path.txt')
  const path = existsSync(name) ? join(electronFolder, 'dist', readFileSync(name, 'utf8')) : ''
  return path !== '' && existsSync(path) ? path : null
}

function hasElectron() {
  return electronBinary() !== null
}

/** Quietly, once, and not for ever. */
function downloadElectron() {
  if (Date.now() - modified(failureMark) < failureHours * 3600_000) return false
  process.stdout.write('Looking for Electron…\n')
  spawnSync(node24, [join(electronFolder, 'install.js')], { cwd: root, stdio: 'ignore', timeout: downloadMs })
  if (hasElectron()) return true
  mkdirSync(dirname(failureMark), { recursive: true })
  writeFileSync(failureMark, '')
  return false
}

async function runElectron() {
  const begunMs = Date.now()
  // Set by terminals inside of Electron apps; it would make this one a plain Node.
  const { ELECTRON_RUN_AS_NODE: _, ...env } = process.env
  const child = spawn(electronBinary(), [root], { cwd: root, env, stdio: ['ignore', 'ignore', 'pipe'] })
  let words = ''
  child.stderr.on('data', (chunk) => (words = (words + chunk).slice(-4000)))
  let isAsked = false
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => (isAsked = true))
  const status = await follow(child)
  // Who was asked to end isn't one who can't run.
  if (status !== 0 && !isAsked && Date.now() - begunMs < earlyEndMs)
    return runWeb("Electron can't run here; ")
  if (status !== 0) process.stderr.write(words)
  process.exit(status)
}

/** The host prints one line with the address; `why` goes before it. */
async function runWeb(why) {
  const open = why !== '' && hasDisplay() && process.getuid?.() !== 0 ? ['--open'] : []
  const options = argv.filter((arg) => arg !== '--web')
  const child = spawn(node24, [join(root, 'out/main/reprise.js'), 'web', ...open, ...options], {
    cwd: root,
    stdio: ['inherit', 'pipe', 'inherit'],
  })
  let prefix = why
  createInterface({ input: child.stdout }).on('line', (line) => {
    process.stdout.write(`${prefix}${line}\n`)
    prefix = ''
  })
  process.exit(await follow(child))
}

/** Ctrl-C reaches the child by itself; other signals are handed on. Resolves to its exit status. */
function follow(child) {
  process.on('SIGINT', () => {})
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  return new Promise((resolve) => {
    child.on('error', () => resolve(1))
    child.on('close', (status) => resolve(status ?? 1))
  })
}
