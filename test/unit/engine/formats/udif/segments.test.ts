import { describe, expect, it } from 'vitest'
import { kolyBytes, kolyStruct, parseKoly, readUdif, segmentPath } from '#engine/formats/udif'
import { DeviceError } from '#shared/errors'
import { buildUdif, type BuiltUdif, type UdifSpec } from '#test/build-udif'
import { rejectionOf } from '#test/format-errors'
import { memorySource, type MemorySource } from '#test/memory-source'
import { openerOf, readBuilt, rowsOf } from '#test/read-built-udif'

const spec: UdifSpec = {
  tables: [
    {
      runs: [1, 2, 3, 4].map((value) => ({
        kind: 'raw',
        sectors: 3,
        data: new Uint8Array(1536).fill(value),
      })),
    },
  ],
  segments: 3,
}

/** `built` with the trailer of file `index` changed. */
function withKoly(built: BuiltUdif, index: number, lie: Parameters<typeof kolyStruct.encode>[0]): BuiltUdif {
  const files = built.files.map((file, place) => {
    if (place !== index) return file
    const koly = parseKoly(file.bytes.subarray(-kolyBytes), file.bytes.length)
    const bytes = file.bytes.slice()
    bytes.set(kolyStruct.encode({ ...koly, ...lie }), bytes.length - kolyBytes)
    return { ...file, bytes }
  })
  return { ...built, files, bytes: files[0]?.bytes ?? built.bytes }
}

describe('a segmented image', () => {
  it('is one stored stream over its files; runs may straddle them', async () => {
    const built = buildUdif(spec)
    const { layout, segmentCount, storedBytes } = await readBuilt(built)
    expect(segmentCount).toBe(3)
    expect(storedBytes).toBe(built.files.reduce((total, { bytes }) => total + bytes.length, 0))
    expect(layout.parts).toEqual([
      { path: '/memory/image.dmg', streamOffset: 0, fileOffset: 0, lengthBytes: 2048 },
      { path: '/memory/image.002.dmgpart', streamOffset: 2048, fileOffset: 0, lengthBytes: 2048 },
      { path: '/memory/image.003.dmgpart', streamOffset: 4096, fileOffset: 0, lengthBytes: 2048 },
    ])
    expect(rowsOf(layout.extents)[1]).toBe('raw 1536+1536 @1536+1536')
    expect(layout.storedChecks.map(({ path, lengthBytes }) => [path, lengthBytes])).toEqual(
      layout.parts.map(({ path, lengthBytes }) => [path, lengthBytes]),
    )
  })

  it('names its files with three digits, then as many as needed', () => {
    expect(segmentPath('/a/My Image.dmg', 2)).toBe('/a/My Image.002.dmgpart')
    expect(segmentPath('/a/b.DMG', 10)).toBe('/a/b.010.dmgpart')
    expect(segmentPath('/a/b.dmg', 1000)).toBe('/a/b.1000.dmgpart')
    expect(segmentPath('/a.dmg/b', 2)).toBe('/a.dmg/b.002.dmgpart')
  })

  it('closes every segment it opened', async () => {
    const built = buildUdif(spec)
    const open = openerOf(built)
    const opened: MemorySource[] = []
    await readUdif(
      memorySource(built.bytes),
      parseKoly(built.bytes.subarray(-512), built.bytes.length),
      async (path) => {
        const source = (await open(path)) as MemorySource
        opened.push(source)
        return source
      },
    )
    expect(opened.map((source) => source.isClosed())).toEqual([true, true])
  })

  it('is refused when a segment is missing', async () => {
    const built = buildUdif(spec)
    const lacking = { ...built, files: built.files.slice(0, 2) }
    expect(await rejectionOf(readBuilt(lacking))).toMatchObject({
      code: 'E_SRC_SEGMENT',
      field: 'koly.segmentCount',
    })
  })

  it('is refused when a segment is no UDIF file', async () => {
    const built = buildUdif(spec)
    for (const bytes of [new Uint8Array(0), new Uint8Array(100), new Uint8Array(5000)]) {
      const files = built.files.map((file, index) => (index === 1 ? { ...file, bytes } : file))
      expect(await rejectionOf(readBuilt({ ...built, files }))).toMatchObject({ code: 'E_SRC_SEGMENT' })
    }
  })

  it('is refused when a segment belongs to another image, or to another place', async () => {
    const built = buildUdif(spec)
    const other = '00000000-0000-0000-0000-000000000001'
    expect(await rejectionOf(readBuilt(withKoly(built, 1, { segmentID: other })))).toMatchObject({
      code: 'E_SRC_SEGMENT',
      field: 'koly.segmentID',
      offset: 2048 + 64,
    })
    expect(await rejectionOf(readBuilt(withKoly(built, 1, { segmentNumber: 3 })))).toMatchObject({
      code: 'E_SRC_SEGMENT',
      field: 'koly.segmentNumber',
    })
    expect(await rejectionOf(readBuilt(withKoly(built, 1, { segmentCount: 4 })))).toMatchObject({
      code: 'E_SRC_SEGMENT',
      field: 'koly.segmentCount',
    })
    expect(await rejectionOf(readBuilt(withKoly(built, 2, { runningDataForkOffset: 1 })))).toMatchObject({
      code: 'E_SRC_CORRUPT',
      field: 'koly.runningDataForkOffset',
    })
  })

  it('is refused when another file than the first is opened', async () => {
    const built = buildUdif(spec)
    const second = built.files[1]?.bytes ?? built.bytes
    expect(await rejectionOf(readBuilt({ ...built, bytes: second }))).toMatchObject({
      code: 'E_SRC_SEGMENT',
      field: 'koly.segmentNumber',
    })
  })

  it('with a monstrous count is refused at the first file that is not there', async () => {
    const built = withKoly(buildUdif({ ...spec, segments: 1 }), 0, { segmentCount: 0xffffffff })
    expect(await rejectionOf(readBuilt(built))).toMatchObject({ code: 'E_SRC_SEGMENT' })
  })

  it('lets through what the system says of a segment', async () => {
    const built = buildUdif(spec)
    const denied = new DeviceError('E_DENIED', 'no', { details: { path: 'x' } })
    const reading = readUdif(
      memorySource(built.bytes),
      parseKoly(built.bytes.subarray(-512), built.bytes.length),
      () => Promise.reject(denied),
    )
    await expect(reading).rejects.toBe(denied)
  })
})
