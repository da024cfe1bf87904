/**
 * The one way this module starts a program of the system: by absolute path from fixed folders, with an argument list,
 * never through a shell, with a bare environment, closed stdin, and a bound on time and output. What the program says
 * is data from outside: callers parse it as such.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { DeviceError } from '#shared/errors'

export interface ProgramOptions {
  /** Default 10,000. After that the program is killed and the call throws. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
  /**
   * It writes to a disk: when it is to end before its time, it is waited for up to a minute, because what it had begun would be written
   * over what comes next.
   */
  readonly writes?: boolean
  /** Bound for stdout and stderr together; default 8 MiB. */
  readonly maxOutputBytes?: number
}

export interface ProgramResult {
  readonly name: string
  /** Exit status; a signal counts as 128 plus its number, as shells have it. */
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/**
 * Run `name` to its end. A status other than 0 is an answer, not an exception. Throws `DeviceError` E_DEVICE_TOOL when
 * the program is missing (details `tool`, `package`), doesn't end in time, or says more than it may; the signal's
 * reason when cancelled. Settles only when the program is gone, or, if the kernel won't let it go, within a second, or a minute where
 * it writes.
 */
export type RunProgram = (
  name: string,
  args: readonly string[],
  options?: ProgramOptions,
) => Promise<ProgramResult>

const folders = ['/usr/sbin', '/usr/bin', '/sbin', '/bin']

/** How every program is started, beside its stdio. */
export const bareProcess = {
  env: { LC_ALL: 'C', PATH: folders.join(':') },
  cwd: '/',
  // Its own process group: Ctrl-C in the terminal is for us, and what tidies up then has to come to its end.
  detached: true,
} as const

/** How long we wait for a program that was killed: one that hangs on a dead device can't even die. */
const UNKILLABLE_MS = 700
/** The same where it writes: what a slow stick was asked for takes seconds, and the kernel's own patience is half a minute. */
const UNKILLABLE_WRITER_MS = 60_000
const SIGNAL_NUMBERS: { readonly [name: string]: number } = { SIGKILL: 9, SIGTERM: 15 }

/** The Debian package of each program that may be missing. */
const packages: { readonly [name: string]: string } = {
  lsblk: 'util-linux',
  chrt: 'util-linux',
  blkid: 'util-linux',
  blkdiscard: 'util-linux',
  blockdev: 'util-linux',
  partx: 'util-linux',
  wipefs: 'util-linux',
  losetup: 'mount',
  mount: 'mount',
  umount: 'mount',
  swapoff: 'mount',
  swapon: 'mount',
  eject: 'eject',
  udevadm: 'udev',
  mke2fs: 'e2fsprogs',
  resize2fs: 'e2fsprogs',
  debugfs: 'e2fsprogs',
  'mkfs.xfs': 'xfsprogs',
  'mkfs.btrfs': 'btrfs-progs',
  'mkfs.vfat': 'dosfstools',
  'mkfs.exfat': 'exfatprogs',
  mkntfs: 'ntfs-3g',
  'mkfs.hfsplus': 'hfsprogs',
}

export const runProgram: RunProgram = (name, args, options = {}) => {
  const path = findProgram(name)
  if (path === null) return Promise.reject(missingProgram(name))
  return start(name, path, args, options)
}

/** For callers that can't go on without the program's success. Throws E_DEVICE_TOOL with what it said. */
export async function runChecked(
  run: RunProgram,
  name: string,
  args: readonly string[],
  options?: ProgramOptions,
): Promise<string> {
  const result = await run(name, args, options)
  if (result.status !== 0) throw programFailed(result, args)
  return result.stdout
}

/** The error for a program that ran and didn't succeed. */
export function programFailed(result: ProgramResult, args: readonly string[]): DeviceError {
  const said = saidBy(result)
  return new DeviceError(
    'E_DEVICE_TOOL',
    `${result.name} ${args.join(' ')} ended with ${result.status}: ${said}`,
    {
      details: { path: args.at(-1) ?? '', tool: result.name, status: result.status, stderr: said },
    },
  )
}

/** The last lines of what a program said, short enough for a message. */
export function saidBy(result: ProgramResult): string {
  const text = result.stderr.trim() || result.stdout.trim()
  return text.length > 400 ? `…${text.slice(-400)}` : text
}

/** The error for a program that isn't installed; names the Debian package where we know it. */
export function missingProgram(name: string): DeviceError {
  const hint = packages[name]
  return new DeviceError('E_DEVICE_TOOL', `the program ${name} isn't installed`, {
    details: { path: name, tool: name, ...(hint === undefined ? {} : { package: hint }) },
  })
}

/** Its absolute path; null when it isn't in the folders of the system's programs. */
export function findProgram(name: string): string | null {
  if (name.includes('/')) return null
  for (const folder of folders) {
    try {
      accessSync(`${folder}/${name}`, constants.X_OK)
      return `${folder}/${name}`
    } catch {
      // Not in this folder.
    }
  }
  return null
}

function start(
  name: string,
  path: string,
  args: readonly string[],
  { timeoutMs = 10_000, signal, writes = false, maxOutputBytes = 8 * 2 ** 20 }: ProgramOptions,
): Promise<ProgramResult> {
  return new Promise((done, fail) => {
    if (signal?.aborted === true) {
      fail(signal.reason as Error)
      return
    }
    const child: ChildProcess = spawn(path, [...args], {
      ...bareProcess,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const output: { stdout: Buffer[]; stderr: Buffer[] } = { stdout: [], stderr: [] }
    let bytes = 0
    let failure: { readonly error: unknown } | null = null
    let patience: NodeJS.Timeout | undefined

    const settle = (result: ProgramResult | null) => {
      clearTimeout(deadline)
      clearTimeout(patience)
      signal?.removeEventListener('abort', abort)
      if (failure !== null) fail(failure.error)
      else if (result !== null) done(result)
    }
    const stop = (error: unknown) => {
      if (failure !== null) return
      failure = { error }
      child.kill('SIGKILL')
      // A program that waits for a dead device can't even be killed. We don't wait with it.
      const patienceMs = writes ? UNKILLABLE_WRITER_MS : UNKILLABLE_MS
      patience = setTimeout(() => {
        child.stdout?.destroy()
        child.stderr?.destroy()
        child.unref()
        settle(null)
      }, patienceMs)
    }
    const broken = (what: string) =>
      new DeviceError('E_DEVICE_TOOL', `${name} ${args.join(' ')}: ${what}`, {
        details: { path: args.at(-1) ?? '', tool: name, stderr: what },
        transient: true,
      })
    const abort = () => stop(signal?.reason)
    const deadline = setTimeout(() => stop(broken(`no end after ${timeoutMs} ms`)), timeoutMs)
    signal?.addEventListener('abort', abort, { once: true })
    // Before anything else: where this process may open no more files, there is an error to hear and no stream.
    child.once('error', (cause) => {
      failure ??= {
        error: new DeviceError('E_DEVICE_TOOL', `${name} can't be started`, {
          details: { path: name, tool: name },
          cause,
        }),
      }
      settle(null)
    })
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream]?.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes > maxOutputBytes) stop(broken(`more than ${maxOutputBytes} bytes of output`))
        else output[stream].push(chunk)
      })
    }
    child.once('close', (code, killedBy) => {
      settle({
        name,
        status: code ?? 128 + (SIGNAL_NUMBERS[killedBy ?? ''] ?? 0),
        stdout: Buffer.concat(output.stdout).toString('utf8'),
        stderr: Buffer.concat(output.stderr).toString('utf8'),
      })
    })
  })
}
