/** Images made by Apple's own tools, scanned: on copies, for a scan changes them. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, copyFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openImage } from '#engine/formats/image'
import { addChecksums, scanImage, verifyImage } from '#engine/scan'
import { expandImage } from '#test/expand-image'
import { missing, program } from '#test/needs'
import { realImageList, realImagePath } from '#test/real-images'
import { quietContext } from '#test/quiet-context'
import { temporaryFolder } from '#test/temporary-folder'

const skip = missing('images', 'program:7zz')
/** One of each format, and all that aren't in order: the others are like them. */
const scannable = realImageList.filter(
  ({ kind, inOrder, password }, index) =>
    /^(UD|UL)[A-Z]{2}$/.test(kind) &&
    kind !== 'UDRW' &&
    password === undefined &&
    (inOrder === false || !realImageList.slice(0, index).some((other) => other.kind === kind)),
)

const copyOf = (into: string, file: string) => {
  const path = join(into, basename(file))
  copyFileSync(realImagePath(file), path)
  chmodSync(path, 0o644)
  return path
}
const options = { scannedBy: 'Reprise 9.9.9' }
const whole = { reorder: true, allowFragmentedCatalog: false }

describe.skipIf(skip)('a real image', () => {
  for (const image of scannable)
    it(`${image.file} is scanned, is in order then, holds the same disk, and 7-Zip accepts it`, async () => {
      await using place = await temporaryFolder()
      const path = copyOf(place.path, image.file)
      const before = (await openImage(path)).info
      if (before.tables.length === 0) return
      const result = await scanImage({ path, ...whole }, quietContext(), options)
      expect(result.stored).toBe(before.inOrder === false ? 'reordered' : 'added')
      const after = await openImage(path)
      expect(after.info).toMatchObject({ inOrder: true, scan: result.scan, sizeBytes: before.sizeBytes })
      const hash = createHash('sha256')
      for await (const piece of expandImage(after)) hash.update(piece)
      expect(hash.digest('hex')).toBe(image.expandedSha256)
      // It complains by its exit status.
      execFileSync(program('7zz') ?? '', ['t', path], { stdio: 'pipe' })
    })

  it('made by libdmg says what its scan said', async () => {
    await using place = await temporaryFolder()
    const path = copyOf(place.path, 'etcher/gpt-in-dmg.dmg')
    const theirs = (await openImage(path)).info.scan?.partitions[0]?.blockChecksum2
    const { scan } = await scanImage({ path, ...whole }, quietContext(), options)
    expect((await scanImage({ path, ...whole }, quietContext(), options)).stored).toBe('kept')
    expect(theirs).toBe('f7ea78ed')
    expect(scan.partitions[0]?.blockChecksum2).toBe(theirs)
  })

  it('with an APFS container names its volumes', async () => {
    const { info } = await openImage(realImagePath('dmgwiz/input_lzfse.dmg'))
    expect(info.partitions.flatMap(({ volumes = [] }) => volumes)).toEqual([
      { name: 'empty', uuid: '443FC7EB-34AC-4E87-BC11-A5F5AFB94F16', role: null },
    ])
  })

  it('gets the checksum of its data fork that it lacks', async () => {
    await using place = await temporaryFolder()
    const path = copyOf(place.path, 'dmgwiz/input_zlib.dmg')
    expect((await openImage(path)).info.dataForkChecksum).toBeNull()
    const { added, besides } = await addChecksums({ path, replace: false }, quietContext())
    expect(besides).toBeNull()
    expect(added.map(({ what }) => what)).toEqual([`data fork of ${path}`])
    const { checked } = await verifyImage(path, quietContext())
    expect(checked.map(({ what }) => what)).toContain(`data fork of ${path}`)
    expect((await addChecksums({ path, replace: false }, quietContext())).added).toEqual([])
  })
})
