/** Raw devices of a Mac as descriptors, and what is left of a disk after a failure. */
import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import {
  deviceError,
  encodeEmptyGpt,
  holdsProgram,
  smallestGptBytes,
  type DeviceUse,
  type Machine,
  type OpenDevice,
} from '#engine/platform/system'
import { DeviceError, errnoName, UsageError } from '#shared/errors'
import type { Logger } from '#shared/log'
import { count, readDiskInfo } from './diskutil.ts'
import { readDarwinSnapshot, wholeDisksUnder, wholeOf } from './list.ts'
import { identifierOf } from './resolve.ts'

/** open(2) of macOS; Node has no name for it. "atomically obtain an exclusive lock". */
const O_EXLOCK = 0x20
const ENDS_BYTES = 2 ** 20

/** As `Platform.openSource` and `openTarget`. */
export async function openDarwin(
  system: Machine,
  path: string,
  role: DeviceUse['role'],
): Promise<OpenDevice> {
  const identifier = identifierOf(path)
  const info = await readDiskInfo(system, path)
  if (info === null)
    throw new DeviceError('E_NOT_FOUND', `there is no disk ${path}`, { details: { path, errno: 'ENOENT' } })
  const { listed, systemUses, programUses } = await readDarwinSnapshot(system)
  const whole = wholeDisksUnder(listed, identifier)[0] ?? ''
  const mountPoint = systemUses.get(whole)
  if (role === 'target' && mountPoint !== undefined)
    throw new UsageError('E_DST_SYSTEM', `${path} runs this computer (${mountPoint})`, {
      details: { input: 'target', path, mountPoint },
    })
  const program = programUses.get(whole)
  if (role === 'target' && program !== undefined) throw holdsProgram(path, `/dev/${whole}`, program)
  const readOnly = info['WritableMedia'] === false
  // The raw device: no cache in between, and much faster.
  const raw = `/dev/r${identifier}`
  let fd: number
  try {
    const flags = role === 'target' ? constants.O_RDWR | O_EXLOCK | constants.O_NONBLOCK : constants.O_RDONLY
    fd = await system.open(raw, flags)
  } catch (error) {
    const use = { path, role, readOnly }
    // What O_EXLOCK with O_NONBLOCK says when somebody else has it.
    if (errnoName(error) === 'EAGAIN')
      throw new DeviceError('E_DST_BUSY', `${path} is open elsewhere`, { details: { path }, cause: error })
    throw deviceError(error, use)
  }
  let open = true
  return {
    fd,
    path,
    sizeBytes: count(info['TotalSize']) || count(info['Size']),
    abilities: { logicalBlockBytes: count(info['DeviceBlockSize']) || 512, zeroOut: false, discard: false },
    direct: true,
    [Symbol.asyncDispose]: async () => {
      if (!open) return
      open = false
      await system.close(fd)
    },
  }
}

/** The system reads the map by itself; wait until it shows the same partitions twice. */
export async function waitForPartitions(system: Machine, path: string): Promise<void> {
  const whole = wholeOf(identifierOf(path))
  let before: string | null = null
  for (let tries = 0; tries < 20; tries += 1) {
    const { listed } = await readDarwinSnapshot(system)
    const disk = listed.find((candidate) => candidate.identifier === whole)
    if (disk === undefined)
      throw new DeviceError('E_DST_GONE', `${path} was disconnected`, { details: { path } })
    const now = JSON.stringify(disk.partitions)
    if (now === before) return
    before = now
    await system.pause(250)
  }
}

/** `newfs_*` of macOS; they write the file system and don't mount it, as `diskutil eraseVolume` would. */
const makers: { readonly [filesystem: string]: readonly [program: string, ...args: string[]] } = {
  hfsplus: ['newfs_hfs', '-J', '-v', 'Untitled'],
  vfat: ['newfs_msdos', '-v', 'UNTITLED'],
  exfat: ['newfs_exfat', '-v', 'Untitled'],
  apfs: ['newfs_apfs', '-v', 'Untitled'],
}

/** As `Platform.makeEmpty`. The device must not be held open. */
export async function makeDarwinEmpty(
  system: Machine,
  log: Logger,
  path: string,
  filesystem: string | null,
): Promise<'empty-map' | 'empty-filesystem' | 'wiped'> {
  const whole = /^disk\d+$/.test(identifierOf(path))
  const left = await overwriteEnds(system, path, whole ? 'map' : 'nothing')
  await waitForPartitions(system, path)
  if (whole) return left === 'map' ? 'empty-map' : 'wiped'
  const [program, ...args] = makers[filesystem ?? ''] ?? []
  if (program === undefined) return 'wiped'
  try {
    const made = await system.run(program, [...args, `/dev/r${identifierOf(path)}`], { timeoutMs: 300_000 })
    if (made.status === 0) return 'empty-filesystem'
    log.warn('no empty file system', { path, program, said: made.stderr })
  } catch (error) {
    DeviceError.accept(error)
    log.warn('no empty file system', { path, program, reason: error.message })
  }
  // Whatever half a file system was made is taken away again.
  await overwriteEnds(system, path, 'nothing')
  return 'wiped'
}

/** With zeros, and an empty map where one is wanted and fits. Resolves to what is there then. */
async function overwriteEnds(
  system: Machine,
  path: string,
  wanted: 'map' | 'nothing',
): Promise<'map' | 'nothing'> {
  await using device = await openDarwin(system, path, 'target')
  const { sizeBytes, abilities } = device
  const blockBytes = abilities.logicalBlockBytes
  const zeros = new Uint8Array(Math.min(ENDS_BYTES, sizeBytes))
  const pieces: { offset: number; bytes: Uint8Array }[] = [
    { offset: 0, bytes: zeros },
    { offset: sizeBytes - zeros.length, bytes: zeros },
  ]
  const left = wanted === 'map' && sizeBytes >= smallestGptBytes(blockBytes) ? 'map' : 'nothing'
  if (left === 'map') pieces.push(...encodeEmptyGpt({ sizeBytes, blockBytes, diskGuid: randomUUID() }))
  try {
    await system.writeDurably(device.fd, pieces)
  } catch (error) {
    throw deviceError(error, { path, role: 'target' })
  }
  return left
}
