/**
 * Builds UDIF images for tests, right ones and every kind of wrong one: run kinds, chunk sizes, tables, offsets,
 * segments, dead bytes, order, checksums. What a test doesn't ask for is as `hdiutil convert` writes it. It shares the
 * structs' field tables with the reader and nothing else.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32, deflateSync } from 'node:zlib'
import {
  chunkRunStruct,
  commentRun,
  kolyStruct,
  mishStruct,
  runTypes,
  terminatorRun,
  type Koly,
  type Mish,
} from '#engine/formats/udif'
import type { RunKind } from '#shared/model'
import { encodeLzfse } from '#test/encode-lzfse'

type Bytes = Uint8Array<ArrayBuffer>
type ChunkRun = ReturnType<typeof chunkRunStruct.parse>

export interface RunSpec {
  readonly kind: RunKind
  readonly sectors: number
  /** What the run stands for; zeros when left out. Ignored for zero and ignore runs. */
  readonly data?: Uint8Array
  /** Its stored bytes, when the builder can't make them (bzip2, lzma) or they are to be wrong. */
  readonly stored?: Uint8Array
  /** Place in the table; behind the run before when left out. */
  readonly startSector?: number
  /** Fields that lie. */
  readonly lie?: Partial<ChunkRun>
}

export interface TableSpec {
  readonly name?: string
  readonly id?: number
  /** Behind the table before when left out. */
  readonly firstSector?: number
  readonly runs: readonly RunSpec[]
  /** Sectors of the table; what its runs need when left out. */
  readonly sectorCount?: number
  /** mish.dataOffset: the runs' compOffset counts from there. */
  readonly dataOffset?: number
  /** null: stores none. Left out: right. */
  readonly crc32?: number | null
  readonly lie?: Partial<Mish>
  /** Adds the comment runs that old writers add. */
  readonly comments?: boolean
  /** Default true. */
  readonly terminator?: boolean
}

export interface ResourceSpec {
  readonly type: string
  readonly id: number
  readonly name?: string
  readonly attributes?: number
  readonly data: Uint8Array
}

export interface UdifSpec {
  readonly tables: readonly TableSpec[]
  /** In which order the runs' bytes are stored; indexes into all runs with bytes, in the order given. */
  readonly storeOrder?: (count: number) => readonly number[]
  /** Dead bytes in front of each stored run. */
  readonly deadBytes?: number
  /** Bytes in front of the data fork. */
  readonly dataForkOffset?: number
  /** Number of files the data fork is cut into. */
  readonly segments?: number
  /** As `create -srcfolder` writes: segment 0 of 0, no data fork checksum. */
  readonly unsegmented?: boolean
  readonly resources?: readonly ResourceSpec[]
  /** Holds what a scan by another program leaves, so that it may be restored and verified. Default true. */
  readonly scanned?: boolean
  /** Where the resources are listed. Default `plist`. */
  readonly list?: 'plist' | 'fork' | 'both'
  /** Changes the plist before it is stored. */
  readonly editPlist?: (xml: string) => string
  readonly koly?: Partial<Koly>
}

export interface BuiltUdif {
  /** The first file is the image; the others are its segments, with their names' endings. */
  readonly files: readonly { readonly suffix: string; readonly bytes: Bytes }[]
  /** The image's first file. */
  readonly bytes: Bytes
  /** The disk inside, ignored runs as zeros. */
  readonly disk: Bytes
}

const segmentID = '5d3f1c2a-0b4e-4c1d-9a77-3e2f10ab4cd5'
const sectorBytes = 512
const commonFields = { version: 4, headerSize: 512, flags: 1, imageVariant: 1 }

/** ADC as literals only: 0x80 + (n - 1), then n bytes. */
export function encodeAdcLiterals(data: Uint8Array): Bytes {
  const pieces: Uint8Array[] = []
  for (let at = 0; at < data.length; at += 128) {
    const piece = data.subarray(at, at + 128)
    pieces.push(new Uint8Array([0x80 + piece.length - 1]), piece)
  }
  return Uint8Array.from(Buffer.concat(pieces))
}

function stored(run: RunSpec, data: Uint8Array): Uint8Array | null {
  if (run.kind === 'zero' || run.kind === 'ignore') return null
  if (run.stored !== undefined) return run.stored
  switch (run.kind) {
    case 'raw':
      return data
    case 'zlib':
      return deflateSync(data)
    case 'adc':
      return encodeAdcLiterals(data)
    case 'lzfse':
      return encodeLzfse(data)
    default:
      throw new Error(`give the stored bytes of ${run.kind} runs`)
  }
}

