import { expect, it } from 'vitest'
import { findCounting } from '#src/main/engine/formats/image/band-counting.ts'
import { noise } from '#test/image-of-runs'
import { temporaryFolder } from '#test/temporary-folder'

const bandBytes = 4096
const keys = { aesKey: Buffer.alloc(32, 1), hmacKey: Buffer.alloc(20, 2) }

it.each([
  [32, 32],
  [33, 17],
  [63, 32],
  [1000, 32],
])('of %i bands beside the first that tell nothing, %i are asked', async (bands, expected) => {
  await using folder = await temporaryFolder()
  const path = await folder.write('band', noise(bandBytes, 1))
  let asked = 0
  const parts = Array.from({ length: bands + 1 }, (_, index) => ({
    get path() {
      asked += 1
      return path
    },
    streamOffset: index * bandBytes,
    fileOffset: 0,
    lengthBytes: bandBytes,
  }))
  expect(await findCounting(parts, { blockBytes: 512 }, keys)).toBe('band')
  expect(asked).toBe(expected)
})
