/**
 * Everything the implementations ask of the machine, as one object, so that tests can hand them a recorded one.
 * Reading answers null or nothing when something isn't there or may not be seen: devices come and go between any two
 * calls, and one that can't be read must not break the list of the others.
 */
import {
  close,
  constants,
  fsync,
  open,
  read,
  readFileSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  watch,
  write,
} from 'node:fs'
import { readFile, readdir, readlink, realpath, stat, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { isBehindLock, isFromMemory } from './from-memory.ts'
import { runProgram, type RunProgram } from './run-program.ts'
import { sharedQuestions } from './shared-questions.ts'
import { usedBytesReader } from './used-bytes.ts'

export interface FileFacts {
  readonly kind: 'file' | 'folder' | 'block' | 'character' | 'socket' | 'fifo' | 'other'
  readonly sizeBytes: number
  readonly inode: number
  /** Of the file system the file is on, as `major:minor`. */
  readonly device: string
  /** The same as Node's number. */
  readonly deviceNumber: number
  /** The device that a device node stands for, as `major:minor`; `0:0` for others. */
  readonly node: string
  /** Number of the user whose it is. */
  readonly owner: number
  /** Who may do what: the nine bits. Of what has an access list, the group's are the most that anybody on it has. */
  readonly mode: number
}

export interface Machine {
  readonly privileged: boolean
  readonly processId: number
  /** Files and folders of the running program. */
  readonly ownFiles: readonly string[]
  readonly run: RunProgram
  readText(path: string): Promise<string | null>
  /** Names in a folder, sorted; empty when there is none. */
  readFolder(path: string): Promise<readonly string[]>
  readLink(path: string): Promise<string | null>
  realPath(path: string): Promise<string | null>
  /** Follows links. Throws what `stat` throws. */
  stat(path: string): Promise<FileFacts>
  /** Bytes in use on a mounted file system; null when it doesn't say, or not soon. */
  usedBytes(mountPoint: string): Promise<number | null>
  /** Calls `listener` with a name when something in the folder changes; null when that can't be had. */
  watchFolder(path: string, listener: (name: string) => void): Disposable | null
  pause(ms: number, signal?: AbortSignal): Promise<void>
  /** Write to a file of the kernel's. Throws what `write` throws. */
  writeText(path: string, text: string): Promise<void>

  /** A raw descriptor. Throws what `open` throws. */
  open(path: string, flags: number): Promise<number>
  close(fd: number): Promise<void>
  /** Writes all of `bytes`, and waits until they are on the medium. */
  writeDurably(fd: number, pieces: readonly { offset: number; bytes: Uint8Array }[]): Promise<void>
  readAt(fd: number, offset: number, lengthBytes: number): Promise<Uint8Array>
}

/** `system`, whose programs and pauses end with the signal's reason once it is aborted; the rest is as it was. */
export function stoppable(system: Machine, signal: AbortSignal | undefined): Machine {
  if (signal === undefined) return system
  return {
    ...system,
    run: (name, args, options) => system.run(name, args, { ...options, signal }),
    async pause(ms) {
      signal.throwIfAborted()
      await system.pause(ms, signal)
    },
  }
}

/**
 * `stat`'s device number as Linux writes it in sysfs and mountinfo (glibc's `gnu_dev_major` and `_minor`). Elsewhere it
 * only serves to tell whether two are the same.
 */
export function deviceNumberText(device: number): string {
  const big = BigInt(device)
  const major = ((big >> 8n) & 0xfffn) | ((big >> 32n) & 0xfffff000n)
  const minor = (big & 0xffn) | ((big >> 12n) & 0xffffff00n)
  return `${major}:${minor}`
}

const openFile = promisify(open)
const closeFile = promisify(close)
const syncFile = promisify(fsync)
const writeAt = promisify(write)
const readInto = promisify(read)

function orElse<T>(nothing: T, read: () => T): T {
  try {
    return read()
  } catch {
    return nothing
  }
}

/** For all of this process: the questions that are open are its threads. */
const usedBytes = usedBytesReader()
const readBehindLock = sharedQuestions(readOnThread)

function readOnThread(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch(() => null)
}

/** This machine. `ownFiles`: see `Machine`. */
export function realMachine(ownFiles: readonly string[] = []): Machine {
  return {
    privileged: process.geteuid?.() === 0,
    processId: process.pid,
    ownFiles,
    run: runProgram,
    readText: async (path) => {
      if (isBehindLock(path)) return readBehindLock(path)
      if (!isFromMemory(path)) return readOnThread(path)
      return orElse(null, () => readFileSync(path, 'utf8'))
    },
    readFolder: async (path) => {
      const names = isFromMemory(path)
        ? orElse([], () => readdirSync(path))
        : await readdir(path).catch(() => [])
      return names.sort()
    },
    readLink: async (path) => {
      if (!isFromMemory(path)) return readlink(path).catch(() => null)
      return orElse(null, () => readlinkSync(path))
    },
    realPath: async (path) => {
      // Links in /proc lead to people's files.
      if (!path.startsWith('/sys/')) return realpath(path).catch(() => null)
      return orElse(null, () => realpathSync.native(path))
    },
    stat: async (path) => {
      const stats = await stat(path)
      return {
        kind: stats.isFile()
          ? 'file'
          : stats.isDirectory()
            ? 'folder'
            : stats.isBlockDevice()
              ? 'block'
              : stats.isCharacterDevice()
                ? 'character'
                : stats.isSocket()
                  ? 'socket'
                  : stats.isFIFO()
                    ? 'fifo'
                    : 'other',
        sizeBytes: stats.size,
        inode: stats.ino,
        device: deviceNumberText(stats.dev),
        deviceNumber: stats.dev,
        node: deviceNumberText(stats.rdev),
        owner: stats.uid,
        mode: stats.mode & 0o777,
      }
    },
    usedBytes,
    watchFolder: (path, listener) => {
      try {
        const watcher = watch(path, { persistent: false }, (_, name) => listener(name ?? ''))
        watcher.on('error', () => undefined)
        return { [Symbol.dispose]: () => watcher.close() }
      } catch {
        return null
      }
    },
    pause: (ms, signal) => sleep(ms, undefined, signal === undefined ? {} : { signal }),
    writeText: (path, text) => writeFile(path, text, { flag: 'r+' }),
    open: (path, flags) => openFile(path, flags | constants.O_NOCTTY),
    close: (fd) => closeFile(fd),
    writeDurably: async (fd, pieces) => {
      for (const { offset, bytes } of pieces) {
        for (let done = 0; done < bytes.length;) {
          const { bytesWritten } = await writeAt(fd, bytes, done, bytes.length - done, offset + done)
          done += bytesWritten
        }
      }
      await syncFile(fd)
    },
    readAt: async (fd, offset, lengthBytes) => {
      const bytes = new Uint8Array(lengthBytes)
      const { bytesRead } = await readInto(fd, bytes, 0, lengthBytes, offset)
      return bytes.subarray(0, bytesRead)
    },
  }
}
