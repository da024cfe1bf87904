import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { AlignedFile } from '#src/main/engine/block-io/aligned-file.ts'
import { ZeroDevice } from '#src/main/engine/block-io/zero-device.ts'

const mib = 1024 * 1024
/** Whole units, offloaded: nothing of it is written. */
const file = null as unknown as AlignedFile

/** The lengths of the stretches that a device is asked to zero which takes so long for each. */
async function askedFor(lengthBytes: number, tookMs: number): Promise<number[]> {
  const asked: number[] = []
  const device = new ZeroDevice({
    file,
    alignmentBytes: 512,
    zeroOut: async (_, length) => {
      asked.push(length / mib)
      if (tookMs > 0) await sleep(tookMs)
    },
    discard: null,
  })
  expect(await device.zero(0, lengthBytes)).toBe('offloaded')
  return asked
}

describe('a device that zeroes by itself', () => {
  it('is asked for little at first, so that a Cancel gets through to one that is slow', async () => {
    expect(await askedFor(24 * mib, 450)).toEqual([8, 4, 4, 4, 4])
  })

  it('is asked for ever more when it is quick', async () => {
    expect(await askedFor(248 * mib, 0)).toEqual([8, 16, 32, 64, 128])
  })

  it('is not believed to have zeroed one stretch because another one is zeros', async () => {
    const [old, empty] = [0, 8 * mib]
    const written: number[] = []
    const emptyIsRead = Promise.withResolvers<void>()
    const twoStretches = {
      async read(into: Uint8Array, offset: number) {
        into.fill(offset < empty ? 7 : 0)
        if (offset === empty + 3 * mib) emptyIsRead.resolve()
        // What was read comes to the one who asked in a later turn than it came to memory.
        if (offset < empty) await Promise.race([emptyIsRead.promise, sleep(50)])
      },
      async write(_: Uint8Array, offset: number) {
        written.push(offset / mib)
      },
    } as unknown as AlignedFile
    const device = new ZeroDevice({
      file: twoStretches,
      alignmentBytes: 512,
      zeroOut: null,
      discard: async () => undefined,
    })
    expect(await Promise.all([device.zero(old, 4 * mib), device.zero(empty, 4 * mib)])).toEqual([
      'written',
      'offloaded',
    ])
    expect(written.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3])
  })
})
