/**
 * A machine in memory: disks, files and mounts, as a `Platform` and as the copy engine's `RestoreIo`. Everything that
 * is asked of it is written down in `calls`.
 */
import type { RestoreIo } from '#engine/copy'
import { hash } from 'node:crypto'
import type { FileFacts } from '#engine/copy'
import { allocateExtentTable, kindIndex, type ExtentLayout } from '#engine/formats/extents'
import type { BlockHashes } from '#engine/formats/udif'
import type { MountedVolume, Platform, Resolved } from '#engine/platform'
import { DeviceError, UsageError } from '#shared/errors'
import type { Disk, ImageInfo, Volume } from '#shared/model'
import { FakeDisk, makeDisk } from '#test/fake-disk'
import { crcOf, ioOf } from '#test/fake-io'
import { expand, type FakeStream } from '#test/fake-stream'

/** A run of a fake image: bytes it stores, or how long it is. */
export type FakeRun =
  | { readonly kind: 'raw'; readonly bytes: Uint8Array }
  | { readonly kind: 'zero' | 'ignore'; readonly lengthBytes: number }

export interface FakeFile {
  bytes: Uint8Array
  device: number
  inode: number
  modifiedMs: number
  /** Disks that store it. */
  disks: readonly string[]
  image: Awaited<ReturnType<RestoreIo['openImage']>> | null
  /** What a scan left in the image. */
  hashes: BlockHashes | null
}

export class FakeMachine {
  readonly disks: FakeDisk[] = []
  readonly files = new Map<string, FakeFile>()
  readonly folders = new Set<string>(['/', '/images', '/tmp'])
  readonly calls: string[] = []
  readonly streams: FakeStream[] = []
  /** The client of multicast streams; null: there is none. */
  connectStream: RestoreIo['connectStream'] | null = null
  privileged = true
  supported = true
  freeBytes = 1e12
  /** Other programs that have its disks open. */
  openElsewhere: readonly string[] = []
  /** File systems on any disk that nothing here can mount. */
  unreadable: readonly string[] = []
  /** Replaces what a call does; may throw. */
  onUnmount: ((path: string, left: (errors: readonly Error[]) => void) => void | Promise<void>) | null = null
  onRemount: ((path: string) => void) | null = null
  onEject: ((path: string) => void) | null = null
  onMakeEmpty: ((path: string) => void | Promise<void>) | null = null
  /** A held file or device is closed. */
  onClose: ((path: string) => void) | null = null
  onReread: ((path: string, signal?: AbortSignal) => void | Promise<void>) | null = null
  /** Asked before each item of a stream. */
  onItem: ((offset: number) => void | Promise<void>) | null = null
  onFileWrite: ((offset: number) => void | Promise<void>) | null = null
  readonly platform = platformOf(this)
  readonly io = ioOf(this)
  #inodes = 100

  addDisk(facts: Partial<Disk> & { readonly path: string }): FakeDisk {
    const disk = new FakeDisk(makeDisk(facts))
    this.disks.push(disk)
    return disk
  }

  diskAt(path: string): FakeDisk | null {
    return this.disks.find((disk) => disk.partAt(path) !== null) ?? null
  }

  addFile(path: string, bytes: Uint8Array, facts: Partial<FakeFile> = {}): FakeFile {
    const file: FakeFile = {
      bytes,
      device: 1,
      inode: this.#inodes++,
      modifiedMs: 1_000,
      disks: [],
      image: null,
      hashes: null,
      ...facts,
    }
    this.files.set(path, file)
    return file
  }

  /** A UDIF-like image with checksums of these runs; raw, without them or with one beside it, where `checks` says so. */
  addImage(
    path: string,
    runs: readonly FakeRun[],
    facts: Partial<FakeFile> & {
      readonly checks?: 'none' | 'beside'
      readonly info?: Partial<ImageInfo>
      /** It was scanned, with hashes of blocks of this size. */
      readonly hashedBlockBytes?: number
    } = {},
  ): { readonly file: FakeFile; readonly layout: ExtentLayout; readonly expanded: Uint8Array } {
    const stored = Buffer.concat(runs.map((run) => (run.kind === 'raw' ? run.bytes : new Uint8Array(0))))
    const layout = layoutOf(path, runs, stored.length)
    const { checks, info, hashedBlockBytes, ...fileFacts } = facts
    const file = this.addFile(path, stored, fileFacts)
    const expanded = expand(layout, () => stored)
    if (hashedBlockBytes !== undefined) file.hashes = hashesOf(expanded, hashedBlockBytes)
    const withChecks =
      checks !== undefined
        ? {
            ...layout,
            ...(checks === 'beside'
              ? { fileCheck: { sha256: hash('sha256', stored), lengthBytes: stored.length } }
              : {}),
          }
        : {
            ...layout,
            checks: [
              {
                name: 'whole disk',
                diskOffset: 0,
                diskBytes: layout.sizeBytes,
                crc32: crcOf(layout, expanded),
              },
            ],
          }
    file.image = {
      layout: withChecks,
      info: {
        ...infoOf(path, layout.sizeBytes, stored.length),
        ...(checks === undefined ? {} : { format: 'raw' }),
        ...info,
      },
    }
    return { file, layout: withChecks, expanded }
  }

