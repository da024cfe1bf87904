/**
 * A disk in memory that does what a test tells it: fails at a block, vanishes, is slow, lies when it is read back,
 * loses its cache late. `Uint8Array`s in, `DeviceError`s out, as the real sinks have it.
 */
import type { BlockSink, OnPiece } from '#engine/block-io'
import { DeviceError } from '#shared/errors'
import type { Disk, Volume } from '#shared/model'

/** Asked at every access, in order; what they throw or wait for is what the disk does. Counts begin at 0. */
export interface DiskFaults {
  readonly onWrite?: (access: Access) => void | Promise<void>
  readonly onRead?: (access: Access) => void | Promise<void>
  readonly onFlush?: (count: number) => void | Promise<void>
  readonly onZero?: (access: Access) => void | Promise<void>
  /** What is zeroed or discarded is told in pieces of this size. Default: not at all. */
  readonly pieceBytes?: number
  /** May change what was read. */
  readonly lie?: (bytes: Uint8Array, offset: number) => void
}

export interface Access {
  readonly offset: number
  readonly lengthBytes: number
  readonly count: number
}

export class FakeDisk {
  disk: Disk
  readonly bytes: Uint8Array
  faults: DiskFaults = {}
  /** What happened, in order: `write 4096+8192`, `zero 0+4096`, `discard …`, `flush`, `close`, … */
  readonly events: string[] = []
  isGone = false
  isOpen = false
  /** Real sinks take what isn't aligned, slowly; whoever means never to do that leaves this alone. */
  takesUnaligned = false
  #writes = 0
  #reads = 0
  #zeros = 0
  #flushes = 0

  constructor(disk: Disk) {
    this.disk = disk
    // Old contents, so that what wasn't cleared shows.
    this.bytes = new Uint8Array(disk.sizeBytes).fill(0xee)
  }

  /** From now on there is nothing at its path. */
  vanish(): void {
    this.isGone = true
  }

  /** The part of the disk that is at `path`: all of it, or a partition. Null when that isn't here. */
  partAt(path: string): { readonly offset: number; readonly sizeBytes: number } | null {
    if (this.isGone) return null
    if (path === this.disk.path) return { offset: 0, sizeBytes: this.disk.sizeBytes }
    return this.disk.volumes.find((volume) => volume.path === path) ?? null
  }

  /** The exclusive handle. */
  openSink(path: string): BlockSink {
    const part = this.partAt(path)
    if (part === null) throw gone(path)
    if (this.isOpen) throw new DeviceError('E_DST_BUSY', `${path} is open`, { details: { path } })
    if (this.disk.volumes.some((volume) => volume.mountPoints.length > 0 && overlaps(volume, part)))
      throw new DeviceError('E_DST_BUSY', `${path} is mounted`, { details: { path } })
    this.isOpen = true
    this.events.push('open')
    const here = (offset: number, lengthBytes: number) => {
      if (this.isGone) throw gone(path)
      if (!this.isOpen) throw new Error('the handle is closed')
      const unit = this.disk.logicalBlockBytes
      if (!this.takesUnaligned && (offset % unit !== 0 || lengthBytes % unit !== 0))
        throw new Error(`${offset}+${lengthBytes} isn't aligned`)
      if (offset < 0 || offset + lengthBytes > part.sizeBytes)
        throw new Error(`${offset}+${lengthBytes} is outside`)
      return this.bytes.subarray(part.offset + offset, part.offset + offset + lengthBytes)
    }
    return {
      path,
      sizeBytes: part.sizeBytes,
      alignmentBytes: this.disk.logicalBlockBytes,
      write: async (bytes, offset) => {
        const into = here(offset, bytes.length)
        this.events.push(`write ${offset}+${bytes.length}`)
        await this.faults.onWrite?.({ offset, lengthBytes: bytes.length, count: this.#writes++ })
        here(offset, bytes.length)
        into.set(bytes)
      },
      zero: async (offset, lengthBytes, signal, onPiece) => {
        signal?.throwIfAborted()
        this.events.push(`zero ${offset}+${lengthBytes}`)
        await this.faults.onZero?.({ offset, lengthBytes, count: this.#zeros++ })
        here(offset, lengthBytes).fill(0)
        await this.#tellPieces(lengthBytes, onPiece)
        return 'offloaded'
      },
      discard: async (offset, lengthBytes, _signal, onPiece) => {
        here(offset, lengthBytes).fill(0xdd)
        this.events.push(`discard ${offset}+${lengthBytes}`)
        await this.#tellPieces(lengthBytes, onPiece)
        return 'discarded'
      },
      flush: async () => {
        here(0, 0)
        this.events.push('flush')
        await this.faults.onFlush?.(this.#flushes++)
      },
      read: async (into, offset) => {
        here(offset, into.length)
        await this.faults.onRead?.({ offset, lengthBytes: into.length, count: this.#reads++ })
        into.set(here(offset, into.length))
        this.faults.lie?.(into, offset)
      },
      finish: async () => undefined,
      [Symbol.asyncDispose]: async () => {
        this.isOpen = false
        this.events.push('close')
      },
    }
  }

  async #tellPieces(lengthBytes: number, onPiece: OnPiece | undefined): Promise<void> {
    const { pieceBytes = Infinity } = this.faults
    if (pieceBytes === Infinity) return
    for (let at = 0; at < lengthBytes; at += pieceBytes)
      await onPiece?.(Math.min(pieceBytes, lengthBytes - at), 'offloaded')
  }
}

const overlaps = (volume: Volume, part: { readonly offset: number; readonly sizeBytes: number }): boolean =>
  volume.offset < part.offset + part.sizeBytes && part.offset < volume.offset + volume.sizeBytes

const gone = (path: string) =>
  new DeviceError('E_DST_GONE', `${path} is gone`, { details: { path, errno: 'ENODEV' } })

export function ioError(code: 'E_IO_WRITE' | 'E_IO_READ', path: string, offset: number): DeviceError {
  return new DeviceError(code, `${path} failed at ${offset}`, { details: { path, offset, errno: 'EIO' } })
}

/** A USB stick of 8 MiB without a partition map, unless `facts` say otherwise. */
export function makeDisk(facts: Partial<Disk> & { readonly path: string }): Disk {
  const sizeBytes = facts.sizeBytes ?? 8 * 1024 * 1024
  return {
    identity: `usb-${facts.path}-${sizeBytes}`,
    name: 'Fake Stick',
    vendor: 'Fake',
    model: 'Stick',
    serial: '1234',
    sizeBytes,
    logicalBlockBytes: 512,
    bus: 'usb',
    removable: true,
    internal: false,
    readOnly: false,
    partitionMap: 'none',
    volumes: [],
    protection: null,
    backingFile: null,
    practice: false,
    busy: false,
    ...facts,
  }
}

/** An ext4 volume of 2 MiB at 1 MiB, unless `facts` say otherwise. */
export function makeVolume(facts: Partial<Volume> & { readonly path: string }): Volume {
  return {
    index: 1,
    offset: 1024 * 1024,
    sizeBytes: 2 * 1024 * 1024,
    filesystem: 'ext4',
    label: null,
    uuid: null,
    partitionType: 'Linux filesystem',
    mountPoints: [],
    usedBytes: null,
    readOnly: false,
    ...facts,
  }
}
