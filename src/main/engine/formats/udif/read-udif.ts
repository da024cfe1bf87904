/** A whole UDIF image: trailer, segments, resources, tables, as a layout the pipeline can read. */
import type { BlockSource } from '#engine/block-io'
import type { CheckRange, ExtentLayout, ExtentTable } from '#engine/formats/extents'
import { kindIndex } from '#engine/formats/extents'
import { corrupt } from '#engine/formats/struct'
import {
  runKinds,
  type ImageChecksum,
  type ImageFormat,
  type ImageTable,
  type RunKind,
  type ScanInfo,
} from '#shared/model'
import { sectorBytes } from '#shared/units'
import { parseChecksum } from './checksum.ts'
import { ExtentBuilder } from './extent-builder.ts'
import { kolyBytes, kolyStruct, type Koly } from './koly.ts'
import { mostListBytes } from './list-size.ts'
import { masterChecksumOf } from './master-checksum.ts'
import { PlistReader } from './plist-reader.ts'
import { readResourceFork } from './resource-fork.ts'
import { ResourcePlist } from './resource-plist.ts'
import { ResourceCollector, type NamedTable, type ResourceSink } from './resources.ts'
import { parseScanInfo } from './scan-info.ts'
import { readSegments, type Segment } from './segments.ts'

const blockBytes = 256 * 1024

/** What a UDIF file says of itself. Sizes in bytes. */
export interface UdifImage {
  readonly format: ImageFormat
  readonly layout: ExtentLayout
  readonly storedBytes: number
  readonly segmentCount: number
  readonly tables: readonly ImageTable[]
  readonly runCounts: { readonly [kind in RunKind]?: number }
  readonly dataBytes: number
  readonly inOrder: boolean
  readonly dataForkChecksum: ImageChecksum | null
  readonly masterChecksum: ImageChecksum | null
  /** Null when the image stores none, or one of another type than CRC-32. */
  readonly masterCheck: { readonly stored: number; readonly computed: number } | null
  readonly scan: ScanInfo | null
}

/**
 * Read the image whose first file is `source` and whose trailer is `koly`; `open` opens its other segments. Throws
 * `FormatError` E_SRC_CORRUPT or E_SRC_SEGMENT; what `source` throws; the signal's reason.
 */
export async function readUdif(
  source: BlockSource,
  koly: Koly,
  open: (path: string) => Promise<BlockSource>,
  signal?: AbortSignal,
): Promise<UdifImage> {
  const segments = await readSegments(source, koly, open, signal)
  const streamBytes = segments.reduce((total, segment) => total + segment.koly.dataForkLength, 0)
  const builder = new ExtentBuilder()
  const collector = new ResourceCollector(builder, streamBytes)
  const listOffset = await readResources(source, koly, collector, signal)
  const { tables } = collector
  const sizeBytes = diskBytes(tables, listOffset)
  const checks = checkRanges(tables)
  const runCounts = builder.runCounts()
  const extents = builder.finish(sizeBytes, listOffset)
  const computed = masterChecksumOf(tables)
  const master = kolyChecksum(koly, source.sizeBytes, 'masterChecksum')

  return {
    format: udifFormat(runCounts),
    layout: {
      kind: 'extents',
      sizeBytes,
      parts: segments
        .filter((segment) => segment.koly.dataForkLength > 0)
        .map((segment) => ({
          path: segment.path,
          streamOffset: segment.streamOffset,
          fileOffset: segment.koly.dataForkOffset,
          lengthBytes: segment.koly.dataForkLength,
        })),
      extents,
      checks,
      storedChecks: segments.flatMap(storedCheck),
    },
    storedBytes: segments.reduce((total, segment) => total + segment.fileBytes, 0),
    segmentCount: segments.length,
    tables: tables.map(({ id, name, mish, runCount, checksum }) => ({
      name,
      id,
      firstSector: mish.firstSector,
      sectorCount: mish.sectorCount,
      runCount,
      checksum: checksum.shown,
    })),
    runCounts,
    ...summary(extents),
    dataForkChecksum: kolyChecksum(koly, source.sizeBytes, 'dataChecksum').shown,
    masterChecksum: master.shown,
    masterCheck: master.crc32 === null ? null : { stored: master.crc32, computed },
    scan: parseScanInfo(collector.resources, sizeBytes),
  }
}

