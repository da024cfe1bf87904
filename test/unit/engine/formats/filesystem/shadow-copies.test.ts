import { describe, expect, it } from 'vitest'
import { hasShadowCopies } from '#src/main/engine/formats/filesystem/shadow-copies.ts'

function volumeWith(header: Uint8Array, sizeBytes = 64 * 1024) {
  const bytes = Buffer.alloc(sizeBytes)
  bytes.set(header.subarray(0, Math.max(0, sizeBytes - 0x1e00)), 0x1e00)
  return {
    sizeBytes,
    read: async (offset: number, lengthBytes: number) => bytes.subarray(offset, offset + lengthBytes),
  }
}

function header(catalogAt: bigint): Buffer {
  const bytes = Buffer.alloc(128)
  bytes.write('6b87083876c1484eb7ae04046e6cc752', 'hex')
  bytes.writeBigUInt64LE(catalogAt, 48)
  return bytes
}

describe('shadow copies of a volume', () => {
  it('are there when its header leads to a catalogue', async () => {
    expect(await hasShadowCopies(volumeWith(header(0x40_0000n)))).toBe(true)
  })

  it.each([
    ['has no catalogue', volumeWith(header(0n))],
    ['has another mark', volumeWith(Buffer.alloc(128, 1))],
    ['ends before it', volumeWith(header(1n), 0x1e00 + 20)],
  ])('are not there when it %s', async (_, volume) => {
    expect(await hasShadowCopies(volume)).toBe(false)
  })
})
