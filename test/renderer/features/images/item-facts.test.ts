import { describe, expect, it } from 'vitest'
import { itemKind, longFacts, shortFacts } from '#src/renderer/features/images/item-facts.ts'
import { looksLikeImage } from '#src/renderer/features/images/image-names.ts'
import { sandisk, systemDisk, systemImage } from '#test/ui-fixtures'

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

describe('what Get Info tells', () => {
  it('of an image: partitions, tables and checksums', () => {
    expect(factsOf(longFacts(image))).toMatchObject({
      'Partition 2': 'System, HFS+, 13.9 GB',
      Tables: '3, 3 with checksum',
      'Master checksum': 'CRC-32 e0c4d511',
      'In order': 'Yes, ready to be multicast',
    })
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
