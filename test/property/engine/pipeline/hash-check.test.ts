/** Whatever the image and the pool: with hashes, nothing of a block is handed out that isn't what its hash says. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { HashedBlocks, openBlockStream } from '#engine/pipeline'
import { drainStream } from '#test/drain-stream'
import { hashesOf } from '#test/fake-platform'
import { buildImage, type RunOfImage } from '#test/image-of-runs'

const folder = mkdtempSync(join(tmpdir(), 'reprise-hash-check-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const blockBytes = 64 * 1024

const anyCase = fc.record({
  runs: fc.array(
    fc.record<RunOfImage>({
      kind: fc.constantFrom('zero', 'ignore', 'raw', 'zlib'),
      sectors: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 100, max: 600 })),
      content: fc.constantFrom('noise', 'text', 'zeros'),
      seed: fc.nat(1000),
    }),
    { minLength: 1, maxLength: 30 },
  ),
  buffers: fc.integer({ min: 1, max: 6 }),
  bufferBytes: fc.constantFrom(4096, 65_536, 196_608, 1_048_576),
  alignmentBytes: fc.constantFrom(512, 4096),
  workers: fc.integer({ min: 1, max: 3 }),
  /** Which block has a hash that lies; null: none. */
  wrong: fc.option(fc.nat(200)),
  /** It isn't asked for. */
  isLeftOut: fc.boolean(),
  seed: fc.nat(),
})

test('a stream brings blocks that are what their hashes say, and ends at the first that is not', async () => {
  const check = async (each: typeof anyCase extends fc.Arbitrary<infer T> ? T : never) => {
    const { alignmentBytes, buffers, bufferBytes, workers } = each
    const image = buildImage(folder, { runs: each.runs })
    const { blockBytes: size, hashes } = hashesOf(image.disk, blockBytes)
    const lying = Uint8Array.from(hashes)
    const count = lying.length / 32
    const wrong = each.wrong === null ? null : each.wrong % count
    if (wrong !== null) lying[wrong * 32 + 5]! ^= 1
    const blocks = HashedBlocks.of({ blockBytes: size, hashes: lying }, image.disk.length, '/a.dmg')!
    const isSelected = each.isLeftOut ? (index: number) => index !== wrong : null
    const isWrong = wrong !== null && isSelected === null

    let random = each.seed
    const drain = async () => {
      await using stream = await openBlockStream(image.layout, {
        pool: { buffers, bufferBytes },
        alignmentBytes,
        workers,
        hashes: { blocks, isSelected, path: '/a.dmg' },
        signal: new AbortController().signal,
      })
      return await drainStream(stream, image, {
        alignmentBytes,
        bufferBytes: Math.max(bufferBytes, blockBytes),
        random: () => (random = (random * 16_807 + 1) % 2_147_483_647) / 2_147_483_647,
        held: Math.max(1, buffers - 1),
      })
    }
    // What is zeros as a whole is known to be wrong before the first byte.
    const drained = await drain().catch((error: unknown) => ({ error, disk: Buffer.alloc(0), toldBytes: 0 }))
    const { code, details } = (drained.error ?? {}) as { code?: string; details?: Record<string, unknown> }
    expect([code, details?.['field'], details?.['diskOffset']]).toEqual(
      isWrong ? ['E_SRC_CORRUPT', 'rpbh.hash', wrong * blockBytes] : [undefined, undefined, undefined],
    )
    expect(drained.toldBytes).toBeLessThanOrEqual(isWrong ? wrong * blockBytes : image.disk.length)
    const told = Math.min(drained.toldBytes, image.disk.length)
    expect(Buffer.compare(drained.disk.subarray(0, told), image.disk.subarray(0, told))).toBe(0)
    for (const name of readdirSync(folder)) rmSync(join(folder, name))
  }
  await fc.assert(fc.asyncProperty(anyCase, check), { numRuns: 25, endOnFailure: true, seed: 20_261_121 })
}, 120_000)
