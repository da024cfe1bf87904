/**
 * What every `BlockSink` must do, whoever implements it: `block-sink.ts` as tests. A sink under test comes with another
 * way to look at what is really stored.
 */
import { setImmediate as turn } from 'node:timers/promises'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { allocatePageAligned, type BlockSink } from '#engine/block-io'
import { noise } from '#test/image-of-runs'

export interface SinkUnderTest extends AsyncDisposable {
  readonly sink: BlockSink
  /** The first bytes that are stored, by another way than the sink. What isn't there (yet) is left out. */
  stored(lengthBytes: number): Promise<Uint8Array>
}

export interface SinkTraits {
  /** Of the sink under test; at least 16 MiB. A file has room for it. */
  readonly roomBytes: number
  /** It takes writes and reads at any offset, from any memory. */
  readonly takesUnaligned: boolean
  /** Closing waits for writes that are under way; a stricter one calls them a mistake. */
  readonly waitsAtClose: boolean
}

const mebibyte = 1024 * 1024

/** `open`: a new sink whose room holds `old` bytes (0xa5) before. */
export function describeSink(name: string, traits: SinkTraits, open: () => Promise<SinkUnderTest>): void {
  const { roomBytes, takesUnaligned, waitsAtClose } = traits

  const aligned = (bytes: Uint8Array) => {
    const copy = allocatePageAligned(bytes.length)
    copy.set(bytes)
    return copy
  }
  /** A sink over `roomBytes` of 0xa5, and the same in memory. */
  async function openFilled() {
    const under = await open()
    const model = Buffer.alloc(roomBytes, 0xa5)
    const old = allocatePageAligned(mebibyte).fill(0xa5)
    for (let offset = 0; offset < roomBytes; offset += mebibyte)
      await under.sink.write(old.subarray(0, Math.min(mebibyte, roomBytes - offset)), offset)
    return { ...under, model, [Symbol.asyncDispose]: () => under[Symbol.asyncDispose]() }
  }
  const differsAt = (found: Uint8Array, model: Uint8Array) =>
    Buffer.compare(found, model) === 0 ? -1 : model.findIndex((byte, offset) => found[offset] !== byte)

  describe(`${name} keeps the deal of a sink`, () => {
    test('writes what it is given, where it is told, several at once and in any order', async () => {
      await using under = await openFilled()
      const { sink, model } = under
      const pieces = [
        { offset: 9 * mebibyte, lengthBytes: 3 * mebibyte },
        { offset: 4096, lengthBytes: 4096 },
        { offset: roomBytes - 8192, lengthBytes: 8192 },
        { offset: 0, lengthBytes: 4096 },
        { offset: mebibyte, lengthBytes: mebibyte },
        { offset: 5 * mebibyte - 4096, lengthBytes: 40_960 },
      ].map(({ offset, lengthBytes }) => ({ offset, bytes: aligned(noise(lengthBytes, offset)) }))
      await Promise.all(pieces.map(({ bytes, offset }) => sink.write(bytes, offset)))
      for (const { bytes, offset } of pieces) model.set(bytes, offset)
      await sink.flush()
      expect(differsAt(await under.stored(roomBytes), model)).toBe(-1)
      const back = allocatePageAligned(roomBytes)
      await sink.read(back, 0)
      expect(differsAt(back, model)).toBe(-1)
    })

    test.each([512, 4096, 65_536, 5 * mebibyte])('zeroes %i bytes and nothing else', async (lengthBytes) => {
      await using under = await openFilled()
      const { sink, model } = under
      const length = Math.ceil(lengthBytes / sink.alignmentBytes) * sink.alignmentBytes
      const offset = 8192
      expect(['offloaded', 'written', 'hole']).toContain(await sink.zero(offset, length))
      model.fill(0, offset, offset + length)
      await sink.flush()
      expect(differsAt(await under.stored(roomBytes), model)).toBe(-1)
      const back = allocatePageAligned(length)
      await sink.read(back, offset)
      expect(differsAt(back, Buffer.alloc(length))).toBe(-1)
    })

    test('discards nothing but what it is told to', async () => {
      await using under = await openFilled()
      const { sink, model } = under
      const [from, to] = [mebibyte, 9 * mebibyte]
      expect(['discarded', 'left']).toContain(await sink.discard(from, to - from))
      await sink.flush()
      const stored = await under.stored(roomBytes)
      expect(differsAt(stored.subarray(0, from), model.subarray(0, from))).toBe(-1)
      expect(differsAt(stored.subarray(to), model.subarray(to))).toBe(-1)
    })

    test('stops zeroing when it is told to', async () => {
      await using under = await open()
      await under.sink.write(allocatePageAligned(mebibyte), 0)
      const stop = AbortSignal.abort(new Error('enough'))
      await expect(under.sink.zero(0, mebibyte, stop)).rejects.toThrow('enough')
    })

    test.runIf(takesUnaligned)('takes any offset, length and memory', async () => {
      await using under = await openFilled()
      const { sink, model } = under
      const room = 65_536
      await fc.assert(
        fc.asyncProperty(
          fc.array(
            fc.record({
              kind: fc.constantFrom('write', 'write', 'zero', 'read'),
              offset: fc.oneof(fc.nat(room - 1), fc.constantFrom(0, 4096, 16_384)),
              length: fc.oneof(fc.integer({ min: 1, max: 10_000 }), fc.constantFrom(4096, 8192)),
              seed: fc.nat(1000),
            }),
            { minLength: 1, maxLength: 12 },
          ),
          async (steps) => {
            for (const { kind, offset, length, seed } of steps) {
              // Not aligned in memory, either.
              const bytes = noise(length + 1, seed).subarray(1)
              const end = offset + length
              if (kind === 'write') {
                await sink.write(bytes, offset)
                model.set(bytes, offset)
              } else if (kind === 'zero') {
                await sink.zero(offset, length)
                model.fill(0, offset, end)
              } else {
                await sink.read(bytes, offset)
                const differs = differsAt(bytes, model.subarray(offset, end))
                if (differs >= 0) throw new Error(`byte ${differs} of ${offset}+${length} differs`)
              }
            }
          },
        ),
        { numRuns: 40, seed: 11 },
      )
      await sink.flush()
      expect(differsAt(await under.stored(roomBytes), model)).toBe(-1)
    })

    test.runIf(takesUnaligned)('writes neighbours that share a unit at once', async () => {
      await using under = await openFilled()
      const { sink, model } = under
      const pieces = Array.from({ length: 60 }, (_, index) => noise(100 + index, index))
      let offset = 50
      await Promise.all(
        pieces.map((bytes) => {
          const at = offset
          offset += bytes.length
          model.set(bytes, at)
          return sink.write(bytes, at)
        }),
      )
      await sink.flush()
      expect(differsAt(await under.stored(roomBytes), model)).toBe(-1)
    })

    test('refuses to read what is not there', async () => {
      await using under = await openFilled()
      const into = allocatePageAligned(8192)
      await expect(under.sink.read(into, roomBytes)).rejects.toThrow()
    })

    test.runIf(waitsAtClose)('lets go only when nothing is under way', async () => {
      const under = await open()
      const bytes = aligned(noise(4 * mebibyte, 5))
      const writing = under.sink.write(bytes, 0).then(() => 'written')
      await under[Symbol.asyncDispose]()
      expect(await Promise.race([writing, turn('still under way')])).toBe('written')
      await writing
    })

    test('does nothing any more when it was closed: its descriptor may be another file’s by then', async () => {
      const { sink, ...under } = await open()
      await sink.write(aligned(noise(4096, 5)), 0)
      await sink[Symbol.asyncDispose]()
      await expect(sink.write(aligned(noise(4096, 6)), 0)).rejects.toThrow('closed')
      await expect(sink.zero(0, 8 * mebibyte)).rejects.toThrow('closed')
      await expect(sink.read(allocatePageAligned(4096), 0)).rejects.toThrow('closed')
      await expect(sink.flush()).rejects.toThrow('closed')
      await under[Symbol.asyncDispose]()
    })
  })
}
