/**
 * A UDIF image in files of a given size: `image.dmg`, `image.002.dmgpart`, … The writer writes one file, data fork, list and
 * trailer; here its data fork is cut where a segment is full, its list goes behind the first segment's data, and each segment
 * gets a trailer of its own (docs/formats/udif.md §4). A run may straddle two. All files have hidden names until all are on
 * the medium.
 */
import { lstat, realpath, stat } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import {
  nameTogether,
  recoverNames,
  refuseDanglingLink,
  refuseFolderName,
  type Permissions,
  type ReplacementFile,
} from '#engine/block-io'
import { encryptedBytes, roomInside } from '#engine/formats/encrypted'
import { isSegmentName, kolyBytes, kolyStruct, segmentPath } from '#engine/formats/udif'
import { UsageError } from '#shared/errors'
import { formatBytes, formatCount } from '#shared/units'
import { SegmentPart } from './segment-part.ts'

export interface SegmentedFileOptions {
  readonly segmentBytes: number
  readonly mode: 'create' | 'replace'
  /** Each file is encrypted by itself, with keys of its own behind this password; null: none is. */
  readonly password: string | null
  /** Throws where the file at `path` proves to be another image's than the one at `target`. Default: whatever has the name is replaced. */
  readonly refuseOthers?: (path: string, target: string) => Promise<void>
}

/** Less than this and nearly all of the first segment would be list. */
export const leastSegmentBytes = 128 * 1024
export const mostSegments = 9999
const pieceBytes = 1024 * 1024
/** Of the list: what every image has, and what a run takes as base64 with room for holes between. */
const listBytes = 16 * 1024
const listRunBytes = 128
const usualRunBytes = 1024 * 1024

/**
 * Throws UsageError E_USAGE for segments that are too small, E_DST_EXISTS, E_DST_KIND; DeviceError E_NOT_FOUND (the folder),
 * E_DENIED, E_DST_READONLY, E_DST_FULL.
 */
export async function openSegmentedFile(
  asked: string,
  options: SegmentedFileOptions,
): Promise<SegmentedFile> {
  const { password } = options
  if (roomIn(options) < leastSegmentBytes) throw tooSmall(leastSegmentBytes, password)
  const real = await realpath(asked).catch(() => null)
  if (real === null) refuseFolderName(asked)
  if (real === null) await refuseDanglingLink(asked)
  const target = real ?? asked
  await recoverNames(target, (name) => isSegmentName(target, name))
  const old = await lstat(target).catch(() => null)
  for (const path of options.mode === 'create' ? [target, segmentPath(target, 2)] : [])
    if ((await lstat(path).catch(() => null)) !== null)
      throw new UsageError('E_DST_EXISTS', `${path} exists`, { details: { input: path, path } })
  if (old !== null && !old.isFile()) {
    const problem = `'${target}' can't be replaced.`
    throw new UsageError('E_DST_KIND', problem, { details: { input: target, path: target, problem } })
  }
  const file = new SegmentedFile(target, options, old)
  await file.begin()
  return file
}

export class SegmentedFile implements ReplacementFile {
  readonly #target: string
  readonly #options: SegmentedFileOptions
  /** The first file of what is replaced: whose it is, and who may read it. */
  readonly #like: Permissions | null
  /** Of a segment: what may be in a file of the size that was asked for. */
  readonly #room: number
  readonly #segments: SegmentPart[] = []
  /** Of the data fork, once it is complete. */
  #dataEnd: number | null = null
  #done = 0
  #diskBytes: number | null = null
  #isNamed = false
  #old: readonly string[] = []

  constructor(target: string, options: SegmentedFileOptions, like: Permissions | null) {
    this.#like = like
    this.#target = target
    this.#options = options
    this.#room = roomIn(options)
  }

  async begin(): Promise<void> {
    await this.#addSegment()
  }

  /** How long the list will be depends on the size of the disk. Before the first write; null: it isn't known. */
  expectDisk(sizeBytes: number | null): void {
    this.#diskBytes = sizeBytes
  }

  /** Files of the image that was there: they go with it when the new ones get their names. */
  replaces(old: readonly string[]): void {
    this.#old = old
  }

  /** The data fork is complete: what is written from now on is the list and the trailer. */
  endData(): void {
    this.#dataEnd = this.#done
  }

