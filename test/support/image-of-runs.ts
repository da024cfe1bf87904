/**
 * Small images for tests of the pipeline, made from a list of runs: the layout a format would hand over, the files that
 * hold the stored bytes, and, made in the plainest way, the disk that has to come out.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32, deflateSync } from 'node:zlib'
import { allocateExtentTable, kindIndex, type CheckRange, type ExtentLayout } from '#engine/formats/extents'

export const sectorBytes = 512

export interface RunOfImage {
  readonly kind: 'zero' | 'ignore' | 'raw' | 'zlib'
  readonly sectors: number
  /** What the run stands for, where it has data. */
  readonly content: 'noise' | 'text' | 'zeros'
  readonly seed: number
}

export interface ImageOfRuns {
  readonly runs: readonly RunOfImage[]
  /** Order in which runs are stored: a permutation's sort keys; missing ones are 0. */
  readonly storeKeys?: readonly number[]
  /** Files that the stored bytes are cut into, wherever that falls. Default 1. */
  readonly files?: number
  /** Between stored runs. */
  readonly deadBytes?: number
  /** Indexes of runs whose stored bytes are spoilt: zlib ones so that they can't be decoded. */
  readonly spoilt?: readonly number[]
  /** Runs in each check range. Default 3. */
  readonly runsInCheck?: number
}

export interface BuiltImage {
  readonly layout: ExtentLayout
  /** What has to come out; ignored bytes are zeros here. */
  readonly disk: Uint8Array
  /** 1 for each sector that is ignored. */
  readonly ignored: Uint8Array
}

/** Write the image's files into `folder`. */
export function buildImage(folder: string, spec: ImageOfRuns): BuiltImage {
  const { runs, deadBytes = 0, files = 1, storeKeys = [], spoilt = [], runsInCheck = 3 } = spec
  const contents = runs.map(contentOf)
  const stored = runs.map((run, index) => storedBytesOf(run, contents[index]!, spoilt.includes(index)))
  const order = runs.map((_, index) => index).sort((a, b) => (storeKeys[a] ?? 0) - (storeKeys[b] ?? 0))
  const offsets: number[] = []
  const pieces: Uint8Array[] = []
  let streamBytes = 0
  for (const index of order) {
    pieces.push(noise(deadBytes, index))
    offsets[index] = streamBytes + deadBytes
    pieces.push(stored[index]!)
    streamBytes += deadBytes + stored[index]!.length
  }
  const stream = Buffer.concat(pieces)

  const parts = Array.from({ length: files }, (_, index) => {
    const from = Math.floor((stream.length * index) / files)
    const to = Math.floor((stream.length * (index + 1)) / files)
    const path = join(folder, `part-${index}`)
    const fileOffset = index * 100
    writeFileSync(path, Buffer.concat([noise(fileOffset, 1), stream.subarray(from, to), noise(50, 2)]))
    return { path, streamOffset: from, fileOffset, lengthBytes: to - from }
  })

  const extents = allocateExtentTable(runs.length)
  const sectors = runs.reduce((total, run) => total + run.sectors, 0)
  const ignored = new Uint8Array(sectors)
  const checks: CheckRange[] = []
  let at = 0
  let counted: Uint8Array[] = []
  let checkFrom = 0
  runs.forEach((run, row) => {
    extents.kind[row] = kindIndex[run.kind]
    extents.diskOffset[row] = at
    extents.diskBytes[row] = run.sectors * sectorBytes
    extents.storedOffset[row] = offsets[row]!
    extents.storedBytes[row] = stored[row]!.length
    if (run.kind === 'ignore') ignored.fill(1, at / sectorBytes, at / sectorBytes + run.sectors)
    else counted.push(contents[row]!)
    at += run.sectors * sectorBytes
    if ((row + 1) % runsInCheck !== 0 && row + 1 < runs.length) return
    const crc = crc32(Buffer.concat(counted))
    checks.push({
      name: `check ${checks.length}`,
      diskOffset: checkFrom,
      diskBytes: at - checkFrom,
      crc32: crc,
    })
    counted = []
    checkFrom = at
  })
  return {
    layout: { kind: 'extents', sizeBytes: at, parts, extents, checks, storedChecks: [] },
    disk: Buffer.concat(contents),
    ignored,
  }
}

function contentOf({ kind, sectors, content, seed }: RunOfImage): Uint8Array {
  const length = sectors * sectorBytes
  if (kind === 'zero' || kind === 'ignore' || content === 'zeros') return Buffer.alloc(length)
  if (content === 'text') return Buffer.alloc(length, `run ${seed} says nothing new; `)
  return noise(length, seed)
}

function storedBytesOf({ kind }: RunOfImage, content: Uint8Array, isSpoilt: boolean): Uint8Array {
  if (kind === 'raw') return content
  if (kind !== 'zlib') return Buffer.alloc(0)
  const stored = deflateSync(content, { level: 1 })
  // The first byte says how a zlib stream is made.
  if (isSpoilt) stored[0] = 0xff
  return stored
}

/** Bytes that look random and are the same every time (xorshift32). */
export function noise(lengthBytes: number, seed: number): Uint8Array {
  const bytes = Buffer.alloc(lengthBytes)
  let state = (seed * 2_654_435_761 + 1) >>> 0 || 1
  for (let index = 0; index < lengthBytes; index++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes[index] = state
  }
  return bytes
}
