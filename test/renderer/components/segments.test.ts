import { describe, expect, it } from 'vitest'
import { diskSegments, imageSegments, volumeSegments } from '#src/renderer/components/segments.ts'
import { aDisk, anImage, aVolume } from '#test/ui-fixtures'

const nameOf = (volume: { readonly path: string }) => volume.path
const drawn = (segments: ReturnType<typeof diskSegments>) =>
  segments.map((segment) => [segment.color === 'free' ? 'free' : segment.name, segment.sizeBytes])

describe('a disk as a bar', () => {
  it('has its volumes in order, and the room between and behind them', () => {
    const disk = aDisk({
      path: '/dev/sda',
      sizeBytes: 1000,
      volumes: [
        aVolume({ path: 'b', offset: 600, sizeBytes: 200 }),
        aVolume({ path: 'a', offset: 100, sizeBytes: 400 }),
      ],
    })
    expect(drawn(diskSegments(disk, nameOf))).toEqual([
      ['free', 100],
      ['a', 400],
      ['free', 100],
      ['b', 200],
      ['free', 200],
    ])
  })

  it('gives colours to volumes alone: a gap before the first changes none', () => {
    const volumes = [
      aVolume({ path: 'a', offset: 100, sizeBytes: 400 }),
      aVolume({ path: 'b', offset: 600, sizeBytes: 200 }),
    ]
    const disk = aDisk({ path: '/dev/sda', sizeBytes: 1000, volumes })
    expect(diskSegments(disk, nameOf).map(({ color }) => color)).toEqual(['free', 1, 'free', 2, 'free'])
    expect(volumeSegments(volumes[1]!, disk, 'b')).toMatchObject([{ name: 'b', color: 2 }])
  })

  it('leaves out gaps of alignment', () => {
    const disk = aDisk({
      path: 'd',
      sizeBytes: 1000,
      volumes: [aVolume({ path: 'a', offset: 2, sizeBytes: 995 })],
    })
    expect(drawn(diskSegments(disk, nameOf))).toEqual([['a', 995]])
  })

  it('cuts volumes that overlap or reach over the end', () => {
    const disk = aDisk({
      path: 'd',
      sizeBytes: 1000,
      volumes: [
        aVolume({ path: 'a', offset: 0, sizeBytes: 600 }),
        aVolume({ path: 'b', offset: 500, sizeBytes: 9000 }),
        aVolume({ path: 'c', offset: 2000, sizeBytes: 10 }),
      ],
    })
    expect(drawn(diskSegments(disk, nameOf))).toEqual([
      ['a', 600],
      ['b', 400],
    ])
  })

  it('is one stretch without volumes where there are none', () => {
    expect(drawn(diskSegments(aDisk({ path: 'd', sizeBytes: 10 }), nameOf))).toEqual([['free', 10]])
    expect(diskSegments(aDisk({ path: 'd', sizeBytes: 10 }), nameOf)[0]?.name).toBe('No volumes')
  })
})

describe('an image as a bar', () => {
  it('names a partition by its label, else by what it holds', () => {
    const partition = { index: 1, name: null, type: 'Apple_HFS', offset: 0, sizeBytes: 10 }
    const image = anImage({
      path: 'a.dmg',
      sizeBytes: 20,
      partitions: [
        { ...partition, filesystem: 'hfsplus', label: null },
        { ...partition, index: 2, offset: 10, filesystem: null, label: null },
      ],
    })
    expect(imageSegments(image).map((segment) => segment.name)).toEqual(['HFS+', 'Apple_HFS'])
  })

  it('is nothing while the size is not known', () => {
    expect(imageSegments(anImage({ path: 'a.gz', sizeBytes: null }))).toEqual([])
  })
})
