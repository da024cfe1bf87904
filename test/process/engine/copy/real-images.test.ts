/** Every real disk image, onto a real loop device, compared with what two other tools made of it. */
import { describe, expect, it } from 'vitest'
import { unlockImage } from '#engine/formats/image'
import { attachLoop } from '#test/loop'
import { missing } from '#test/needs'
import { realImageList, realImagePath } from '#test/real-images'
import { scannedCopy } from '#test/scanned-copy'
import { temporaryFolder } from '#test/temporary-folder'
import { restoreForReal, sha256, summaryOf } from '#test/restore-for-real'

const images = realImageList.filter(
  (image) => image.expandedSha256 !== undefined && image.password === undefined,
)

describe.skipIf(missing('linux', 'root', 'loop', 'images'))('a real image on a loop device', () => {
  it.each(images.map((image) => [image.file, image] as const))('%s', async (_, image) => {
    const { expandedBytes, expandedSha256 } = image
    // Zeros before, so that unused space reads as the manifest has it.
    await using loop = await attachLoop({ sizeBytes: expandedBytes + 3 * 1024 * 1024 })
    await using place = await temporaryFolder()
    const source = await scannedCopy(image.path, place.path)
    const done = await restoreForReal({ source, target: loop.path })
    const summary = summaryOf(done)
    expect(summary).toMatchObject({ restoredBytes: expandedBytes, verified: true, warnings: [] })
    expect(await sha256(loop.path, expandedBytes)).toBe(expandedSha256)
  })

  it('fits onto a device of exactly its size', async () => {
    const image = images.find(({ file }) => file.endsWith('input_zlib.dmg'))
    const { expandedBytes = 0, expandedSha256, file = '' } = image ?? {}
    await using loop = await attachLoop({ sizeBytes: expandedBytes })
    await using place = await temporaryFolder()
    const source = await scannedCopy(realImagePath(file), place.path)
    summaryOf(await restoreForReal({ source, target: loop.path }))
    expect(await sha256(loop.path, expandedBytes)).toBe(expandedSha256)
  })

  it('reaches a device with blocks of 4 KiB, with a warning', async () => {
    const image = images.find(({ file }) => file.endsWith('input_non_null_data_offset.dmg'))
    const { expandedBytes = 0, expandedSha256, file = '' } = image ?? {}
    await using loop = await attachLoop({ sizeBytes: 8 * 1024 * 1024, logicalBlockBytes: 4096 })
    await using place = await temporaryFolder()
    const source = await scannedCopy(realImagePath(file), place.path)
    const done = await restoreForReal({ source, target: loop.path })
    summaryOf(done)
    expect(done.plan.checks.map((check) => check.kind)).toContain('block-size')
    expect(await sha256(loop.path, expandedBytes)).toBe(expandedSha256)
  })

  it.each(['etcher/invalid.dmg', 'etcher/raw-image-not-a-dmg.dmg', 'dmgwiz/input_aes256.dmg'])(
    'is refused when it is none, or encrypted: %s',
    async (file) => {
      await using loop = await attachLoop({ sizeBytes: 16 * 1024 * 1024 })
      const { plan, outcome } = await restoreForReal({ source: realImagePath(file), target: loop.path })
      expect(plan.refusal?.code).toMatch(/^E_SRC_(FORMAT|ENCRYPTED)$/)
      expect(outcome).toMatchObject({ kind: 'failed', target: 'untouched' })
    },
  )
})

/** One of them holds 16 GiB of nothing. */
const encrypted = realImageList.filter(
  ({ password, expandedBytes }) => password !== undefined && expandedBytes < 1024 * 1024 * 1024,
)

describe.skipIf(missing('linux', 'root', 'loop', 'images'))('a real encrypted image on a loop device', () => {
  it.each(encrypted.map((image) => [image.file, image] as const))('%s', async (_, image) => {
    const { file, password = '', expandedBytes, expandedSha256 } = image
    const source = realImagePath(file)
    await unlockImage(source, password)
    await using loop = await attachLoop({ sizeBytes: expandedBytes + 3 * 1024 * 1024 })
    const summary = summaryOf(await restoreForReal({ source, target: loop.path }))
    expect(summary).toMatchObject({ restoredBytes: expandedBytes, verified: true, warnings: [] })
    expect(await sha256(loop.path, expandedBytes)).toBe(expandedSha256)
  })
})
