/** Stretches, blocks and the parts of a disk between them, against what a sector at a time would decide. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import {
  blockAt,
  blockStart,
  bytesInWindow,
  planBlocks,
  stretchParts,
} from '#src/main/engine/pipeline/block-map.ts'
import { gapParts, splitAtZeros } from '#src/main/engine/pipeline/block-parts.ts'
import { planStretches } from '#src/main/engine/pipeline/stretches.ts'
import { zeroPieceBytes } from '#src/main/engine/pipeline/zero-pieces.ts'
import { buildImage, sectorBytes, type RunOfImage } from '#test/image-of-runs'

const folder = mkdtempSync(join(tmpdir(), 'reprise-plan-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const anyCase = fc.record({
  runs: fc.array(
    fc.record<RunOfImage>({
      kind: fc.constantFrom('zero', 'ignore', 'raw'),
      sectors: fc.integer({ min: 1, max: 60 }),
      content: fc.constant('noise'),
      seed: fc.constant(1),
    }),
    { minLength: 1, maxLength: 30 },
  ),
  alignmentBytes: fc.constantFrom(512, 1024, 4096),
  foldBytes: fc.constantFrom(512, 2048, 8192, 20_000),
  windowBytes: fc.constantFrom(4096, 8192, 12_288),
})

test('stretches hold all data, are as far apart as they should be, and end at whole units', () => {
  fc.assert(
    fc.property(anyCase, ({ runs, alignmentBytes, foldBytes }) => {
      const { layout } = buildImage(folder, { runs })
      const { sizeBytes, extents } = layout
      const { count, start, end } = planStretches(extents, { sizeBytes, alignmentBytes, foldBytes })
      const inStretch = new Uint8Array(sizeBytes / sectorBytes)
      for (let index = 0; index < count; index++) {
        expect(start[index]! % alignmentBytes).toBe(0)
        expect(end[index] === sizeBytes || end[index]! % alignmentBytes === 0).toBe(true)
        expect(end[index]! > start[index]!).toBe(true)
        expect(index === 0 || start[index]! - end[index - 1]! >= foldBytes).toBe(true)
        inStretch.fill(1, start[index]! / sectorBytes, end[index]! / sectorBytes)
      }
      expect(count === 0 || start[0] === 0 || start[0]! >= foldBytes).toBe(true)
      expect(count === 0 || end.at(-1) === sizeBytes || sizeBytes - end.at(-1)! >= foldBytes).toBe(true)
      let sector = 0
      for (const run of runs) {
        expect(run.kind === 'raw' && inStretch.subarray(sector, sector + run.sectors).includes(0)).toBe(false)
        sector += run.sectors
      }
    }),
    { numRuns: 300, seed: 1 },
  )
})

test('every byte of a stretch lies in one block, and blocks follow the disk', () => {
  fc.assert(
    fc.property(anyCase, ({ runs, alignmentBytes, foldBytes, windowBytes }) => {
      const { layout } = buildImage(folder, { runs })
      const { sizeBytes } = layout
      const stretches = planStretches(layout.extents, { sizeBytes, alignmentBytes, foldBytes })
      const map = planBlocks(stretches, { sizeBytes, windowBytes, slots: 4, claimBytes: 4096 })
      let bytes = 0
      let last = -1
      for (let block = 0; block < map.blocks; block++) {
        const windowStart = blockStart(map, block)
        expect(windowStart % windowBytes).toBe(0)
        expect(windowStart).toBeGreaterThan(last)
        last = windowStart
        for (const [from, to] of stretchParts(map, windowStart, windowStart + windowBytes)) {
          expect([blockAt(map, from), blockAt(map, to - 1)]).toEqual([block, block])
        }
        expect(bytesInWindow(map, windowStart)).toBeGreaterThan(0)
        bytes += bytesInWindow(map, windowStart)
      }
      const wanted = [...stretchParts(map, 0, sizeBytes)].reduce((total, [from, to]) => total + to - from, 0)
      expect(bytes).toBe(wanted)
    }),
    { numRuns: 300, seed: 2 },
  )
})

test('a gap is told whole, in order, and only what is ignored as unused', () => {
  fc.assert(
    fc.property(anyCase, ({ runs: anyRuns, alignmentBytes, foldBytes }) => {
      const runs = anyRuns.map((run) => (run.kind === 'raw' ? { ...run, kind: 'zero' as const } : run))
      const { layout, ignored } = buildImage(folder, { runs })
      const { extents, sizeBytes } = layout
      let told = 0
      for (const { kind, from, to } of gapParts(extents, 0, sizeBytes, {
        alignmentBytes,
        leastUnusedBytes: foldBytes,
      })) {
        expect(from).toBe(told)
        expect(from % alignmentBytes).toBe(0)
        const sectors = ignored.subarray(from / sectorBytes, to / sectorBytes)
        expect(kind === 'zero' || !sectors.includes(0)).toBe(true)
        expect(kind === 'zero' || to - from >= foldBytes).toBe(true)
        told = to
      }
      expect(told).toBe(sizeBytes)
    }),
    { numRuns: 300, seed: 3 },
  )
})

test('a long ignored run in a gap is told as unused', () => {
  const runs: RunOfImage[] = [
    { kind: 'zero', sectors: 3, content: 'noise', seed: 1 },
    { kind: 'ignore', sectors: 100, content: 'noise', seed: 1 },
    { kind: 'ignore', sectors: 100, content: 'noise', seed: 1 },
    { kind: 'zero', sectors: 13, content: 'noise', seed: 1 },
  ]
  const { layout } = buildImage(folder, { runs })
  const options = { alignmentBytes: 4096, leastUnusedBytes: 65_536 }
  expect([...gapParts(layout.extents, 0, layout.sizeBytes, options)]).toEqual([
    { kind: 'zero', from: 0, to: 4096 },
    { kind: 'unused', from: 4096, to: 102_400 },
    { kind: 'zero', from: 102_400, to: 216 * 512 },
  ])
})

test('pieces that are zeros are told as zeros, neighbours as one', () => {
  const pieceBytes = zeroPieceBytes(1024 * 1024)
  expect(pieceBytes).toBe(131_072)
  const options = { windowBytes: 1024 * 1024, zeroPieces: 0b0011_0010 }
  const start = 7 * 1024 * 1024
  expect([...splitAtZeros(start, start + 512, start + 1024 * 1024, options)]).toEqual([
    { kind: 'data', from: start + 512, to: start + pieceBytes },
    { kind: 'zero', from: start + pieceBytes, to: start + 2 * pieceBytes },
    { kind: 'data', from: start + 2 * pieceBytes, to: start + 4 * pieceBytes },
    { kind: 'zero', from: start + 4 * pieceBytes, to: start + 6 * pieceBytes },
    { kind: 'data', from: start + 6 * pieceBytes, to: start + 8 * pieceBytes },
  ])
})

test.each([4096, 1024 * 1024, 4 * 1024 * 1024, 100 * 1024 * 1024, 1024 ** 3])(
  'a window of %i bytes has at most 32 pieces',
  (windowBytes) => {
    expect(Math.ceil(windowBytes / zeroPieceBytes(windowBytes))).toBeLessThanOrEqual(32)
    expect(zeroPieceBytes(windowBytes) % 4096).toBe(0)
  },
)
