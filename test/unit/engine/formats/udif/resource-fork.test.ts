import { describe, expect, it } from 'vitest'
import { buildUdif, encodeResourceFork, type UdifSpec } from '#test/build-udif'
import { rejectionOf } from '#test/format-errors'
import { readBuilt, readSpec, rowsOf } from '#test/read-built-udif'

const spec: UdifSpec = {
  tables: [
    {
      name: 'Driver Descriptor Map (DDM : 0)',
      runs: [{ kind: 'raw', sectors: 1, data: new Uint8Array(512).fill(1) }],
    },
    {
      name: 'disk image (Apple_HFS : 2)',
      runs: [
        { kind: 'zlib', sectors: 4 },
        { kind: 'ignore', sectors: 3 },
      ],
    },
  ],
  resources: [{ type: 'plst', id: 0, data: new Uint8Array(1032) }],
  list: 'fork',
}

describe('an image with a resource fork and no plist', () => {
  it('is read as one with a plist', async () => {
    const fork = await readSpec(spec)
    const plist = await readSpec({ ...spec, list: 'plist' })
    expect(rowsOf(fork.layout.extents)).toEqual(rowsOf(plist.layout.extents))
    expect(fork.tables).toEqual(plist.tables)
    expect(fork.masterCheck).toEqual(plist.masterCheck)
  })

  it('is read by its plist when it has both', async () => {
    const both = await readSpec({
      ...spec,
      list: 'both',
      editPlist: (xml) => xml.replaceAll('Apple_HFS', 'Apple_APFS'),
    })
    expect(both.tables[1]?.name).toBe('disk image (Apple_APFS : 2)')
  })

  it('may have resources without names', async () => {
    const bytes = encodeResourceFork([{ type: 'plst', id: -3, data: new Uint8Array(2) }])
    expect(bytes.length).toBe(256 + 6 + 28 + 10 + 12)
  })

  it('is refused where a count, an offset or a length leads outside, whichever byte lies', async () => {
    const built = buildUdif(spec)
    const start = built.bytes.length - 512 - encodedForkBytes(built.bytes)
    let refused = 0
    for (let at = start; at < built.bytes.length - 512; at++) {
      const bytes = built.bytes.slice()
      bytes[at] = 0xff
      // Either another value that is possible, or a FormatError: rejectionOf lets nothing else through.
      const failure = await readBuilt({ ...built, bytes }).then(
        () => null,
        (error: unknown) => rejectionOf(Promise.reject(error)),
      )
      if (failure !== null) refused++
    }
    expect(refused).toBeGreaterThan(40)
  })

  it('names what leads outside', async () => {
    const built = buildUdif(spec)
    const start = built.bytes.length - 512 - encodedForkBytes(built.bytes)
    const lie = async (at: number, value: number) => {
      const bytes = Buffer.from(built.bytes)
      bytes.writeUInt32BE(value, start + at)
      return (await rejectionOf(readBuilt({ ...built, bytes: Uint8Array.from(bytes) }))).field
    }
    expect(await lie(0, 0xffffff)).toBe('resourceFork.dataLength')
    expect(await lie(4, 0xffffff)).toBe('resourceFork.mapOffset')
    expect(await lie(8, 0xffffff)).toBe('resourceFork.dataLength')
    expect(await lie(12, 0xffffff)).toBe('resourceFork.mapOffset')
    expect(await lie(12, 0xffffffff)).toBe('resourceFork.mapLength')
    // The length in front of the first resource.
    expect(await lie(256, 0xffffff)).toBe('resource.length')
  })

  it('is refused when its references lead to the same data again and again', async () => {
    const table = new Uint8Array(70_000)
    const fork = encodeResourceFork([{ type: 'junk', id: 0, data: table }])
    const map = Buffer.from(fork.buffer, fork.byteOffset, fork.length)
    const mapAt = map.readUInt32BE(4)
    // 5000 references to one resource, in a map that has room for them.
    const larger = Buffer.concat([map, Buffer.alloc(5000 * 12)])
    larger.writeUInt32BE(map.length - mapAt + 5000 * 12, 12)
    larger.writeUInt16BE(4999, mapAt + 28 + 6)
    const built = buildUdif(spec)
    const bytes = Buffer.concat([larger, built.bytes.subarray(-512)])
    bytes.writeBigUInt64BE(0n, larger.length + 40)
    bytes.writeBigUInt64BE(BigInt(larger.length), larger.length + 48)
    bytes.writeBigUInt64BE(0n, larger.length + 32)
    expect(await rejectionOf(readBuilt({ ...built, bytes: Uint8Array.from(bytes) }))).toMatchObject({
      field: 'resource.length',
    })
  })
})

/** koly.rsrcForkLength */
function encodedForkBytes(bytes: Uint8Array): number {
  return Number(Buffer.from(bytes.subarray(-512)).readBigUInt64BE(48))
}
