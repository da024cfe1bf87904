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
    expect(sniffStreamCodec(hex('502a4d18 04000000 0000'))).toBe('zstd')
    expect(sniffStreamCodec(hex('5f2a4d18 04000000 0000'))).toBe('zstd')
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
    const known = {
      sparseimage: head(0, 'sprs'),
      qcow2: head(0, 'QFI\xfb'),
      vmdk: head(0, 'KDMV'),
      vhdx: head(0, 'vhdxfile'),
      vdi: head(64, '\x7f\x10\xda\xbe'),
      'android-sparse': head(0, '\x3a\xff\x26\xed'),
      wim: head(0, 'MSWIM'),
      zip: head(0, 'PK\x03\x04'),
      '7z': head(0, "7z\xbc\xaf'\x1c"),
      rar: head(0, 'Rar!\x1a\x07'),
      tar: head(257, 'ustar'),
      cab: head(0, 'MSCF'),
      xar: head(0, 'xar!'),
      lz4: head(0, '\x04\x22\x4d\x18'),
      lzip: head(0, 'LZIP'),
      pdf: head(0, '%PDF-1.7'),
    }
    for (const [name, bytes] of Object.entries(known)) expect(sniffForeign(bytes, none)).toBe(name)
    expect(sniffForeign(none, Buffer.concat([Buffer.from('conectix'), Buffer.alloc(504)]))).toBe('vhd')
    expect(sniffForeign(none, none)).toBeNull()
    expect(sniffForeign(new Uint8Array(0), new Uint8Array(0))).toBeNull()
  })
})