/** The least that a scan leaves: the block checksum of partition 0, whatever it may be. */
export const someScan: ResourceSpec = {
  type: 'cSum',
  id: 0,
  data: Buffer.from('01000200000010fca83f', 'hex'),
}

/** The image as bytes. */
export function buildUdif(spec: UdifSpec): BuiltUdif {
  const placed = placeTables(spec.tables)
  const sectorCount = Math.max(0, ...placed.map((table) => table.firstSector + table.sectorCount))
  const disk = new Uint8Array(sectorCount * sectorBytes)
  for (const table of placed)
    for (const run of table.runs)
      if (run.spec.kind !== 'zero' && run.spec.kind !== 'ignore')
        disk.set(run.data.subarray(0, Math.max(0, disk.length - run.diskOffset)), run.diskOffset)

  const dataFork = layOut(
    placed.flatMap((table) => table.runs),
    spec,
  )
  const tables = placed.map((table) => encodeTable(table))
  const checksums = Buffer.concat(tables.map((table) => table.subarray(72, 76)))
  const resources = [
    ...placed.map(({ spec: { name, id } }, index) => ({
      type: 'blkx',
      id: id ?? index - 1,
      name: name ?? `disk image (Apple_HFS : ${index})`,
      attributes: 0x50,
      data: tables[index] ?? new Uint8Array(0),
    })),
    ...(spec.resources ?? []),
    ...(spec.scanned === false || spec.resources !== undefined ? [] : [someScan]),
  ]
  const { list = 'plist', editPlist = (xml) => xml } = spec
  const plist = list === 'fork' ? Buffer.alloc(0) : Buffer.from(editPlist(encodeResourcePlist(resources)))
  const fork = list === 'plist' ? new Uint8Array(0) : encodeResourceFork(resources)

  const count = spec.segments ?? 1
  const forks = cut(dataFork, count)
  let running = 0
  const files = forks.map((piece, index) => {
    const before = index === 0 ? (spec.dataForkOffset ?? 0) : 0
    const isFirst = index === 0
    const koly = kolyStruct.encode({
      ...commonFields,
      signature: 'koly',
      runningDataForkOffset: running,
      dataForkOffset: before,
      dataForkLength: piece.length,
      segmentNumber: spec.unsegmented === true ? 0 : index + 1,
      segmentCount: spec.unsegmented === true ? 0 : count,
      ...(spec.unsegmented === true
        ? {}
        : { segmentID, dataChecksumType: 2, dataChecksumBits: 32, dataChecksum: u32(crc32(piece)) }),
      xmlOffset: isFirst ? before + piece.length : 0,
      xmlLength: isFirst ? plist.length : 0,
      rsrcForkOffset: isFirst && fork.length > 0 ? before + piece.length + plist.length : 0,
      rsrcForkLength: isFirst ? fork.length : 0,
      masterChecksumType: 2,
      masterChecksumBits: 32,
      masterChecksum: u32(crc32(checksums)),
      sectorCount,
      ...(isFirst ? spec.koly : {}),
    })
    running += piece.length
    const garbage = Buffer.alloc(before, 0xdb)
    const lists = isFirst ? [plist, fork] : []
    return {
      suffix: isFirst ? '.dmg' : `.${String(index + 1).padStart(3, '0')}.dmgpart`,
      bytes: Uint8Array.from(Buffer.concat([garbage, piece, ...lists, koly])),
    }
  })
  return { files, bytes: files[0]?.bytes ?? new Uint8Array(0), disk }
}

/** Write `built` into `folder` as `name.dmg` and its segments; returns the path of the first. */
export function writeUdif(folder: string, built: BuiltUdif, name = 'image'): string {
  mkdirSync(folder, { recursive: true })
  for (const { suffix, bytes } of built.files) writeFileSync(join(folder, name + suffix), bytes)
  return join(folder, `${name}.dmg`)
}

