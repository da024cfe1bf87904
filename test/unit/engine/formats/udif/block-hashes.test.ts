import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  blockBytesFor,
  encodeBlockHashes,
  parseBlockHashes,
  parseBlockHashesHeader,
  rootOfBlocks,
} from '#src/main/engine/formats/udif/block-hashes.ts'

const sha = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest()
const block = (fill: number) => sha(Buffer.alloc(4096, fill))
const about = { diskBytes: 3 * 4096, scannedMs: Date.UTC(2026, 10, 21), scannedBy: 'Reprise 0.1.0' }
const blocks = { blockBytes: 4096, hashes: Buffer.concat([block(1), block(2), block(3)]) }
const resource = () => Buffer.concat(encodeBlockHashes(blocks, about))

describe('block hashes', () => {
  it('add up to the root of a tree whose leaves and nodes are told apart', () => {
    const leaf = (hash: Uint8Array) => sha(Buffer.of(0), hash)
    const node = (left: Uint8Array, right: Uint8Array) => sha(Buffer.of(1), left, right)
    const top = node(node(leaf(block(1)), leaf(block(2))), leaf(block(3)))
    const sizes = Buffer.from('0200000000000030000000000000001000', 'hex')
    expect(rootOfBlocks(blocks, about)).toBe(sha(sizes, top).toString('hex'))
  })

  it('add up to something else for a disk of another size', () => {
    expect(rootOfBlocks(blocks, { diskBytes: 3 * 4096 - 512 })).not.toBe(rootOfBlocks(blocks, about))
  })

  it('come back as they were stored', () => {
    const read = parseBlockHashes(resource(), about.diskBytes)
    expect(read).toMatchObject({ ...about, blockBytes: 4096, count: 3, root: rootOfBlocks(blocks, about) })
    expect(Buffer.from(read.hashes)).toEqual(blocks.hashes)
  })

  it.each([
    ['signature', 0, 'x'],
    ['version', 7, '\u0002'],
    ['hashType', 15, '\u0002'],
    ['diskBytes', 22, '\u0010'],
    ['blockBytes', 30, '\u0011'],
    ['blockCount', 39, '\u0004'],
  ])('are refused when %s lies', (field, at, text) => {
    const data = resource()
    data.write(text, at, 'latin1')
    expect(() => parseBlockHashes(data, about.diskBytes)).toThrow(
      expect.objectContaining({
        code: 'E_SRC_CORRUPT',
        details: expect.objectContaining({ field: `rpbh.${field}` }) as unknown,
      }),
    )
  })

  it('are refused when one of them was changed', () => {
    const data = resource()
    data.writeUInt8(data.readUInt8(140) ^ 1, 140)
    expect(() => parseBlockHashes(data, about.diskBytes)).toThrow(
      expect.objectContaining({ details: expect.objectContaining({ field: 'rpbh.root' }) as unknown }),
    )
  })

  it('are refused, without looking at the rest, when the head promises more than there is', () => {
    const data = resource()
    expect(() =>
      parseBlockHashesHeader(data.subarray(0, 128), { lengthBytes: 127, diskBytes: about.diskBytes }),
    ).toThrow(expect.objectContaining({ code: 'E_SRC_CORRUPT' }))
  })

  it('are for blocks of a megabyte, larger ones where there would be too many', () => {
    expect([512, 2 ** 42, 2 ** 42 + 512].map(blockBytesFor)).toEqual([2 ** 20, 2 ** 20, 2 ** 21])
  })
})
