import { expect, it } from 'vitest'
import { refuseNoise } from '#src/main/engine/formats/image/bundle-noise.ts'
import { rejectionOf } from '#test/format-errors'
import { noise } from '#test/image-of-runs'

const bandBytes = 65_536

it.each([
  [8, 8],
  [9, 5],
  [15, 8],
  [1000, 8],
])('of %i bands nothing but noise, %i are looked at', async (bands, expected) => {
  const parts = Array.from({ length: bands }, (_, index) => ({
    path: `bands/${index.toString(16)}`,
    streamOffset: index * bandBytes,
    fileOffset: 0,
    lengthBytes: bandBytes,
  }))
  let looks = 0
  const readDisk = (offset: number, lengthBytes: number) => {
    looks += 1
    return Promise.resolve(noise(lengthBytes, offset + 1))
  }
  const layout = { parts, sizeBytes: bands * bandBytes }
  const refused = await rejectionOf(refuseNoise(readDisk, layout, { path: 'token', isThere: true }))
  expect(refused).toMatchObject({ code: 'E_SRC_CORRUPT', field: 'token' })
  expect(looks).toBe(expected)
})