/** Runs for a whole disk: `chunkSectors` each, chunks of zeros as zero runs. `encode` makes what the builder can't. */
export function runsOf(
  disk: Uint8Array,
  options: {
    readonly kind: RunKind
    readonly chunkSectors?: number
    readonly encode?: (data: Uint8Array) => Uint8Array
  },
): RunSpec[] {
  const chunkBytes = (options.chunkSectors ?? 512) * sectorBytes
  const runs: RunSpec[] = []
  for (let at = 0; at < disk.length; at += chunkBytes) {
    const data = disk.subarray(at, at + chunkBytes)
    const sectors = data.length / sectorBytes
    if (data.every((byte) => byte === 0)) runs.push({ kind: 'zero', sectors })
    else
      runs.push({
        kind: options.kind,
        sectors,
        data,
        ...(options.encode === undefined ? {} : { stored: options.encode(data) }),
      })
  }
  return runs
}

interface PlacedRun {
  readonly spec: RunSpec
  readonly startSector: number
  readonly diskOffset: number
  readonly data: Uint8Array
  readonly stored: Uint8Array | null
  /** In the data fork. */
  storedOffset: number
}

interface PlacedTable {
  readonly spec: TableSpec
  readonly firstSector: number
  readonly sectorCount: number
  readonly runs: readonly PlacedRun[]
}

function placeTables(tables: readonly TableSpec[]): PlacedTable[] {
  let nextTable = 0
  return tables.map((spec) => {
    const firstSector = spec.firstSector ?? nextTable
    let next = 0
    const runs = spec.runs.map((run) => {
      const startSector = run.startSector ?? next
      next = startSector + run.sectors
      const data =
        run.data ?? new Uint8Array(run.kind === 'zero' || run.kind === 'ignore' ? 0 : run.sectors * 512)
      return {
        spec: run,
        startSector,
        diskOffset: (firstSector + startSector) * sectorBytes,
        data,
        stored: stored(run, data),
        storedOffset: 0,
      }
    })
    const sectorCount =
      spec.sectorCount ?? Math.max(0, ...runs.map((run) => run.startSector + run.spec.sectors))
    nextTable = firstSector + sectorCount
    return { spec, firstSector, sectorCount, runs }
  })
}

function layOut(runs: readonly PlacedRun[], spec: UdifSpec): Buffer {
  const withBytes = runs.filter((run) => run.stored !== null)
  const order = spec.storeOrder?.(withBytes.length) ?? withBytes.map((_, index) => index)
  const pieces: Uint8Array[] = []
  let offset = 0
  for (const index of order) {
    const run = withBytes[index]
    if (run === undefined || run.stored === null) throw new Error(`no run ${index} to store`)
    const dead = Buffer.alloc(spec.deadBytes ?? 0, 0xde)
    run.storedOffset = offset + dead.length
    pieces.push(dead, run.stored)
    offset = run.storedOffset + run.stored.length
  }
  return Buffer.concat(pieces)
}

function encodeTable({ spec, firstSector, sectorCount, runs }: PlacedTable): Uint8Array {
  const dataOffset = spec.dataOffset ?? 0
  const rows: ChunkRun[] = runs.map((run) => ({
    type: runTypes[run.spec.kind],
    comment: 0,
    startSector: run.startSector,
    sectorCount: run.spec.sectors,
    compOffset: run.stored === null ? 0 : run.storedOffset - dataOffset,
    compLength: run.stored?.length ?? 0,
    ...run.spec.lie,
  }))
  const nothing = { startSector: sectorCount, sectorCount: 0, compOffset: 0, compLength: 0 }
  if (spec.comments === true) {
    rows.unshift({ ...nothing, type: commentRun, comment: 0x2b626567, startSector: 0 })
    rows.push({ ...nothing, type: commentRun, comment: 0x2b656e64 })
  }
  if (spec.terminator !== false) rows.push({ ...nothing, type: terminatorRun, comment: 0 })

  const checksum = spec.crc32 === undefined ? rightChecksum(runs) : spec.crc32
  const header = mishStruct.encode({
    signature: 'mish',
    version: 1,
    firstSector,
    sectorCount,
    dataOffset,
    buffersNeeded: Math.max(0, ...runs.map((run) => run.spec.sectors)) + 8,
    blockDescriptor: 0,
    ...(checksum === null ? {} : { checksumType: 2, checksumBits: 32, checksum: u32(checksum) }),
    chunkCount: rows.length,
    ...spec.lie,
  })
  return Buffer.concat([header, ...rows.map((row) => chunkRunStruct.encode(row))])
}

