/** What a destination is left as when a restore failed after writing began: valid, empty, unmounted. */
import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { deviceError, encodeEmptyGpt, saidBy, smallestGptBytes, type Machine } from '#engine/platform/system'
import { DeviceError } from '#shared/errors'
import type { Logger } from '#shared/log'
import { openExclusively, openForReading } from './open.ts'
import { rereadPartitionTable } from './partitions.ts'
import { deviceAt } from './resolve.ts'

/**
 * Every file system's and partition map's signatures lie in the first and the last MiB (btrfs at 64 KiB, ZFS in 512 KiB
 * at either end, GPT in the last block).
 */
const ENDS_BYTES = 2 ** 20

/**
 * Neither inode tables nor the journal, up to a gigabyte, are written now: who mounts it does that, or needn't. A person may be waiting
 * for Cancel.
 */
const extOptions = ['-F', '-q', '-E', 'nodiscard,lazy_itable_init=1,lazy_journal_init=1']

/** Make the file system, quickly and without asking; the device comes after the last argument. */
const makers: { readonly [filesystem: string]: readonly [program: string, ...args: string[]] } = {
  ext2: ['mkfs.ext2', ...extOptions],
  ext3: ['mkfs.ext3', ...extOptions],
  ext4: ['mkfs.ext4', ...extOptions],
  xfs: ['mkfs.xfs', '-f', '-q', '-K'],
  btrfs: ['mkfs.btrfs', '-f', '-q', '-K'],
  vfat: ['mkfs.vfat', '-I'],
  exfat: ['mkfs.exfat'],
  ntfs: ['mkfs.ntfs', '--quick', '--force', '--quiet'],
  hfsplus: ['mkfs.hfsplus'],
}

export interface EmptyOptions {
  readonly path: string
  readonly filesystem: string | null
  /** See `Platform.makeEmpty`. */
  readonly check?: (() => Promise<void>) | undefined
}

/**
 * The device must not be held open. A disk gets an empty GPT; a partition an empty file system of the kind it had, if
 * that can be made. Throws what opening for writing throws, and E_IO_WRITE; what rereading the map throws when it is done.
 */
export async function makeDeviceEmpty(
  system: Machine,
  log: Logger,
  { path, filesystem, check = async () => undefined }: EmptyOptions,
): Promise<'empty-map' | 'empty-filesystem' | 'wiped'> {
  const { disk, partition } = (await deviceAt(system, path)).place
  if (partition === null) {
    const { sizeBytes, logicalBlockBytes: blockBytes } = disk
    const fits = sizeBytes >= smallestGptBytes(blockBytes)
    const pieces = [
      ...emptyEnds(sizeBytes),
      ...(fits ? encodeEmptyGpt({ sizeBytes, blockBytes, diskGuid: randomUUID() }) : []),
    ]
    await overwrite(system, path, { pieces, check })
    await rereadPartitionTable(system, log, path).catch((error: unknown) => {
      throw notReread(error)
    })
    return fits ? 'empty-map' : 'wiped'
  }
  const pieces = emptyEnds(partition.sizeBytes)
  await overwrite(system, path, { pieces, check })
  const maker = makers[filesystem ?? '']
  if (maker !== undefined && (await make(system, log, maker, { path, check }))) return 'empty-filesystem'
  // Whatever half a file system was made is taken away again.
  await overwrite(system, path, { pieces, check })
  return 'wiped'
}

/** Whatever keeps the system from seeing it, the disk is empty. */
function notReread(cause: unknown): DeviceError {
  DeviceError.accept(cause)
  const details = { ...cause.details, left: 'reread' }
  return new DeviceError(cause.code, cause.message, { details, cause, transient: cause.transient })
}

async function make(
  system: Machine,
  log: Logger,
  [program, ...args]: readonly [string, ...string[]],
  { path, check }: { readonly path: string; readonly check: () => Promise<void> },
): Promise<boolean> {
  // As long as somebody has it open, no other disk gets its name.
  await using _held = await openForReading(system, path)
  await check()
  try {
    const result = await system.run(program, [...args, path], { timeoutMs: 300_000, writes: true })
    if (result.status === 0) return true
    log.warn('no empty file system', { path, program, said: saidBy(result) })
  } catch (error) {
    DeviceError.accept(error)
    log.warn('no empty file system', { path, program, reason: error.message })
  }
  return false
}

function emptyEnds(sizeBytes: number): readonly { offset: number; bytes: Uint8Array }[] {
  const zeros = new Uint8Array(Math.min(ENDS_BYTES, sizeBytes))
  return [
    { offset: 0, bytes: zeros },
    { offset: sizeBytes - zeros.length, bytes: zeros },
  ]
}

/** Through the page cache: these stretches needn't be aligned to anything. */
async function overwrite(
  system: Machine,
  path: string,
  {
    pieces,
    check,
  }: {
    readonly pieces: readonly { offset: number; bytes: Uint8Array }[]
    readonly check: () => Promise<void>
  },
): Promise<void> {
  // For its checks, and so that nothing can mount the device between them and the next line. Whoever else writes to it:
  // half of what was restored is on it, and better nothing.
  await using device = await openExclusively(system, path)
  await check()
  let fd: number
  try {
    fd = await system.open(`/proc/${system.processId}/fd/${device.fd}`, constants.O_RDWR)
  } catch (error) {
    throw deviceError(error, { path, role: 'target' })
  }
  try {
    await system.writeDurably(fd, pieces)
  } catch (error) {
    throw deviceError(error, { path, role: 'target' })
  } finally {
    await system.close(fd)
  }
}
