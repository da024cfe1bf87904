/**
 * UDIF images of any size from a raw one, a run at a time, as `hdiutil convert` lays them out: one table, runs of 1 MiB
 * in order, chunks of zeros as zero runs, all checksums.
 */
import {
  closeSync,
  copyFileSync,
  existsSync,
  openSync,
  readSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { crc32 } from 'node:zlib'
import { chunkRunStruct, kolyStruct, mishStruct, runTypes, terminatorRun } from '#engine/formats/udif'
import { scanImage } from '#engine/scan'
import { encodeResourcePlist } from '#test/build-udif'
import { quietContext } from '#test/quiet-context'
import type { BenchCodec } from './encode-worker.ts'

const chunkSectors = 2048
const chunkBytes = chunkSectors * 512

/** Path of the image of `raw` (whole sectors) with runs of `codec`, scanned for restore; made when it isn't there yet. */
export async function buildImage(raw: string, codec: BenchCodec): Promise<string> {
  const unscanned = await buildUnscannedImage(raw, codec)
  const path = unscanned.replace(/\.dmg$/, '-scanned.dmg')
  if (existsSync(path)) return path
  copyFileSync(unscanned, `${path}.part`)
  await scanImage({ path: `${path}.part`, reorder: true, allowFragmentedCatalog: false }, quietContext(), {
    scannedBy: 'Reprise',
  })
  renameSync(`${path}.part`, path)
  return path
}

/** The same, not scanned. */
export async function buildUnscannedImage(raw: string, codec: BenchCodec): Promise<string> {
  const path = raw.replace(/\.img$/, `-${codec}.dmg`)
  if (existsSync(path)) return path
  const sectors = statSync(raw).size / 512
  using encoders = startEncoders(codec)
  const input = openSync(raw, 'r')
  const output = openSync(`${path}.part`, 'w')
  try {
    const rows: Uint8Array[] = []
    const pending: {
      readonly sector: number
      readonly count: number
      readonly stored: Promise<Uint8Array> | null
    }[] = []
    let diskCrc = 0
    let forkCrc = 0
    let offset = 0
    const writeOldest = async () => {
      const oldest = pending.shift()
      if (oldest === undefined) return
      const stored = await oldest.stored
      rows.push(
        chunkRunStruct.encode({
          type: stored === null ? runTypes.zero : runTypes[codec],
          startSector: oldest.sector,
          sectorCount: oldest.count,
          compOffset: offset,
          compLength: stored?.length ?? 0,
        }),
      )
      if (stored === null) return
      writeSync(output, stored)
      forkCrc = crc32(stored, forkCrc)
      offset += stored.length
    }
    for (let sector = 0; sector < sectors; sector += chunkSectors) {
      const count = Math.min(chunkSectors, sectors - sector)
      const chunk = new Uint8Array(count * 512)
      readSync(input, chunk, 0, chunk.length, sector * 512)
      diskCrc = crc32(chunk, diskCrc)
      const isZero = Buffer.compare(chunk, zeros.subarray(0, chunk.length)) === 0
      pending.push({ sector, count, stored: isZero ? null : encoders.encode(chunk) })
      if (pending.length > 2 * encoders.count) await writeOldest()
    }
    while (pending.length > 0) await writeOldest()
    rows.push(chunkRunStruct.encode({ type: terminatorRun, startSector: sectors }))

    const mish = mishStruct.encode({
      signature: 'mish',
      version: 1,
      sectorCount: sectors,
      buffersNeeded: chunkSectors + 8,
      blockDescriptor: 0xfffffffe,
      checksumType: 2,
      checksumBits: 32,
      checksum: u32(diskCrc),
      chunkCount: rows.length,
    })
    const data = Buffer.concat([mish, ...rows])
    const plist = encodeResourcePlist([
      { type: 'blkx', id: 0, name: 'whole disk (unknown : 0)', attributes: 0x50, data },
    ])
    writeSync(output, plist)
    writeSync(
      output,
      kolyStruct.encode({
        signature: 'koly',
        version: 4,
        headerSize: 512,
        flags: 1,
        dataForkLength: offset,
        segmentNumber: 1,
        segmentCount: 1,
        segmentID: '5d3f1c2a-0b4e-4c1d-9a77-3e2f10ab4cd5',
        dataChecksumType: 2,
        dataChecksumBits: 32,
        dataChecksum: u32(forkCrc),
        xmlOffset: offset,
        xmlLength: Buffer.byteLength(plist),
        masterChecksumType: 2,
        masterChecksumBits: 32,
        masterChecksum: u32(crc32(u32(diskCrc))),
        imageVariant: 2,
        sectorCount: sectors,
      }),
    )
  } finally {
    closeSync(input)
    closeSync(output)
  }
  renameSync(`${path}.part`, path)
  return path
}

const zeros = Buffer.alloc(chunkBytes)

function u32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value >>> 0)
  return bytes
}

/** As many workers as there are cores; each encodes what it is given in turn. */
function startEncoders(codec: BenchCodec) {
  const count = availableParallelism()
  const waiting = new Map<number, (stored: Uint8Array) => void>()
  const workers = Array.from({ length: count }, () => {
    const worker = new Worker(new URL('./encode-worker.ts', import.meta.url), { workerData: codec })
    worker.on('message', ({ id, stored }: { readonly id: number; readonly stored: Uint8Array }) => {
      waiting.get(id)?.(stored)
      waiting.delete(id)
    })
    worker.on('error', (error) => {
      throw error
    })
    return worker
  })
  let next = 0
  return {
    count,
    encode(bytes: Uint8Array): Promise<Uint8Array> {
      const id = next++
      workers[id % count]?.postMessage({ id, bytes })
      return new Promise((done) => waiting.set(id, done))
    },
    [Symbol.dispose]() {
      for (const worker of workers) void worker.terminate()
    },
  }
}
