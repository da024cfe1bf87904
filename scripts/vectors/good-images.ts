/** Images that must open and expand to the disk they stand for. */
import { createHash } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import type { RunKind } from '#shared/model'
import { buildUdif, runsOf, writeUdif, type RunSpec, type TableSpec, type UdifSpec } from '#test/build-udif'
import type { GoodVector } from '#test/vector-lists'
import { bzip2, smallDisk, xz } from './small-disk.ts'

const { disk, volumeAt, usedEnd } = smallDisk()
const encoders: { readonly [kind in RunKind]?: (data: Uint8Array) => Uint8Array } = { bzip2, lzma: xz }
const kinds = {
  raw: 'UDRO',
  adc: 'UDCO',
  zlib: 'UDZO',
  bzip2: 'UDBZ',
  lzfse: 'ULFO',
  lzma: 'ULMO',
} as const

function runs(from: number, end: number, kind: RunKind, chunkSectors = 512): RunSpec[] {
  const encode = encoders[kind]
  return runsOf(disk.subarray(from, end), { kind, chunkSectors, ...(encode === undefined ? {} : { encode }) })
}

/** As Apple's tools divide a disk with an MBR. */
function tables(kind: RunKind, chunkSectors = 512): TableSpec[] {
  const used = Math.ceil(usedEnd / 512) * 512
  return [
    { name: 'Master Boot Record (MBR : 0)', runs: runs(0, 512, kind) },
    { name: ' (Apple_Free : 1)', runs: [{ kind: 'ignore', sectors: volumeAt / 512 - 1 }] },
    {
      name: ' (Windows_FAT_16 : 2)',
      runs: [
        ...runs(volumeAt, used, kind, chunkSectors),
        { kind: 'ignore', sectors: (disk.length - used) / 512 },
      ],
    },
  ]
}

const reversed = (count: number) => Array.from({ length: count }, (_, index) => count - 1 - index)

function specs(): { readonly [name: string]: UdifSpec } {
  const [mbr, free, volume] = tables('zlib', 64)
  if (mbr === undefined || free === undefined || volume === undefined) throw new Error('three tables')
  const [first, second, ...rest] = volume.runs
  if (first === undefined || second === undefined) throw new Error('runs')
  const number = (value: number) => `<integer>${value}</integer>`
  const nsiz = `<?xml version="1.0"?><plist version="1.0"><dict><key>SHA-1-digest</key><data>${Buffer.alloc(20, 0x5a).toString('base64')}</data><key>block-checksum-2</key>${number(-5)}<key>bytes</key>${number(4096)}<key>date</key>${number(-1_000_000_000)}<key>part-num</key>${number(2)}<key>version</key>${number(6)}</dict></plist>`
  return {
    ...Object.fromEntries(
      Object.entries(kinds).map(([kind, format]) => [
        format.toLowerCase(),
        { tables: tables(kind as RunKind) },
      ]),
    ),
    'many-runs': { tables: [{ name: 'whole disk', runs: runs(0, disk.length, 'zlib', 8) }] },
    'as-created-from-folder': {
      tables: [mbr, free, volume],
      unsegmented: true,
      deadBytes: 21,
      storeOrder: reversed,
    },
    'data-offset': {
      tables: [mbr, { ...free, dataOffset: 10 }, { ...volume, dataOffset: 17, comments: true }],
      dataForkOffset: 333,
    },
    'resource-fork': { tables: [mbr, free, volume], list: 'fork' },
    'listed-backwards': {
      tables: [
        { ...volume, firstSector: volumeAt / 512, runs: withPlaces(volume.runs).toReversed() },
        { ...free, firstSector: 1 },
        { ...mbr, firstSector: 0 },
      ],
    },
    gaps: {
      tables: [
        mbr,
        {
          ...volume,
          firstSector: volumeAt / 512,
          sectorCount: (disk.length - volumeAt) / 512,
          runs: volume.runs.slice(0, -1),
        },
      ],
    },
    'without-checksums': {
      tables: [mbr, free, volume].map((table) => ({ ...table, crc32: null })),
      unsegmented: true,
      koly: { masterChecksumType: 0, sectorCount: 0 },
    },
    mixed: {
      tables: [{ ...mbr, runs: runs(0, 512, 'bzip2') }, free, { ...volume, runs: [first, second, ...rest] }],
    },
    scanned: {
      tables: [mbr, free, volume],
      resources: [
        { type: 'cSum', id: 2, data: Buffer.from('010002000000fbffffff', 'hex') },
        { type: 'nsiz', id: 2, data: Buffer.from(nsiz) },
        { type: 'plst', id: 0, attributes: 0x50, data: new Uint8Array(1032) },
      ],
    },
    segmented: { tables: [mbr, free, volume], segments: 4 },
  }
}

/** Each run with its place, so that they can be listed in another order. */
function withPlaces(list: readonly RunSpec[]): RunSpec[] {
  let next = 0
  return list.map((run) => {
    const startSector = next
    next += run.sectors
    return { ...run, startSector }
  })
}

export function writeGoodVectors(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
  const list: GoodVector[] = []
  const outOfOrder = new Set(['as-created-from-folder', 'listed-backwards'])
  for (const [name, spec] of Object.entries(specs())) {
    const built = buildUdif({ scanned: false, ...spec })
    writeUdif(folder, built, name)
    list.push({
      file: `${name}.dmg`,
      format: name === 'mixed' ? 'UDxx' : name.startsWith('u') ? name.toUpperCase() : 'UDZO',
      sizeBytes: built.disk.length,
      sha256: sha256(built.disk),
      inOrder: !outOfOrder.has(name),
    })
  }
  const raw = { sizeBytes: disk.length, sha256: sha256(disk), inOrder: null }
  const compressed = {
    'disk.img.gz': ['raw.gz', gzipSync(disk)],
    'disk.img.bz2': ['raw.bz2', bzip2(disk)],
    'disk.img.xz': ['raw.xz', xz(disk)],
    'disk.img.zst': ['raw.zst', zstdCompressSync(disk, { pledgedSrcSize: disk.length })],
    // Told by their first bytes, not by their names; and in several members.
    'named-wrongly.dmg': [
      'raw.gz',
      Buffer.concat([gzipSync(disk.subarray(0, 99_999)), gzipSync(disk.subarray(99_999))]),
    ],
  } as const
  for (const [file, [format, bytes]] of Object.entries(compressed)) {
    writeFileSync(join(folder, file), bytes)
    list.push({ file, format, ...raw })
  }
  writeFileSync(join(folder, 'vectors.json'), `${JSON.stringify(list, null, 1)}\n`)
}
