import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkWhole, chance, damaged, seeds, tryImage } from '#test/fuzz-image'
import { temporaryFolder, type TemporaryFolder } from '#test/temporary-folder'

/** Enough for chance to find what it finds soon, in a few seconds; `scripts/fuzz.ts` goes on from there. */
const casesPerSeed = 150
/** What takes this long would go on for ever. */
const slowMs = 60_000

let folder: TemporaryFolder
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(() => folder[Symbol.asyncDispose]())

describe('hostile images', () => {
  for (const [index, seed] of seeds().entries()) {
    it(`opens the ${seed.name} image undamaged`, async () => {
      expect(await tryImage(seed, folder.path)).toEqual({ kind: 'opened' })
    })

    it(`refuses the ${seed.name} image with a FormatError, soon, however it is damaged`, async () => {
      let refused = 0
      for (let number = 0; number < casesPerSeed; number++) {
        const start = performance.now()
        const outcome = await tryImage(damaged(seed, chance(1000 * index + number + 1)), folder.path).catch(
          (error: unknown) => {
            throw new Error(`case ${1000 * index + number + 1}`, { cause: error })
          },
        )
        expect(performance.now() - start).toBeLessThan(slowMs)
        if (outcome.kind === 'opened') continue
        refused++
        const { details } = outcome.error
        expect(details.format).not.toBe('')
        expect(details.field).not.toBe('')
        expect(Number.isSafeInteger(details.offset) && details.offset >= 0).toBe(true)
        expect(JSON.stringify(details).length).toBeLessThan(4000)
      }
      expect(refused).toBeGreaterThan(casesPerSeed / 10)
    })
  }

  it('would be told of a layout that is not whole', () => {
    const column = (...values: number[]) => {
      const result = new Float64Array(new SharedArrayBuffer(values.length * 8))
      result.set(values)
      return result
    }
    const kind = new Uint8Array(new SharedArrayBuffer(1)).fill(1)
    const layout = (diskOffset: number, storedBytes: number) => ({
      kind: 'extents' as const,
      sizeBytes: 512,
      parts: [{ path: '', streamOffset: 0, fileOffset: 0, lengthBytes: 512 }],
      extents: {
        count: 1,
        diskOffset: column(diskOffset),
        diskBytes: column(512),
        storedOffset: column(0),
        storedBytes: column(storedBytes),
        kind,
      },
      checks: [],
      storedChecks: [],
    })
    expect(() => checkWhole(layout(0, 512))).not.toThrow()
    expect(() => checkWhole(layout(512, 512))).toThrow('row 0')
    expect(() => checkWhole(layout(0, 513))).toThrow('run 0')
  })
})