/** Zero runs count as zeros, ignore runs don't count. */
function rightChecksum(runs: readonly PlacedRun[]): number {
  let value = 0
  for (const run of runs.toSorted((a, b) => a.startSector - b.startSector))
    if (run.spec.kind === 'zero') value = crc32(new Uint8Array(run.spec.sectors * sectorBytes), value)
    else if (run.spec.kind !== 'ignore') value = crc32(run.data, value)
  return value
}

/** In equal pieces, wherever they cut: runs straddle them. */
function cut(bytes: Uint8Array, count: number): Uint8Array[] {
  const length = Math.ceil(bytes.length / count)
  return Array.from({ length: count }, (_, index) => bytes.subarray(index * length, (index + 1) * length))
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value >>> 0)
  return bytes
}

const escape = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

/** The plist as Apple's tools write it: tabs, base64 lines, one dict a resource. */
export function encodeResourcePlist(resources: readonly ResourceSpec[]): string {
  const types = [...new Set(resources.map(({ type }) => type))]
  const entry = ({ name = '', id, attributes = 0, data }: ResourceSpec, type: string) => {
    const lines =
      Buffer.from(data)
        .toString('base64')
        .match(/.{1,52}/g) ?? []
    const text = (key: string, value: string) =>
      `\t\t\t\t<key>${key}</key>\n\t\t\t\t<string>${escape(value)}</string>\n`
    return (
      '\t\t\t<dict>\n' +
      text('Attributes', `0x${attributes.toString(16).padStart(4, '0')}`) +
      (type === 'blkx' ? text('CFName', name) : '') +
      `\t\t\t\t<key>Data</key>\n\t\t\t\t<data>\n${lines.map((line) => `\t\t\t\t${line}\n`).join('')}\t\t\t\t</data>\n` +
      text('ID', String(id)) +
      text('Name', name) +
      '\t\t\t</dict>\n'
    )
  }
  const lists = types.map((type) => {
    const entries = resources
      .filter((resource) => resource.type === type)
      .map((resource) => entry(resource, type))
    return `\t\t<key>${escape(type)}</key>\n\t\t<array>\n${entries.join('')}\t\t</array>\n`
  })
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">\n' +
    `<plist version="1.0">\n<dict>\n\t<key>resource-fork</key>\n\t<dict>\n${lists.join('')}\t</dict>\n</dict>\n</plist>\n`
  )
}

/** A classic resource fork with these resources. */
export function encodeResourceFork(resources: readonly ResourceSpec[]): Uint8Array {
  const types = [...new Set(resources.map(({ type }) => type))]
  const data: Buffer[] = []
  const names: Buffer[] = []
  const references = Buffer.alloc(resources.length * 12)
  const typeList = Buffer.alloc(2 + types.length * 8)
  typeList.writeUInt16BE(types.length - 1, 0)
  let dataBytes = 0
  let nameBytes = 0
  let index = 0
  types.forEach((type, typeIndex) => {
    const own = resources.filter((resource) => resource.type === type)
    typeList.write(type, 2 + typeIndex * 8, 'latin1')
    typeList.writeUInt16BE(own.length - 1, 6 + typeIndex * 8)
    typeList.writeUInt16BE(typeList.length + index * 12, 8 + typeIndex * 8)
    for (const resource of own) {
      const name = Buffer.from(resource.name ?? '', 'latin1')
      references.writeInt16BE(resource.id, index * 12)
      references.writeInt16BE(resource.name === undefined ? -1 : nameBytes, index * 12 + 2)
      references.writeUInt8(resource.attributes ?? 0, index * 12 + 4)
      references.writeUIntBE(dataBytes, index * 12 + 5, 3)
      if (resource.name !== undefined) {
        names.push(Buffer.from([name.length]), name)
        nameBytes += 1 + name.length
      }
      data.push(u32(resource.data.length), Buffer.from(resource.data))
      dataBytes += 4 + resource.data.length
      index++
    }
  })
  const map = Buffer.alloc(28)
  map.writeUInt16BE(28, 24)
  map.writeUInt16BE(28 + typeList.length + references.length, 26)
  const mapBytes = map.length + typeList.length + references.length + nameBytes
  const header = Buffer.concat([
    u32(256),
    u32(256 + dataBytes),
    u32(dataBytes),
    u32(mapBytes),
    Buffer.alloc(240),
  ])
  return Buffer.concat([header, ...data, map, typeList, references, ...names])
}
