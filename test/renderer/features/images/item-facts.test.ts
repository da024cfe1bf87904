import { describe, expect, it } from 'vitest'
import { FormatError, serializeError } from '#shared/errors'
import type { ImageInfo } from '#shared/model'
import { itemKind, longFacts, shortFacts } from '#src/renderer/features/images/item-facts.ts'
import { looksLikeImage } from '#src/renderer/features/images/image-names.ts'
import {
  anImage,
  lockedImage,
  sandisk,
  sparseImage,
  systemDisk,
  systemImage,
  webImage,
} from '#test/ui-fixtures'

const factsOf = (facts: ReturnType<typeof shortFacts>) =>
  Object.fromEntries(facts.map(({ name, value }) => [name, value]))

const image = {
  kind: 'image',
  image: {
    path: systemImage.path,
    name: systemImage.name,
    state: 'ready',
    info: systemImage,
    error: null,
    practice: false,
  },
} as const

describe('what the footer tells', () => {
  it('of a disk', () => {
    expect(factsOf(shortFacts({ kind: 'disk', disk: sandisk }))).toEqual({
      Bus: 'USB',
      Device: '/dev/sdb',
      Format: 'GUID partition map',
      'Mounted at': '/media/ann/UNTITLED',
      Capacity: '61.5 GB',
    })
  })

  it('of a protected disk, why', () => {
    expect(itemKind({ kind: 'disk', disk: systemDisk })).toBe('Protected: runs this computer (/)')
  })

  it('of an image, with its scan', () => {
    expect(factsOf(shortFacts(image))).toMatchObject({
      Capacity: '14.2 GB',
      'File size': '5.8 GB',
      Scanned: expect.stringContaining('SHA-256'),
    })
  })
})

const opened = (info: ImageInfo) =>
  ({ kind: 'image', image: { ...image.image, path: info.path, name: info.name, info } }) as const

describe('what the footer tells of other images', () => {
  it('that a locked one wants its password', () => {
    const error = serializeError(
      new FormatError('E_SRC_ENCRYPTED', 'x', { details: { format: 'encrcdsa', field: 'x', offset: 0 } }),
    )
    const locked = { kind: 'image', image: { ...image.image, state: 'failed', info: null, error } } as const
    expect(itemKind(locked)).toBe('Encrypted disk image')
    expect(factsOf(shortFacts(locked))['Locked']).toContain('password')
  })

  it('that one is encrypted, and how', () => {
    const item = opened(lockedImage)
    expect(itemKind(item)).toBe('Encrypted disk image')
    expect(factsOf(shortFacts(item))).toMatchObject({ Encrypted: 'AES-256' })
  })

  it('nothing of a scan where there can be none', () => {
    expect(factsOf(shortFacts(opened(sparseImage)))).toEqual({
      Format: 'Sparse disk image',
      Capacity: '20 GB',
      'File size': '1.3 GB',
    })
  })

  it('an address without name and password', () => {
    const item = opened({ ...webImage, path: 'https://ann:hush@images.example/System.dmg' })
    expect(itemKind(item)).toBe('Disk image on a web server')
    expect(factsOf(longFacts(item))['Address']).toBe('https://images.example/System.dmg')
  })
})

const rawImage = anImage({ path: '/images/disk.img', format: 'raw', tables: [], scan: null })

describe('what Get Info tells', () => {
  it('of the volumes of an APFS container, with their roles', () => {
    const [partition] = systemImage.partitions
    if (!partition) throw new Error('the fixture has partitions')
    const volumes = [
      { name: 'Macintosh HD', uuid: 'a', role: 'System' },
      { name: 'Scratch', uuid: 'b', role: null },
    ]
    const item = opened({ ...systemImage, partitions: [{ ...partition, index: 2, volumes }] })
    expect(factsOf(longFacts(item))['APFS volumes in 2']).toBe('Macintosh HD (System), Scratch')
  })

  it('how many blocks have a hash', () => {
    expect(factsOf(longFacts(image))['Block hashes']).toBe('13,543 of 1.05 MB')
  })

  it('of an image: partitions, tables and checksums', () => {
    expect(factsOf(longFacts(image))).toMatchObject({
      'Partition 2': 'System, HFS+, 13.9 GB',
      Tables: '3, 3 with checksum',
      'Master checksum': 'CRC-32 e0c4d511',
      'In order': 'Yes, ready to be multicast',
    })
  })

  it('that an image is ready to be multicast only when the server would take it', () => {
    const of = (change: Partial<typeof systemImage>) => {
      const item = opened({ ...systemImage, ...change })
      return [factsOf(longFacts(item))['In order'], factsOf(shortFacts(item))['Scanned']]
    }
    expect(of({})).toEqual(['Yes, ready to be multicast', expect.stringMatching(/, stream-ready$/)])
    expect(of({ scan: null })).toEqual(['Yes', 'No'])
    expect(of({ segmentCount: 2 })).toEqual(['Yes', expect.not.stringContaining('stream-ready')])
    expect(of({ inOrder: false })[0]).toBe('No')
  })

  it('of a checksum beside an image, and whether it is what the image is compared with', () => {
    const fileChecksum = { algorithm: 'SHA-256', value: 'ab12' }
    const raw = opened({ ...rawImage, fileChecksum })
    expect(factsOf(longFacts(raw))['Beside it']).toBe('SHA-256 ab12, in disk.img.sha256')
    expect(factsOf(shortFacts(raw))).toMatchObject({ Checksum: 'SHA-256 beside it' })
    const udif = opened({ ...systemImage, fileChecksum })
    expect(factsOf(longFacts(udif))['Beside it']).toBe(
      'SHA-256 ab12, in ModularSystem.dmg.sha256; only Verify compares it',
    )
    expect(factsOf(shortFacts(udif))).not.toHaveProperty('Checksum')
    const compressed = opened({ ...rawImage, fileChecksum, format: 'raw.xz' })
    expect(factsOf(shortFacts(compressed))).toMatchObject({ Checksum: 'SHA-256 beside it' })
    const locked = opened({ ...rawImage, fileChecksum, encrypted: { bits: 256, version: 2 } })
    expect(factsOf(shortFacts(locked))).not.toHaveProperty('Checksum')
  })

  it('of a disk: every volume and the exact size', () => {
    expect(factsOf(longFacts({ kind: 'disk', disk: sandisk }))).toMatchObject({
      Capacity: '61.5 GB (61,500,000,000 bytes)',
      'Partition 2': 'UNTITLED, exFAT, 61.2 GB, /media/ann/UNTITLED',
    })
  })
})

describe('the open panel', () => {
  it('shows images, plain or compressed, and hides the rest', () => {
    const shown = ['a.dmg', 'B.DMG', 'c.img.xz', 'd.iso', 'e.raw', 'f.zst', 'g.cdr', 'h.bin'].filter(
      looksLikeImage,
    )
    expect(shown).toHaveLength(8)
    expect(['notes.txt', 'dmg', 'a.dmg.txt', 'photo.png'].filter(looksLikeImage)).toEqual([])
  })
})

it('Get Info tells which checksum a compressed image carries', () => {
  const info = { ...systemImage, format: 'raw.gz', streamChecksum: 'CRC-32' } as const
  expect(factsOf(longFacts({ ...image, image: { ...image.image, info } }))).toMatchObject({
    Checksum: 'CRC-32 of its contents, which Verify compares',
  })
  expect(factsOf(longFacts(image))).not.toHaveProperty('Checksum')
})