  /** A compressed stream of unknown size, whose codec is the identity. */
  addStreamImage(path: string, bytes: Uint8Array): FakeFile {
    const file = this.addFile(path, bytes)
    file.image = {
      layout: { kind: 'stream', codec: 'gzip', path, storedBytes: bytes.length, sizeBytes: null },
      info: { ...infoOf(path, null, bytes.length), format: 'raw.gz' },
    }
    return file
  }

  fileAt(path: string): FakeFile | null {
    return this.files.get(path) ?? null
  }

  factsOf(path: string): FileFacts | null {
    const file = this.fileAt(path)
    if (file === null) {
      const mounted = this.disks
        .flatMap((disk) => disk.disk.volumes)
        .findIndex((each) => each.mountPoints.includes(path))
      // A mount point has the device number that files added with `device: 1000 + its place` have.
      if (mounted >= 0) return { path, device: 1000 + mounted, inode: 2, sizeBytes: 0, modifiedMs: 0 }
      return this.folders.has(path) ? { path, device: 1, inode: 2, sizeBytes: 0, modifiedMs: 0 } : null
    }
    return {
      path,
      device: file.device,
      inode: file.inode,
      sizeBytes: file.bytes.length,
      modifiedMs: file.modifiedMs,
    }
  }

  readonly bytesOf = (path: string): Uint8Array => {
    const disk = this.diskAt(path)
    const part = disk?.partAt(path)
    if (disk && part) return disk.bytes.subarray(part.offset, part.offset + part.sizeBytes)
    const file = this.fileAt(path)
    if (file === null) throw new DeviceError('E_SRC_GONE', `${path} is gone`, { details: { path } })
    return file.bytes
  }
}

