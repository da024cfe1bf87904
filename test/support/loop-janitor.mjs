/**
 * Lets go of what a test process attached and couldn't detach, because it was killed or crashed. Started by loop.ts in a
 * process group of its own; hears on stdin what is attached (`+ device<TAB>file<TAB>folder`, `- device`), and when stdin
 * ends, the test process is gone, however it went.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { basename } from 'node:path'
import { createInterface } from 'node:readline'

const attached = new Map()
// Whoever ends the tests with Ctrl-C means the tests.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined)

for await (const line of createInterface({ input: process.stdin })) {
  const [device = '', file = '', folder = ''] = line.slice(2).split('\t')
  if (line.startsWith('+')) attached.set(device, { file, folder })
  else attached.delete(device)
}
// What came last goes first: a loop device before the mount that its file is on.
for (const [device, { file, folder }] of [...attached].toReversed()) {
  if (device.startsWith('/dev/')) letGo(device, file)
  else if (device.startsWith('netns:')) removeNamespace(device.slice('netns:'.length))
  else run('fusermount3', ['-u', '-z', file])
  if (folder !== '') rmSync(folder, { recursive: true, force: true })
}

function letGo(device, file) {
  const ours = new RegExp(`^${device}(p\\d+)?$`)
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n').toReversed()) {
    const [before = '', after = ''] = line.split(' - ')
    if (ours.test(after.split(' ')[1] ?? '')) run('umount', ['-l', unescapeOctal(before.split(' ')[4] ?? '')])
  }
  if (backingFileOf(device) !== file) return
  run('partx', ['-d', device])
  run('losetup', ['-d', device])
}

/** Its programs first: they would keep it, nameless. */
function removeNamespace(name) {
  const { stdout } = spawnSync('ip', ['netns', 'pids', name], { encoding: 'utf8', timeout: 10_000 })
  for (const pid of (stdout ?? '').split('\n').filter(Boolean)) {
    try {
      process.kill(Number(pid), 'SIGKILL')
    } catch {
      // It has ended by itself.
    }
  }
  run('ip', ['netns', 'del', name])
}

function backingFileOf(device) {
  try {
    return readFileSync(`/sys/block/${basename(device)}/loop/backing_file`, 'utf8').trim()
  } catch {
    return null
  }
}

function unescapeOctal(text) {
  return text.replace(/\\(\d{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8)))
}

function run(program, args) {
  spawnSync(program, args, { stdio: 'ignore', timeout: 10_000 })
}
