import { brotliCompressSync, deflateRawSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { sniffForeign, sniffStreamCodec } from '#engine/formats/raw'

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')

describe('the codec of a compressed raw image', () => {
  it('is told by the first bytes', () => {
    expect(sniffStreamCodec(gzipSync('disk'))).toBe('gzip')
    expect(sniffStreamCodec(zstdCompressSync('disk'))).toBe('zstd')
    expect(sniffStreamCodec(hex('fd377a585a00 0004 e6d6'))).toBe('xz')
    expect(sniffStreamCodec(Buffer.from('BZh91AY&SY'))).toBe('bzip2')
    expect(sniffStreamCodec(hex('425a6839 177245385090'))).toBe('bzip2')
    expect(sniffStreamCodec(hex('5e2a4d18 04000000 0000'))).toBe('zstd')
  })

  it('is none for what only looks alike', () => {
    for (const bytes of [
      Buffer.from('BZh01AY&SY'),
      Buffer.from('BZh9 and so on'),
      Buffer.from('BZh'),
      hex('1f8b07'),
      hex('1f8b'),
      hex('fd377a585a01'),
      hex('602a4d18'),
      deflateRawSync('disk'),
      brotliCompressSync('disk'),
      new Uint8Array(0),
    ])
      expect(sniffStreamCodec(bytes)).toBeNull()
  })
})

describe('images of other kinds', () => {
  it('are named', () => {
    const head = (offset: number, magic: string) => {
      const bytes = Buffer.alloc(512)
      bytes.write(magic, offset, 'latin1')
      return bytes
    }
    const none = new Uint8Array(512)
    expect(sniffForeign(head(0, 'sprs'), none)).toBe('sparseimage')
    expect(sniffForeign(head(0, 'QFI\xfb'), none)).toBe('qcow2')
    expect(sniffForeign(head(257, 'ustar'), none)).toBe('tar')
    expect(sniffForeign(head(64, '\x7f\x10\xda\xbe'), none)).toBe('vdi')
    expect(sniffForeign(head(0, '\x3a\xff\x26\xed'), none)).toBe('android-sparse')
    expect(sniffForeign(none, Buffer.concat([Buffer.from('conectix'), Buffer.alloc(504)]))).toBe('vhd')
    expect(sniffForeign(none, none)).toBeNull()
    expect(sniffForeign(new Uint8Array(0), new Uint8Array(0))).toBeNull()
  })
})
