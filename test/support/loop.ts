/**
 * Real loop devices for tests: attached with `losetup --find` (atomic, so that suites may run side by side), and let go
 * whatever happens: at the end of the `await using` block, or when the test process ends, even if it is killed.
 *
 * Not every kernel reads partition tables by itself (small virtual machines are built without), so partitions are
 * announced with `partx` after the kernel had its chance.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { mkdtemp, open } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export interface LoopDevice extends AsyncDisposable {
  /** `/dev/loopN`. */
  readonly path: string
  /** The file behind it. */
  readonly file: string
}

interface LoopCommon {
  /** Make nodes for the partitions that the file has now: `/dev/loopNp1`, … */
  readonly partscan?: boolean
  readonly readOnly?: boolean
  /** 512 (default), 1024, 2048 or 4096. */
  readonly logicalBlockBytes?: number
}
/**
 * `sizeBytes`: a new sparse file in a folder of its own, deleted at the end, whose name no other file has, since that is
 * what the disk is called: another suite may have had the same device a moment ago. `file`: yours, left alone.
 */
export type LoopOptions = LoopCommon &
  ({ readonly sizeBytes: number; readonly file?: undefined } | { readonly file: string })

let janitor: ChildProcess | null = null

/**
 * Have something let go when this process ends without having done it, even if it is killed (loop-janitor.mjs).
 * `device`: a loop device, `netns:NAME` for a network namespace and what runs in it, or any other name for a FUSE mount at
 * `file`. `folder`: deleted as well.
 */
export function remember(device: string, file: string, folder: string | null): void {
  if (janitor === null) {
    janitor = spawn(process.execPath, [join(import.meta.dirname, 'loop-janitor.mjs')], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    janitor.unref()
    janitor.on('error', () => undefined)
    janitor.stdin?.on('error', () => undefined)
    ;(janitor.stdin as Socket | null)?.unref()
  }
  janitor.stdin?.write(`+ ${device}\t${file}\t${folder ?? ''}\n`)
}

/** It was let go in good order. */
export function forget(device: string): void {
  janitor?.stdin?.write(`- ${device}\n`)
}

/** Attach a file, or a new empty one, as a loop device. Needs root; see `missing('root', 'loop')`. */
export async function attachLoop(options: LoopOptions): Promise<LoopDevice> {
  let folder: string | null = null
  let file: string
  if (options.file === undefined) {
    folder = await mkdtemp(join(tmpdir(), 'reprise-loop-'))
    file = join(folder, `${basename(folder)}.img`)
    await using handle = await open(file, 'wx')
    await handle.truncate(options.sizeBytes)
  } else {
    file = options.file
  }
  const flags = ['--find', '--show']
  if (options.readOnly === true) flags.push('--read-only')
  if (options.partscan === true) flags.push('--partscan')
  if (options.logicalBlockBytes !== undefined) flags.push('--sector-size', String(options.logicalBlockBytes))
  let path: string
  try {
    path = (await command('losetup', [...flags, file])).trim()
  } catch (error) {
    if (folder !== null) rmSync(folder, { recursive: true, force: true })
    throw error
  }
  const device = { path, file }
  remember(path, file, folder)
  // Partitions that someone announced on this number and left there belong to a device that is gone.
  await command('partx', ['-d', path]).catch(() => undefined)
  if (options.partscan === true) await rescanLoop(path)
  return {
    ...device,
    [Symbol.asyncDispose]: async () => {
      try {
        await detach(path, file)
      } finally {
        forget(path)
        if (folder !== null) rmSync(folder, { recursive: true, force: true })
      }
    },
  }
}

/** Have the kernel see the partitions that are on the disk now. */
export async function rescanLoop(path: string): Promise<void> {
  await command('blockdev', ['--rereadpt', path]).catch(() => undefined)
  // Fails for those that the kernel has already, and where there is no partition map. Not -u: it can't do logical ones.
  await command('partx', ['-a', path]).catch(() => undefined)
}

/**
 * Write a partition map by sfdisk's script language and make the nodes: `label: gpt\nsize=16M, type=L\n`. Resolves to
 * the partitions' paths.
 */
export async function partitionLoop(path: string, script: string): Promise<readonly string[]> {
  await command('sfdisk', ['--no-reread', '--no-tell-kernel', '--wipe', 'always', '-q', path], script)
  await command('partx', ['-d', path]).catch(() => undefined)
  await rescanLoop(path)
  const numbers = (await command('partx', ['--show', '--noheadings', '--output', 'NR', path]))
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  const paths = numbers.map((number) => `${path}p${number}`)
  for (const partition of paths) {
    for (let tries = 0; !existsSync(partition) && tries < 50; tries += 1) await sleep(20)
    if (!existsSync(partition)) throw new Error(`${partition} didn't appear`)
  }
  return paths
}

/** Run a system program with an argument list; resolves to its output, rejects with what it said. */
export function command(program: string, args: readonly string[], input = ''): Promise<string> {
  return new Promise((done, fail) => {
    const child = execFile(
      program,
      [...args],
      {
        timeout: 60_000,
        env: { ...process.env, LC_ALL: 'C', PATH: `${process.env['PATH']}:/usr/sbin:/sbin` },
      },
      (error, stdout, stderr) => {
        if (error === null) done(stdout)
        else fail(new Error(`${program} ${args.join(' ')}: ${stderr.trim() || error.message}`))
      },
    )
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input)
  })
}

async function detach(path: string, file: string): Promise<void> {
  // Deepest first: a volume may be mounted inside another.
  for (const mountPoint of mountPointsOf(path).toReversed())
    await command('umount', [mountPoint]).catch(() => command('umount', ['-l', mountPoint]))
  // Someone else may have detached it already (a test of eject), and the number may belong to another test by now.
  if (backingFileOf(path) !== file) return
  await command('partx', ['-d', path]).catch(() => undefined)
  await command('losetup', ['-d', path])
  // Detaching is lazy while anybody has the node open (udev does, for a moment).
  for (let tries = 0; backingFileOf(path) === file; tries += 1) {
    if (tries === 100) throw new Error(`${path} is still attached to ${file}: someone holds it open`)
    await sleep(30)
  }
}

function backingFileOf(path: string): string | null {
  try {
    return readFileSync(`/sys/block/${basename(path)}/loop/backing_file`, 'utf8').trim()
  } catch {
    return null
  }
}

function mountPointsOf(path: string): string[] {
  const ours = new RegExp(`^${path}(p\\d+)?$`)
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => {
      const [before = '', after = ''] = line.split(' - ')
      return { mountPoint: before.split(' ')[4] ?? '', source: after.split(' ')[1] ?? '' }
    })
    .filter(({ source }) => ours.test(source))
    .map(({ mountPoint }) =>
      mountPoint.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8))),
    )
}