  /** One write after another. Throws DeviceError, UsageError E_USAGE when the segments are too small. */
  async write(bytes: Uint8Array, offset: number): Promise<void> {
    const [first] = this.#segments
    if (this.#dataEnd !== null && first !== undefined)
      return await first.write(bytes, first.dataBytes + offset - this.#dataEnd)
    for (let done = 0; done < bytes.length;) {
      const segment = this.#segments.at(-1)
      const room = segment === undefined ? 0 : this.#capacity(this.#segments.length) - segment.dataBytes
      if (segment === undefined || room <= 0) {
        await this.#addSegment()
        continue
      }
      const piece = bytes.subarray(done, done + room)
      await segment.write(piece, segment.dataBytes)
      segment.crc = crc32(piece, segment.crc)
      segment.dataBytes += piece.length
      done += piece.length
    }
    this.#done += bytes.length
  }

  /** `sizeBytes`: of the one file the writer wrote. All segments get their trailers and their names. */
  async commit(sizeBytes: number): Promise<void> {
    const [first] = this.#segments
    const dataBytes = this.#dataEnd ?? this.#done
    const listLength = sizeBytes - dataBytes - kolyBytes
    if (first === undefined) return
    const trailer = await first.read(first.dataBytes + listLength, kolyBytes)
    const koly = kolyStruct.parse(trailer, first.dataBytes + listLength)
    await this.#makeRoomForList(first, listLength)

    let running = 0
    for (const [index, segment] of this.#segments.entries()) {
      const isFirst = index === 0
      const own = kolyStruct.encode({
        ...koly,
        runningDataForkOffset: running,
        dataForkLength: segment.dataBytes,
        segmentNumber: index + 1,
        segmentCount: this.#segments.length,
        dataChecksum: u32(segment.crc),
        xmlOffset: isFirst ? segment.dataBytes : 0,
        xmlLength: isFirst ? listLength : 0,
      })
      const end = segment.dataBytes + (isFirst ? listLength : 0)
      await segment.write(own, end)
      await segment.finish(end + own.length)
      running += segment.dataBytes
    }
    const files = this.#segments.map(({ hidden, made }, index) => ({
      hidden,
      made,
      path: this.#pathOf(index + 1),
    }))
    await nameTogether(files, { mode: this.#options.mode, alsoOld: this.#old })
    this.#isNamed = true
  }

  /** All files together. */
  async storedBytes(): Promise<number> {
    let sum = 0
    for (const index of this.#segments.keys()) sum += (await stat(this.#pathOf(index + 1))).size
    return sum
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isNamed) return
    for (const segment of this.#segments) await segment.remove()
  }

  /** Data that segment `number` takes. The first keeps room for what the list is expected to be. */
  #capacity(number: number): number {
    if (number > 1) return this.#room - kolyBytes
    const expected = listBytes + Math.ceil((this.#diskBytes ?? 0) / usualRunBytes) * listRunBytes
    return this.#room - kolyBytes - Math.min(Math.floor(this.#room / 2), expected)
  }

  /** The list is longer than expected: the end of the first segment's data becomes a segment of its own. */
  async #makeRoomForList(first: SegmentPart, listLength: number): Promise<void> {
    const keep = this.#room - kolyBytes - listLength
    if (first.dataBytes <= keep) return
    const { password } = this.#options
    if (keep < 0) throw tooSmall(listLength + kolyBytes, password)
    const { dataBytes } = first
    const moved = await this.#newSegment()
    this.#segments.splice(1, 0, moved)
    await this.#copy(first, keep, dataBytes - keep, moved, 0)
    // Downwards: nothing is overwritten before it was read.
    await this.#copy(first, dataBytes, listLength, first, keep)
    moved.dataBytes = dataBytes - keep
    first.dataBytes = keep
    moved.crc = await crcOf(moved)
    first.crc = await crcOf(first)
  }

  async #copy(
    from: SegmentPart,
    offset: number,
    lengthBytes: number,
    to: SegmentPart,
    at: number,
  ): Promise<void> {
    for (let done = 0; done < lengthBytes; done += pieceBytes)
      await to.write(await from.read(offset + done, Math.min(pieceBytes, lengthBytes - done)), at + done)
  }

  #pathOf(number: number): string {
    return number === 1 ? this.#target : segmentPath(this.#target, number)
  }

  async #addSegment(): Promise<void> {
    const { password } = this.#options
    if (this.#segments.length >= mostSegments) throw tooSmall(this.#room * 2, password)
    await this.#segments.at(-1)?.putDown()
    this.#segments.push(await this.#newSegment())
  }

  async #newSegment(): Promise<SegmentPart> {
    const { password, mode, refuseOthers } = this.#options
    const number = this.#segments.length + 1
    // As soon as its name is needed: writing the rest takes its time.
    if (mode === 'replace' && number > 1) await refuseOthers?.(this.#pathOf(number), this.#target)
    return await SegmentPart.create(this.#target, { password, like: this.#like })
  }
}

async function crcOf(segment: SegmentPart): Promise<number> {
  let crc = 0
  for (let at = 0; at < segment.dataBytes; at += pieceBytes)
    crc = crc32(await segment.read(at, Math.min(pieceBytes, segment.dataBytes - at)), crc)
  return crc
}

const roomIn = ({ segmentBytes, password }: SegmentedFileOptions) =>
  password === null ? segmentBytes : roomInside(segmentBytes)

/** `room`: what a segment has to have room for. */
function tooSmall(room: number, password: string | null): UsageError {
  const bytes = password === null ? room : encryptedBytes(room)
  const least = Math.ceil(bytes / leastSegmentBytes) * leastSegmentBytes
  const problem = `Segments must have at least ${formatBytes(least)} (${formatCount(least)} bytes) here.`
  return new UsageError('E_USAGE', problem, { details: { input: 'segmentsize', problem, least } })
}

function u32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value >>> 0)
  return bytes
}