/** The XML plist, or the resource fork where there is no plist. Returns where the list lies, for messages. */
export async function readResources(
  source: BlockSource,
  koly: Koly,
  collector: ResourceSink,
  signal?: AbortSignal,
): Promise<number> {
  const { xmlOffset, xmlLength, rsrcForkOffset, rsrcForkLength } = koly
  const lengthField = (field: 'xmlLength' | 'rsrcForkLength') => ({
    format: 'udif',
    field: `koly.${field}`,
    offset: source.sizeBytes - kolyBytes + kolyStruct.offsetOf(field),
    found: koly[field],
  })
  if (xmlLength > mostListBytes)
    throw corrupt({ ...lengthField('xmlLength'), expected: `at most ${mostListBytes}` })
  if (xmlLength > 0) {
    const end = xmlOffset + xmlLength
    const reader = new PlistReader(new ResourcePlist(collector, end), xmlOffset, {
      format: 'udif',
      field: 'plist',
    })
    const block = new Uint8Array(Math.min(blockBytes, xmlLength))
    for (let offset = xmlOffset; offset < end; offset += block.length) {
      const piece = block.subarray(0, Math.min(block.length, end - offset))
      await source.read(piece, offset, signal)
      reader.push(piece)
    }
    reader.end()
  } else if (rsrcForkLength > 0)
    await readResourceFork(
      source,
      { fileOffset: rsrcForkOffset, lengthBytes: rsrcForkLength },
      collector,
      signal,
    )
  else throw corrupt({ ...lengthField('xmlLength'), expected: 'a plist or a resource fork' })
  return xmlLength > 0 ? xmlOffset : rsrcForkOffset
}

/** Size of the disk inside: the end of its last table (koly's own SectorCount is 0 from some writers). */
function diskBytes(tables: readonly NamedTable[], fileOffset: number): number {
  const sectors = tables.reduce((end, { mish }) => Math.max(end, mish.firstSector + mish.sectorCount), 0)
  if (sectors === 0)
    throw corrupt({
      format: 'udif',
      field: 'blkx',
      offset: fileOffset,
      found: tables.length,
      expected: 'sectors',
    })
  return sectors * sectorBytes
}

/** The tables' checksums as ranges of the disk. Throws when tables overlap, or one without sectors has contents. */
function checkRanges(tables: readonly NamedTable[]): CheckRange[] {
  const ordered = tables.toSorted((a, b) => a.mish.firstSector - b.mish.firstSector)
  const ranges: CheckRange[] = []
  let end = 0
  for (const { name, mish, checksum, fileOffset } of ordered) {
    const problem = { format: 'udif', offset: fileOffset, table: name }
    if (mish.sectorCount === 0) {
      if (checksum.crc32 !== null && checksum.crc32 !== 0)
        throw corrupt({ ...problem, field: 'mish.checksum', found: checksum.crc32, expected: 0 })
      continue
    }
    if (mish.firstSector < end)
      throw corrupt({
        ...problem,
        field: 'mish.firstSector',
        found: mish.firstSector,
        expected: `at least ${end}`,
      })
    end = mish.firstSector + mish.sectorCount
    if (checksum.crc32 !== null)
      ranges.push({
        name,
        diskOffset: mish.firstSector * sectorBytes,
        diskBytes: mish.sectorCount * sectorBytes,
        crc32: checksum.crc32,
      })
  }
  return ranges
}

function kolyChecksum(koly: Koly, fileBytes: number, which: 'dataChecksum' | 'masterChecksum') {
  return parseChecksum(
    { type: koly[`${which}Type`], bits: koly[`${which}Bits`], bytes: koly[which] },
    { field: `koly.${which}Bits`, offset: fileBytes - kolyBytes + kolyStruct.offsetOf(`${which}Bits`) },
  )
}

function storedCheck(segment: Segment): ExtentLayout['storedChecks'][number][] {
  const { crc32 } = kolyChecksum(segment.koly, segment.fileBytes, 'dataChecksum')
  if (crc32 === null) return []
  const { dataForkOffset: fileOffset, dataForkLength: lengthBytes } = segment.koly
  return [{ path: segment.path, fileOffset, lengthBytes, crc32 }]
}

const formatOfKind: { readonly [kind in RunKind]?: ImageFormat } = {
  adc: 'UDCO',
  zlib: 'UDZO',
  bzip2: 'UDBZ',
  lzfse: 'ULFO',
  lzma: 'ULMO',
}

/** The format is nowhere written down: the way its runs are compressed is its name. Raw runs occur in all. */
function udifFormat(runCounts: { readonly [kind in RunKind]?: number }): ImageFormat {
  const compressed = runKinds.filter(
    (kind) => runCounts[kind] !== undefined && formatOfKind[kind] !== undefined,
  )
  const [only] = compressed
  if (only === undefined) return 'UDRO'
  return compressed.length === 1 ? (formatOfKind[only] ?? 'UDxx') : 'UDxx'
}

/** Bytes of the disk that hold something, and whether they are stored in the order of the disk. */
function summary(extents: ExtentTable): { dataBytes: number; inOrder: boolean } {
  let dataBytes = 0
  let inOrder = true
  let previous = 0
  for (let row = 0; row < extents.count; row++) {
    const kind = extents.kind[row]
    if (kind === kindIndex.zero || kind === kindIndex.ignore) continue
    dataBytes += extents.diskBytes[row] as number
    const stored = extents.storedOffset[row] as number
    if (stored < previous) inOrder = false
    previous = stored
  }
  return { dataBytes, inOrder }
}
