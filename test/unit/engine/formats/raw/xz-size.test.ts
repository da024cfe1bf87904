import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { readXzSize } from '#engine/formats/raw'
import { rejectionOf } from '#test/format-errors'
import { memorySource } from '#test/memory-source'

const sizeOf = (...parts: Uint8Array[]) => readXzSize(memorySource(Buffer.concat(parts)))

function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80)
  return [...bytes, rest]
}

const le32 = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

/** An .xz stream whose blocks are of zeros: only its structure is right. [unpadded size, expanded size] each. */
function stream(...blocks: [number, number][]): Buffer {
  const magic = Buffer.from('fd377a585a000000', 'hex')
  const stored = blocks.reduce((total, [unpadded]) => total + Math.ceil(unpadded / 4) * 4, 0)
  const records = Buffer.from([
    0,
    ...varint(blocks.length),
    ...blocks.flatMap(([a, b]) => [...varint(a), ...varint(b)]),
  ])
  const body = Buffer.concat([records, Buffer.alloc((4 - (records.length % 4)) % 4)])
  const index = Buffer.concat([body, le32(crc32(body))])
  const tail = Buffer.concat([le32(index.length / 4 - 1), Buffer.from([0, 0])])
  return Buffer.concat([
    magic,
    le32(0),
    Buffer.alloc(stored),
    index,
    le32(crc32(tail)),
    tail,
    Buffer.from('YZ'),
  ])
}

describe('the size of an xz file', () => {
  it('is the sum over the blocks of its index', async () => {
    expect(await sizeOf(stream([30, 1000]))).toBe(1000)
    expect(await sizeOf(stream([30, 1000], [5000, 2 ** 33]))).toBe(2 ** 33 + 1000)
    expect(await sizeOf(stream())).toBe(0)
  })

  it('is the sum over its streams, with padding between them and behind', async () => {
    expect(await sizeOf(stream([8, 10]), Buffer.alloc(70_000), stream([8, 5]), Buffer.alloc(8))).toBe(15)
  })

  it('is refused when the file is cut short, wherever', async () => {
    const whole = stream([30, 1000], [9, 7])
    for (let length = 1; length < whole.length; length++) {
      const failure = await rejectionOf(sizeOf(whole.subarray(0, length)))
      expect(failure).toMatchObject({ code: 'E_SRC_CORRUPT', format: 'xz' })
    }
  })

  it('is refused when a byte of index, footer or magic is wrong', async () => {
    const whole = stream([30, 1000])
    const structure = [
      0,
      1,
      2,
      3,
      4,
      5,
      ...Array.from({ length: 12 + 8 + 4 }, (_, back) => whole.length - 1 - back),
    ]
    for (const at of structure) {
      const bytes = Buffer.from(whole)
      bytes[at] = (bytes[at] ?? 0) ^ 0x11
      expect(await rejectionOf(sizeOf(bytes))).toMatchObject({ code: 'E_SRC_CORRUPT', format: 'xz' })
    }
  })

  it('is refused when the index claims more than the file has, or more than numbers hold', async () => {
    const lying = stream([30, 1000])
    const short = Buffer.concat([lying.subarray(0, 12), lying.subarray(12 + 8)])
    expect(await rejectionOf(sizeOf(short))).toMatchObject({ field: 'index.unpaddedSize' })
    expect(await rejectionOf(sizeOf(stream([8, 2 ** 53 - 2], [8, 2 ** 53 - 2])))).toMatchObject({
      field: 'index.uncompressedSize',
    })
  })

  it('is refused when the index claims more records than it has', async () => {
    const whole = stream([30, 1000])
    const indexAt = 12 + 32
    whole[indexAt + 1] = 5
    whole.writeUInt32LE(crc32(whole.subarray(indexAt, whole.length - 12 - 4)), whole.length - 12 - 4)
    expect(await rejectionOf(sizeOf(whole))).toMatchObject({ field: 'index.records' })
  })
})
