import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import * as fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { badRangeError, createDiskChecker, type BadRange, type DiskChecker } from '#engine/pipeline'
import { buildImage, noise, sectorBytes, type BuiltImage, type RunOfImage } from '#test/image-of-runs'

const folder = mkdtempSync(join(tmpdir(), 'reprise-checker-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const anyCase = fc.record({
  runs: fc.array(
    fc.record<RunOfImage>({
      kind: fc.constantFrom('zero', 'ignore', 'raw'),
      sectors: fc.integer({ min: 1, max: 12 }),
      content: fc.constantFrom('noise', 'text', 'zeros'),
      seed: fc.nat(100),
    }),
    { minLength: 1, maxLength: 20 },
  ),
  runsInCheck: fc.integer({ min: 1, max: 4 }),
  /** Lengths of what is told at once, in sectors; the rest in one. */
  cuts: fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 40 }),
})

/** Tell the disk in pieces: as zeros where it is, as unused where it may be, as data otherwise, some with their CRC-32. */
function tell(checker: DiskChecker, { ignored }: BuiltImage, disk: Uint8Array, cuts: readonly number[]) {
  const bad: BadRange[] = []
  let at = 0
  for (const cut of [...cuts, Infinity]) {
    if (at === disk.length) break
    const end = Math.min(disk.length, at + cut * sectorBytes)
    const bytes = disk.subarray(at, end)
    const isUnused = ignored.subarray(at / sectorBytes, end / sectorBytes).every((sector) => sector === 1)
    const found = isUnused
      ? checker.unused(at, bytes.length)
      : bytes.every((byte) => byte === 0)
        ? checker.zero(at, bytes.length)
        : checker.data(at, bytes, (at / sectorBytes) % 2 === 0 ? crc32(bytes) : undefined)
    if (found !== null) bad.push(found)
    at = end
  }
  return { bad, atEnd: checker.finish() }
}

test('a disk that is what its checksums say is found right, however it is told and whatever lies in ignored space', () => {
  fc.assert(
    fc.property(anyCase, ({ runs, runsInCheck, cuts }) => {
      const image = buildImage(folder, { runs, runsInCheck })
      const disk = Buffer.from(image.disk)
      image.ignored.forEach((sector, index) => {
        if (sector === 1) disk.set(noise(sectorBytes, index), index * sectorBytes)
      })
      expect(tell(createDiskChecker(image.layout), image, disk, cuts)).toEqual({ bad: [], atEnd: null })
    }),
    { numRuns: 300, seed: 1 },
  )
})

test('one wrong bit makes the range it lies in wrong, and no other', () => {
  fc.assert(
    fc.property(anyCase, fc.nat(), fc.nat(7), ({ runs, runsInCheck, cuts }, place, bit) => {
      const image = buildImage(folder, { runs, runsInCheck })
      const sectors = [...image.ignored.keys()].filter((sector) => image.ignored[sector] === 0)
      fc.pre(sectors.length > 0)
      const offset = sectors[place % sectors.length]! * sectorBytes + (place % sectorBytes)
      const disk = Buffer.from(image.disk)
      disk[offset]! ^= 1 << bit
      const { bad, atEnd } = tell(createDiskChecker(image.layout), image, disk, cuts)
      expect(bad.length).toBe(1)
      expect(atEnd).toEqual(bad[0])
      expect(offset).toBeGreaterThanOrEqual(bad[0]!.diskOffset)
      expect(offset).toBeLessThan(bad[0]!.diskOffset + bad[0]!.diskBytes)
      expect(bad[0]!.found).not.toBe(bad[0]!.expected)
    }),
    { numRuns: 300, seed: 2 },
  )
})

test('a CRC-32 that the caller has is taken for its bytes, where they lie in one range', () => {
  const runs: RunOfImage[] = [1, 2].map((seed) => ({ kind: 'raw', sectors: 2, content: 'noise', seed }))
  const { layout, disk } = buildImage(folder, { runs, runsInCheck: 1 })
  const checker = createDiskChecker(layout)
  expect(checker.data(0, disk.subarray(0, 512), 1)).toBe(null)
  expect(checker.data(512, disk.subarray(512, 1024))).toMatchObject({ name: 'check 0' })
  expect(checker.data(1024, disk.subarray(1024), crc32(disk.subarray(1024)))).toBe(null)
  // In two ranges: it says nothing of either.
  expect(createDiskChecker(layout).data(0, disk, 1)).toBe(null)
})

test('a wrong range is told by the call in which it ends', () => {
  const runs: RunOfImage[] = [1, 2, 3].map((seed) => ({ kind: 'raw', sectors: 2, content: 'noise', seed }))
  const image = buildImage(folder, { runs, runsInCheck: 1 })
  const checker = createDiskChecker(image.layout)
  const disk = Buffer.from(image.disk)
  disk[1024]! ^= 1
  expect(checker.data(0, disk.subarray(0, 1536))).toBe(null)
  expect(checker.data(1536, disk.subarray(1536, 2048))).toMatchObject({ name: 'check 1', diskOffset: 1024 })
  expect(checker.data(2048, disk.subarray(2048))).toBe(null)
  expect(checker.finish()).toMatchObject({ name: 'check 1' })
})

test('space with a checksum may not be told as unused, nor a disk with gaps or without its end', () => {
  const runs: RunOfImage[] = [{ kind: 'raw', sectors: 4, content: 'noise', seed: 1 }]
  const { layout, disk } = buildImage(folder, { runs })
  expect(() => createDiskChecker(layout).unused(0, 512)).toThrow('unused')
  expect(() => createDiskChecker(layout).data(512, disk.subarray(512))).toThrow('order')
  expect(() => createDiskChecker(layout).finish()).toThrow('end')
})

test('an error names the table, where it lies, and both checksums', () => {
  const bad = {
    name: 'disk image (Apple_HFS : 4)',
    diskOffset: 512,
    diskBytes: 1024,
    expected: 0xab,
    found: 1,
  }
  expect(badRangeError(bad, '/x.dmg')).toMatchObject({
    code: 'E_SRC_CORRUPT',
    details: {
      format: 'udif',
      field: 'checksum',
      table: 'disk image (Apple_HFS : 4)',
      diskOffset: 512,
      diskBytes: 1024,
      expected: '000000ab',
      found: '00000001',
      path: '/x.dmg',
    },
  })
})
