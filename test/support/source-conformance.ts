/** What every `BlockSource` must do, whoever implements it: `block-source.ts` as tests. */
import { describe, expect, test } from 'vitest'
import type { BlockSource } from '#engine/block-io'
import { noise } from '#test/image-of-runs'

/** `open`: a source that holds `bytes`. */
export function describeSource(name: string, open: (bytes: Uint8Array) => Promise<BlockSource>): void {
  describe(`${name} keeps the deal of a source`, () => {
    const bytes = noise(300_000, 1)

    test('fills what it is given from where it is told, several at once', async () => {
      await using source = await open(bytes)
      expect(source.sizeBytes).toBe(bytes.length)
      await Promise.all(
        [0, 1, 99_999, 299_000].map(async (offset) => {
          const around = new Uint8Array(1002)
          await source.read(around.subarray(1, 1001), offset)
          expect(Buffer.compare(around.subarray(1, 1001), bytes.subarray(offset, offset + 1000))).toBe(0)
          // Nothing beside it.
          expect([around[0], around[1001]]).toEqual([0, 0])
        }),
      )
    })

    test('reads nothing of nothing, also at its end', async () => {
      await using source = await open(bytes)
      await expect(source.read(new Uint8Array(0), bytes.length)).resolves.toBe(undefined)
    })

    test('says that it ends before', async () => {
      await using source = await open(bytes)
      for (const offset of [bytes.length - 10, bytes.length, bytes.length + 1000])
        await expect(source.read(new Uint8Array(11), offset)).rejects.toMatchObject({
          code: 'E_SRC_CORRUPT',
          family: 'format',
          details: { offset },
        })
    })

    test('reads nothing after it was told to stop', async () => {
      await using source = await open(bytes)
      const into = new Uint8Array(10)
      await expect(source.read(into, 0, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough')
      expect(into).toEqual(new Uint8Array(10))
    })
  })
}
