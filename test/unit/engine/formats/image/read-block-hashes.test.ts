import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openImage, readBlockHashes } from '#engine/formats/image'
import { buildUdif, type UdifSpec } from '#test/build-udif'
import { hashedUdif } from '#test/hashed-udif'
import { noise } from '#test/image-of-runs'
import { temporaryFolder } from '#test/temporary-folder'

const specOf = (seed: number): UdifSpec => ({
  tables: [{ runs: [{ kind: 'raw', sectors: 256, data: noise(131_072, seed) }] }],
})

test('hashes are those of the image that was opened, and of no other in its place', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'a.dmg')
  writeFileSync(path, hashedUdif(specOf(1)).bytes)
  const { info } = await openImage(path)
  expect((await readBlockHashes(info))?.hashes).toHaveLength(64)
  for (const other of [hashedUdif(specOf(2)).bytes, buildUdif(specOf(1)).bytes, noise(1024, 1)]) {
    writeFileSync(path, other)
    await expect(readBlockHashes(info)).rejects.toMatchObject({ code: 'E_SRC_CHANGED', details: { path } })
  }
})
