import { appendFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { checksumsOf } from '#engine/formats/extents'
import { openImage, rememberUnchecked } from '#engine/formats/image'
import { buildUdif, writeUdif, type RunSpec } from '#test/build-udif'
import { noise } from '#test/image-of-runs'
import { temporaryFolder } from '#test/temporary-folder'

/** Each with its right checksum, or without one. */
interface Table {
  readonly runs: readonly RunSpec[]
  readonly checked: boolean
}

const data: RunSpec = { kind: 'raw', sectors: 100, data: noise(51_200, 1) }
const zeros: RunSpec = { kind: 'zero', sectors: 100 }
const unused: RunSpec = { kind: 'ignore', sectors: 100 }

async function open(folder: string, tables: readonly Table[]) {
  const built = buildUdif({
    tables: tables.map(({ runs, checked }) => ({ runs, ...(checked ? {} : { crc32: null }) })),
  })
  const path = writeUdif(folder, built, 'a')
  return { path, layout: (await openImage(path)).layout }
}

describe('the checksums in an image', () => {
  const checked: Table = { runs: [zeros, data, unused, data], checked: true }
  it.each([
    ['are of all that is stored', [checked, checked], 'inside'],
    ['may leave out what stores nothing', [checked, { runs: [zeros, unused], checked: false }], 'inside'],
    ['may be of a part of it, the first', [checked, { runs: [data], checked: false }], 'partly'],
    ['may be of a part of it, the last', [{ runs: [unused, data], checked: false }, checked], 'partly'],
    ['may be missing', [{ runs: [data], checked: false }], 'none'],
  ] as const)('%s', async (_, tables, expected) => {
    await using folder = await temporaryFolder()
    expect(checksumsOf((await open(folder.path, tables)).layout)).toBe(expected)
  })

  it('vouch for what is read only when they are of all of it', async () => {
    const afterWriting = async (isChecked: boolean) => {
      await using folder = await temporaryFolder()
      const { path, layout } = await open(folder.path, [checked, { runs: [data], checked: isChecked }])
      const files = await rememberUnchecked(layout)
      await appendFile(path, 'more')
      await files.checkUnchanged()
    }
    await afterWriting(true)
    await expect(afterWriting(false)).rejects.toMatchObject({ code: 'E_SRC_CHANGED' })
  })
})