function platformOf(machine: FakeMachine): Platform {
  const present = () => machine.disks.filter((disk) => !disk.isGone).map((disk) => disk.disk)
  const setMounts = (path: string, mountPoints: (volume: Volume) => readonly string[]) => {
    const disk = machine.diskAt(path)
    if (disk === null) return
    disk.disk = {
      ...disk.disk,
      volumes: disk.disk.volumes.map((volume) =>
        path === disk.disk.path || path === volume.path
          ? { ...volume, mountPoints: mountPoints(volume) }
          : volume,
      ),
    }
  }
  return {
    name: 'linux',
    get supported() {
      return machine.supported
    },
    get privileged() {
      return machine.privileged
    },
    list: async () => present(),
    watch: () => ({ refresh: async () => undefined, [Symbol.asyncDispose]: async () => undefined }),
    async resolve(asked): Promise<Resolved> {
      const locator = asked.replace(/(?<=.)\/$/, '')
      if (!machine.supported)
        throw new UsageError('E_UNSUPPORTED', 'not here', { details: { input: 'platform' } })
      for (const disk of present()) {
        if (disk.path === locator) return { kind: 'disk', disk }
        for (const volume of disk.volumes)
          if (volume.path === locator || volume.mountPoints.includes(locator))
            return { kind: 'volume', disk, volume }
      }
      const file = machine.files.get(locator)
      if (file !== undefined)
        return {
          kind: 'file',
          path: locator,
          sizeBytes: file.bytes.length,
          device: file.device,
          inode: file.inode,
        }
      if (machine.folders.has(locator)) return { kind: 'other', path: locator, what: 'a folder' }
      if (locator.startsWith('/dev/') && !locator.startsWith('/dev/shm/'))
        throw new DeviceError('E_NOT_FOUND', `no ${locator}`, { details: { path: locator } })
      return { kind: 'absent', path: locator }
    },
    async identify(path) {
      machine.calls.push(`identify ${path}`)
      const disk = machine.diskAt(path)
      if (disk === null) throw new DeviceError('E_DST_GONE', `${path} is gone`, { details: { path } })
      return disk.disk.identity
    },
    disksHoldingFile: async (path) => machine.files.get(path)?.disks ?? [],
    async unmount(path, _signal, left = () => undefined) {
      machine.calls.push(`unmount ${path}`)
      await machine.onUnmount?.(path, left)
      const volumes = (machine.diskAt(path)?.disk.volumes ?? []).filter(
        (volume) => path === volume.path || path === machine.diskAt(path)?.disk.path,
      )
      const before: MountedVolume[] = volumes.flatMap((volume) =>
        volume.mountPoints.map((mountPoint) => ({
          devicePath: volume.path,
          mountPoint,
          filesystem: volume.filesystem ?? '',
          options: 'rw',
          subfolder: null,
        })),
      )
      setMounts(path, () => [])
      return before
    },
    async remount(path, before) {
      machine.calls.push(`remount ${path}: ${before.map((each) => each.mountPoint).join(' ')}`)
      machine.onRemount?.(path)
      setMounts(path, (volume) =>
        before.filter((each) => each.devicePath === volume.path).map((each) => each.mountPoint),
      )
      return { mountPoints: before.map((each) => each.mountPoint), errors: [] }
    },
    unreadable: async () => machine.unreadable,
    async eject(path) {
      machine.calls.push(`eject ${path}`)
      machine.onEject?.(path)
    },
    openElsewhere: async () => ({ programs: machine.openElsewhere, isComplete: true }),
    openSource: () => Promise.reject(new Error('use io.holdDevice')),
    openTarget: () => Promise.reject(new Error('use io.openDeviceSink')),
    zeroOut: () => Promise.reject(new Error('no device')),
    discard: () => Promise.reject(new Error('no device')),
    async rereadPartitions(path, signal) {
      machine.calls.push(`reread ${path}`)
      await machine.onReread?.(path, signal)
    },
    async makeEmpty(path, filesystem) {
      machine.calls.push(`make-empty ${path} ${filesystem}`)
      await machine.onMakeEmpty?.(path)
      const disk = machine.diskAt(path)
      const part = disk?.partAt(path)
      if (!disk || !part) throw new DeviceError('E_DST_GONE', `${path} is gone`, { details: { path } })
      if (disk.isOpen) throw new DeviceError('E_DST_BUSY', `${path} is open`, { details: { path } })
      disk.bytes.fill(0, part.offset, part.offset + Math.min(part.sizeBytes, 1024 * 1024))
      disk.events.push('make-empty')
      if (path === disk.disk.path) return 'empty-map'
      return filesystem === null ? 'wiped' : 'empty-filesystem'
    },
  }
}

function layoutOf(path: string, runs: readonly FakeRun[], storedBytes: number): ExtentLayout {
  const extents = allocateExtentTable(runs.length)
  let offset = 0
  let stored = 0
  for (const [row, run] of runs.entries()) {
    const length = run.kind === 'raw' ? run.bytes.length : run.lengthBytes
    extents.diskOffset[row] = offset
    extents.diskBytes[row] = length
    extents.storedOffset[row] = stored
    extents.storedBytes[row] = run.kind === 'raw' ? length : 0
    extents.kind[row] = kindIndex[run.kind]
    offset += length
    if (run.kind === 'raw') stored += length
  }
  return {
    kind: 'extents',
    sizeBytes: offset,
    parts: [{ path, streamOffset: 0, fileOffset: 0, lengthBytes: storedBytes }],
    extents,
    checks: [],
    storedChecks: [],
  }
}

/** As a scan makes them: unused space as zeros. */
export function hashesOf(disk: Uint8Array, blockBytes: number): BlockHashes {
  const hashes: Uint8Array[] = []
  for (let at = 0; at < disk.length; at += blockBytes)
    hashes.push(hash('sha256', disk.subarray(at, at + blockBytes), 'buffer'))
  return { blockBytes, hashes: Buffer.concat(hashes) }
}

function infoOf(path: string, sizeBytes: number | null, storedBytes: number): ImageInfo {
  return {
    path,
    name: path.split('/').at(-1) ?? path,
    format: 'UDRO',
    storedBytes,
    sizeBytes,
    modifiedMs: 1_000,
    encrypted: null,
    segmentCount: 1,
    partitionMap: 'none',
    partitions: [],
    tables: [],
    runCounts: {},
    dataBytes: storedBytes,
    dataForkChecksum: null,
    masterChecksum: null,
    inOrder: null,
    scan: null,
  }
}
