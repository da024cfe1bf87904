/** An open device as a `BlockSink`. What it can do beyond reading and writing comes from the platform, as functions. */
import { fsync } from 'node:fs'
import { DeviceError } from '#shared/errors'
import { AlignedFile } from './aligned-file.ts'
import type { BlockSink, OnPiece } from './block-sink.ts'
import { StretchPace } from './stretch-pace.ts'
import { writeFailure } from './system-failure.ts'
import { UnderWay } from './under-way.ts'
import { leastOffloadBytes, ZeroDevice, type StretchCall } from './zero-device.ts'

export interface DeviceSinkOptions {
  /** Open for reading and writing, exclusively; whoever opened it closes it, after the sink. */
  readonly fd: number
  readonly path: string
  readonly sizeBytes: number
  /** The logical block size. A power of two, at most a page. */
  readonly alignmentBytes: number
  /**
   * How reads get past the page cache. `direct`: the descriptor is O_DIRECT (or a raw character device). Otherwise a
   * function that throws the device's cached pages away, called before the first read after a write; null where
   * there is none: then `read` refuses.
   */
  readonly pastCache: 'direct' | (() => Promise<void>) | null
  /**
   * It is a disk in a file whose pages the system keeps, whatever `pastCache` is: throws those away. Called before the first read, and
   * before the first one after a flush; without a flush what was just written would stay. Default: it isn't one.
   */
  readonly dropBeneath?: (() => Promise<void>) | undefined
  /** Zero a stretch by the device's own means. Null where it has none. */
  readonly zeroOut: StretchCall | null
  /** Tell the device that a stretch is unused. Null where that isn't free. */
  readonly discard: StretchCall | null
}

/**
 * A Cancel comes through within a stretch, too: the kernel is asked for 64 MiB at once, and in less there would only be more requests,
 * for each of which some disks take their time. Each stretch is a program that is started, and has the system look at the disk anew when
 * it ends: not many of them in a second. A card that was exchanged is noticed between two.
 */
const discardPace = { firstBytes: 1024 ** 3, leastBytes: 64 * 1024 ** 2, quickMs: 1000, slowMs: 4000 }

export function createDeviceSink(options: DeviceSinkOptions): BlockSink {
  return new DeviceSink(options)
}

class DeviceSink implements BlockSink {
  readonly path: string
  readonly sizeBytes: number
  readonly alignmentBytes: number
  readonly #options: DeviceSinkOptions
  readonly #file: AlignedFile
  readonly #zeros: ZeroDevice
  readonly #underWay = new UnderWay()
  readonly #discardPace = new StretchPace(discardPace)
  #discard: StretchCall | null
  /** Something was written since the cache was last thrown away. */
  #cacheHolds = true
  /** Null while there may be something. */
  #beneathDropped: Promise<void> | null = null

  constructor(options: DeviceSinkOptions) {
    const { fd, path, sizeBytes, alignmentBytes, zeroOut, discard, pastCache } = options
    this.path = path
    this.sizeBytes = sizeBytes
    this.alignmentBytes = alignmentBytes
    this.#options = options
    this.#discard = discard
    const file = new AlignedFile({
      fd,
      path,
      alignmentBytes: pastCache === 'direct' ? alignmentBytes : 1,
      pastEnd: 'error',
    })
    this.#file = file
    this.#zeros = new ZeroDevice({ file, alignmentBytes, zeroOut })
  }

  async write(bytes: Uint8Array, offset: number): Promise<void> {
    this.#checkRoom(offset, bytes.length)
    this.#cacheHolds = true
    await this.#underWay.run(() => this.#file.write(bytes, offset))
  }

  async zero(
    offset: number,
    lengthBytes: number,
    signal?: AbortSignal,
    onPiece?: OnPiece,
  ): Promise<'offloaded' | 'written'> {
    this.#checkRoom(offset, lengthBytes)
    this.#cacheHolds = true
    return this.#underWay.run(() => this.#zeros.zero(offset, lengthBytes, signal, onPiece))
  }

  discard(
    offset: number,
    lengthBytes: number,
    signal?: AbortSignal,
    onPiece?: OnPiece,
  ): Promise<'discarded' | 'left'> {
    return this.#underWay.run(() => this.#discardNow(offset, lengthBytes, signal, onPiece))
  }

  flush(): Promise<void> {
    return this.#underWay.run(async () => {
      await this.#sync()
      this.#beneathDropped = null
    })
  }

  read(into: Uint8Array, offset: number): Promise<void> {
    return this.#underWay.run(() => this.#readNow(into, offset))
  }

  async finish(): Promise<void> {
    // A device has the size it has.
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#underWay.end()
    await this.#file.idle()
  }

  async #discardNow(
    offset: number,
    lengthBytes: number,
    signal?: AbortSignal,
    onPiece?: OnPiece,
  ): Promise<'discarded' | 'left'> {
    this.#checkRoom(offset, lengthBytes)
    const from = Math.ceil(offset / this.alignmentBytes) * this.alignmentBytes
    const to = Math.floor((offset + lengthBytes) / this.alignmentBytes) * this.alignmentBytes
    if (to - from < leastOffloadBytes) return 'left'
    for (let at = from; at < to;) {
      signal?.throwIfAborted()
      const discard = this.#discard
      if (discard === null) return 'left'
      this.#cacheHolds = true
      // Disks give back what is whole of their own units, whose multiples these are.
      const { bytes } = this.#discardPace
      const lengthBytes = Math.min(to, at - (at % bytes) + bytes) - at
      const start = at
      try {
        await this.#discardPace.time(lengthBytes, () => discard(start, lengthBytes, signal))
      } catch {
        signal?.throwIfAborted()
        // Nothing is lost: the stretch may hold anything.
        this.#discard = null
        return 'left'
      }
      await onPiece?.(lengthBytes, 'offloaded')
      at += lengthBytes
    }
    return 'discarded'
  }

  #sync(): Promise<void> {
    return sync(this.#options.fd, this.path)
  }

  async #readNow(into: Uint8Array, offset: number): Promise<void> {
    const { pastCache } = this.#options
    if (pastCache === null)
      throw new DeviceError('E_DEVICE_TOOL', `no way to read ${this.path} past the cache`, {
        details: { path: this.path, offset },
      })
    if (pastCache !== 'direct' && this.#cacheHolds) {
      await this.#sync()
      await pastCache()
      this.#cacheHolds = false
    }
    await (this.#beneathDropped ??= this.#options.dropBeneath?.() ?? Promise.resolve())
    await this.#file.read(into, offset)
  }

  /** The kernel would write what fits before it says no. */
  #checkRoom(offset: number, lengthBytes: number): void {
    if (offset >= 0 && offset + lengthBytes <= this.sizeBytes) return
    throw new DeviceError('E_DST_FULL', `${this.path} ends before ${offset + lengthBytes}`, {
      details: { path: this.path, offset, errno: 'ENOSPC' },
    })
  }
}

/** fsync, with a late write error as our own. */
export function sync(fd: number, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    fsync(fd, (error) => {
      if (error === null) resolve()
      else reject(writeFailure(error, path))
    })
  })
}
