/**
 * A sparse bundle whose disk becomes larger or smaller, or that loses bands of zeros. The disk's size is in `Info.plist`,
 * which is replaced by renaming: a larger disk's bands are clean before it is larger, a smaller one's are cut after it is
 * smaller. Stopped anywhere, the folder is a whole image. Bands of an encrypted bundle are whole encrypted blocks, without holes,
 * after every change.
 */
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { open, rename, rm, unlink, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { openFailure, openFileSource, syncFolder, writeFailure, type BlockSource } from '#engine/block-io'
import { EncryptedFile, openDecrypted } from '#engine/formats/encrypted'
import type { BlockCipher } from '#engine/formats/extents'
import { AppError, DeviceError } from '#shared/errors'
import { bandDiskBytes, countBands, type BandGeometry } from './band-layout.ts'
import { bandPath, bandStamp, bundleNames, readBundleFiles, type BandFile } from './bundle-folder.ts'
import { encodeBundlePlist } from './bundle-plist.ts'
import { readSparseBundle } from './read-sparse-bundle.ts'

const pieceBytes = 1024 * 1024
/** A shorter band ends at a multiple of this. */
const grainBytes = 4096
const zeros = Buffer.alloc(pieceBytes)
/** Never through a link that somebody put in a band's place. */
const inPlace = constants.O_RDWR | constants.O_NOFOLLOW

/** How the band of this number is encrypted. */
export type BandCipher = (index: number) => BlockCipher

export class SparseBundleEditor {
  readonly #path: string
  /** Null: the bundle isn't encrypted. */
  readonly #bandCipher: BandCipher | null
  #geometry: BandGeometry
  /** Bands that were written and aren't on the medium yet. */
  readonly #unflushed = new Set<number>()

  private constructor(path: string, geometry: BandGeometry, bandCipher: BandCipher | null) {
    this.#path = path
    this.#geometry = geometry
    this.#bandCipher = bandCipher
  }

  /** `bandCipher`: of an encrypted bundle, else null. Throws what `readSparseBundle` throws. */
  static async open(path: string, bandCipher: BandCipher | null): Promise<SparseBundleEditor> {
    const { layout, bandBytes } = await readSparseBundle(path)
    return new SparseBundleEditor(path, { sizeBytes: layout.sizeBytes, bandBytes }, bandCipher)
  }

  get geometry(): BandGeometry {
    return this.#geometry
  }

  /** The disk's bytes. `offset` + length must lie on it. Throws DeviceError. */
  async read(offset: number, lengthBytes: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(lengthBytes)
    for (const { index, within, from, to } of this.#bandsOf(offset, lengthBytes)) {
      await using source = await this.#readBand(index).catch((error: unknown) => {
        if (error instanceof DeviceError && error.code === 'E_NOT_FOUND') return null
        throw error
      })
      const there = Math.min(to - from, (source?.sizeBytes ?? 0) - within)
      if (there > 0) await source?.read(bytes.subarray(from, from + there), within)
    }
    return bytes
  }

  /** Throws DeviceError. On the medium when `flush` resolves. */
  async write(bytes: Uint8Array, offset: number): Promise<void> {
    for (const { index, within, from, to } of this.#bandsOf(offset, bytes.length)) {
      const piece = bytes.subarray(from, to)
      await using file = await this.#openBand(index, piece.every((byte) => byte === 0) ? 'leave' : 'make')
      if (file === null) continue
      const stored = this.#storedBand(file)
      const encrypted = await this.#encryptedBand(file, index)
      await (encrypted ?? stored).write(piece, within)
      await encrypted?.finish(encrypted.sizeBytes)
      this.#unflushed.add(index)
    }
  }

  async flush(): Promise<void> {
    for (const index of this.#unflushed) {
      await using file = await this.#openBand(index, 'leave')
      if (file !== null) await this.#try(file.sync())
    }
    this.#unflushed.clear()
    await syncFolder(join(this.#path, bundleNames.bands))
  }

  /** Where the last stored band ends, which is behind the disk's last byte that isn't zero. */
  async dataEnd(): Promise<number> {
    const { bandBytes, sizeBytes } = this.#geometry
    const { bands } = await readBundleFiles(this.#path)
    const last = bands.at(-1)
    return last === undefined ? 0 : Math.min(sizeBytes, last.index * bandBytes + last.sizeBytes)
  }

  /** On the medium when it resolves. */
  async setSize(sizeBytes: number): Promise<void> {
    const { bandBytes, sizeBytes: before } = this.#geometry
    const after = { bandBytes, sizeBytes }
    // What a stopped attempt, or somebody else, left behind the end must not become part of the disk.
    if (sizeBytes > before) await this.#cutBands(this.#geometry)
    try {
      await this.#tellSize(after)
    } catch (error) {
      if (sizeBytes > before) await this.#tellSize({ bandBytes, sizeBytes: before }).catch(() => undefined)
      throw error
    }
    if (sizeBytes < before) await this.#cutBands(after)
  }

  /**
   * After `setSize` made it larger, and writes of which one failed: as large as it was, and nothing behind that. The editor is good for nothing then.
   * Throws DeviceError.
   */
  async undoGrowth(sizeBytes: number): Promise<void> {
    const before = { ...this.#geometry, sizeBytes }
    // First: a medium that is full has no room for the size either.
    await this.#cutBands(before)
    await this.#tellSize(before)
  }

  async #tellSize(geometry: BandGeometry): Promise<void> {
    const plist = encodeBundlePlist(geometry)
    // The copy last: until then the old one is there in case the new one is damaged.
    await this.#replace(bundleNames.info, plist)
    await this.#replace(bundleNames.backup, plist)
    this.#geometry = geometry
  }

  /**
   * Remove bands that are all zeros, and what follows the last other byte of the rest. `advance` is called with the bytes of
   * the disk that were looked at, `changed` when a band was removed or cut. Throws DeviceError E_DST_BUSY for a band that somebody else writes;
   * the signal's reason.
   */
  async compact({
    signal,
    advance,
    changed,
  }: {
    readonly signal: AbortSignal
    readonly advance: (doneBytes: number) => void
    readonly changed: () => void
  }): Promise<void> {
    await this.#cutBands(this.#geometry)
    const { bands } = await readBundleFiles(this.#path, signal)
    for (const band of bands) {
      if (await this.#compactBand(band, signal)) changed()
      const { bandBytes, sizeBytes } = this.#geometry
      advance(Math.min(sizeBytes, (band.index + 1) * bandBytes))
    }
    await syncFolder(join(this.#path, bundleNames.bands))
  }

  /** Whether there was something to remove. */
  async #compactBand({ index, path, sizeBytes, stamp }: BandFile, signal: AbortSignal): Promise<boolean> {
    const end = await this.#lastByte(index, sizeBytes, signal)
    const grain = Math.max(grainBytes, this.#bandCipher?.(index).blockBytes ?? 0)
    const kept = Math.min(sizeBytes, Math.ceil(end / grain) * grain)
    if (kept === sizeBytes && sizeBytes > 0) return false
    if ((await bandStamp(path)) !== stamp) throw beingWritten(path)
    if (kept === 0) {
      await this.#try(unlink(path))
      return true
    }
    await using file = await this.#try(open(path, inPlace))
    await this.#try(file.truncate(kept))
    return true
  }

  /** Remove what lies behind the end of a disk of this geometry. */
  async #cutBands(geometry: BandGeometry): Promise<void> {
    const count = countBands(geometry)
    const { bands } = await readBundleFiles(this.#path)
    for (const { index, path, sizeBytes } of bands) {
      if (index < count - 1) continue
      if (index >= count) {
        await this.#try(unlink(path))
        continue
      }
      const most = bandDiskBytes(geometry, index)
      if (sizeBytes <= most) continue
      await using file = await this.#try(open(path, inPlace))
      // Encrypted, the end of the disk's last block stays: zeros.
      const encrypted = await this.#encryptedBand(file, index)
      await this.#try(file.truncate((await encrypted?.finish(most)) ?? most))
      await this.#try(file.sync())
    }
    await syncFolder(join(this.#path, bundleNames.bands))
  }

  /** By renaming: whoever reads it finds the old one or the new one. */
  async #replace(name: string, bytes: Uint8Array): Promise<void> {
    const hidden = join(this.#path, `.reprise-${randomBytes(6).toString('hex')}.part`)
    try {
      await using file = await this.#try(open(hidden, 'wx', 0o644))
      await this.#try(file.writeFile(bytes))
      await this.#try(file.sync())
      await this.#try(rename(hidden, join(this.#path, name)))
    } catch (error) {
      await rm(hidden, { force: true }).catch(() => undefined)
      throw error
    }
    await syncFolder(this.#path)
  }

  /** Null for one that isn't there and is to be left so. */
  async #openBand(index: number, absent: 'make' | 'leave'): Promise<FileHandle | null> {
    const path = bandPath(this.#path, index)
    try {
      return await open(path, inPlace)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT'))
        throw openFailure(error, path, 'destination')
      return absent === 'make' ? await this.#try(open(path, 'wx+', 0o644)) : null
    }
  }

  /** What is in a band. Throws DeviceError E_NOT_FOUND, … */
  async #readBand(index: number): Promise<BlockSource> {
    const source = await openFileSource(bandPath(this.#path, index))
    const cipher = this.#bandCipher?.(index)
    return cipher === undefined ? source : openDecrypted(source, { ...cipher, dataBytes: source.sizeBytes })
  }

  async #encryptedBand(file: FileHandle, index: number): Promise<EncryptedFile | null> {
    if (this.#bandCipher === null) return null
    const { size } = await this.#try(file.stat())
    return new EncryptedFile(this.#storedBand(file), this.#bandCipher(index), { sizeBytes: size })
  }

  #storedBand(file: FileHandle) {
    return {
      write: async (bytes: Uint8Array, offset: number) => {
        for (let done = 0; done < bytes.length;)
          done += (await this.#try(file.write(bytes, done, bytes.length - done, offset + done))).bytesWritten
      },
      read: async (into: Uint8Array, offset: number) => {
        const { bytesRead } = await this.#try(file.read(into, 0, into.length, offset))
        if (bytesRead < into.length) throw beingWritten(this.#path)
      },
    }
  }

  *#bandsOf(offset: number, lengthBytes: number) {
    const { bandBytes } = this.#geometry
    for (let from = 0; from < lengthBytes;) {
      const index = Math.floor((offset + from) / bandBytes)
      const within = offset + from - index * bandBytes
      const to = Math.min(lengthBytes, from + bandBytes - within)
      yield { index, within, from, to }
      from = to
    }
  }

  async #try<T>(work: Promise<T>): Promise<T> {
    return await work.catch((error: unknown) => {
      if (error instanceof AppError) throw error
      throw writeFailure(error, this.#path)
    })
  }

  /** Where the last byte of a band ends that isn't zero; 0 when there is none. Reads from the end. */
  async #lastByte(index: number, sizeBytes: number, signal: AbortSignal): Promise<number> {
    await using source = await this.#readBand(index)
    const room = new Uint8Array(Math.min(pieceBytes, sizeBytes))
    for (let end = sizeBytes; end > 0;) {
      const start = Math.floor((end - 1) / pieceBytes) * pieceBytes
      const piece = room.subarray(0, end - start)
      await source.read(piece, start, signal)
      if (zeros.compare(piece, 0, piece.length, 0, piece.length) !== 0) {
        let last = piece.length
        while (piece[last - 1] === 0) last--
        return start + last
      }
      end = start
    }
    return 0
  }
}

const beingWritten = (path: string) =>
  new DeviceError('E_DST_BUSY', `${path} is being written`, {
    details: { path, holders: ['another program'] },
  })
