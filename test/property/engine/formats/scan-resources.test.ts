import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseScanInfo, scanResources, type PartitionScan } from '#engine/formats/udif'
import { parseBlockHashes } from '#src/main/engine/formats/udif/block-hashes.ts'

const u32 = fc.nat(0xffff_ffff)
const text = fc.string({ unit: 'grapheme', maxLength: 40 }).map((name) => name.replaceAll(/\p{Cc}/gu, ''))
const partition = (id: number): fc.Arbitrary<PartitionScan> =>
  fc.record({
    id: fc.constant(id),
    sha256: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    blockChecksum: u32,
    usedBytes: fc.maxSafeNat(),
    hfsPlus: fc.option(
      fc.record({ signature: fc.constantFrom(0x482b, 0x4858), modified: u32, name: fc.option(text) }),
    ),
    volumes: fc.array(fc.record({ name: text, uuid: fc.uuid() }), { maxLength: 3 }),
  })
const scans = fc
  .tuple(fc.nat(5), fc.integer({ min: 1, max: 40 }), fc.nat(8191))
  .chain(([partitions, blocks, less]) =>
    fc.record({
      partitions: fc.tuple(...Array.from({ length: partitions }, (_, id) => partition(id))),
      blocks: fc.record({
        blockBytes: fc.constant(8192),
        hashes: fc.uint8Array({ minLength: blocks * 32, maxLength: blocks * 32 }),
      }),
      diskBytes: fc.constant(blocks * 8192 - less),
      scannedMs: fc.nat(2 ** 31).map((seconds) => seconds * 1000),
      scannedBy: fc.constantFrom('Reprise 0.1.0', 'Reprise 12.34.56'),
    }),
  )

const resourcesOf = (scan: Parameters<typeof scanResources>[0]) =>
  scanResources(scan).map(({ type, id, data }) => {
    const bytes = Buffer.concat([...data])
    return { type, id, data: bytes, lengthBytes: bytes.length }
  })

describe('what a scan stores', () => {
  it('is read as what it was', () => {
    fc.assert(
      fc.property(scans, (scan) => {
        const resources = resourcesOf(scan)
        const info = parseScanInfo(resources, scan.diskBytes)
        expect(info?.partitions).toEqual(
          scan.partitions.map(({ id, sha256, blockChecksum, usedBytes, hfsPlus, volumes }) => ({
            partNum: id,
            sha1: null,
            sha256: Buffer.from(sha256).toString('hex'),
            blockChecksum2: blockChecksum.toString(16).padStart(8, '0'),
            // A date of nothing is none.
            dateMs:
              hfsPlus === null || hfsPlus.modified === 0 ? null : (hfsPlus.modified - 2_082_844_800) * 1000,
            usedBytes,
            volumes,
          })),
        )
        expect(info).toMatchObject({ dateMs: scan.scannedMs, scannedBy: scan.scannedBy })
        const stored = resources.find(({ type }) => type === 'rpbh')?.data ?? new Uint8Array(0)
        const { blockBytes, hashes, root } = parseBlockHashes(stored, scan.diskBytes)
        expect({ blockBytes, hashes: Uint8Array.from(hashes) }).toEqual(scan.blocks)
        expect(info?.blocks).toEqual({ blockBytes, count: hashes.length / 32, root })
      }),
      { numRuns: 100 },
    )
  })

  it('is never read as anything else when one of its bytes was changed: it is refused, or left out', () => {
    fc.assert(
      fc.property(scans, fc.nat(), fc.integer({ min: 1, max: 255 }), (scan, place, change) => {
        const stored = resourcesOf(scan).find(({ type }) => type === 'rpbh')?.data ?? Buffer.alloc(0)
        // When and by whom it was scanned may be anything.
        const at = place % stored.length
        fc.pre(!(at >= 40 && at < 48) && !(at >= 80 && at < 128))
        stored[at] = (stored[at] ?? 0) ^ change
        expect(() => parseBlockHashes(stored, scan.diskBytes)).toThrow()
      }),
      { numRuns: 100 },
    )
  })
})
