import { describe, expect, it } from 'vitest'
import {
  describeProblem,
  destinationOptions,
  destinationProblem,
  type SourceChoice,
} from '#src/renderer/store/index.ts'
import { createEngineMirror } from '#src/renderer/store/engine-mirror.ts'
import {
  aDisk,
  anImage,
  aVolume,
  card,
  GB,
  sandisk,
  smallStick,
  systemDisk,
  systemImage,
} from '#test/ui-fixtures'

const imageSource = (image = systemImage): SourceChoice => ({
  locator: image.path,
  name: image.name,
  state: 'ready',
  error: null,
  info: { kind: 'image', locator: image.path, name: image.name, image },
})

const told = (...args: Parameters<typeof destinationProblem>) => {
  const problem = destinationProblem(...args)
  return problem && describeProblem(problem)
}

describe('why a disk cannot be the destination', () => {
  it('has nothing against a disk that is large enough', () => {
    expect(told(sandisk, null, imageSource())).toBeNull()
  })

  it('names what is missing on a disk that is too small', () => {
    expect(told(smallStick, null, imageSource())).toBe('Too small by 6.2 GB')
  })

  it('asks of a partition only that it holds the volume of an image, which is smaller than its disk', () => {
    const [efi, main] = systemImage.partitions
    const small = { ...main!, sizeBytes: 6 * GB }
    const source = imageSource(anImage({ path: systemImage.path, partitions: [efi!, small] }))
    const disk = aDisk({
      path: '/dev/sdd',
      sizeBytes: 8 * GB,
      volumes: [
        aVolume({ path: '/dev/sdd1', sizeBytes: 7 * GB }),
        aVolume({ path: '/dev/sdd2', sizeBytes: GB }),
      ],
    })
    const [first, second] = disk.volumes
    expect(told(disk, null, source)).toBe('Too small by 6.2 GB')
    expect(told(disk, first!, source)).toBeNull()
    expect(told(disk, second!, source)).toBe('Too small by 5 GB')
    // What isn't known can be chosen, too.
    const unknown = { ...small, index: 3, filesystem: null, label: null, sizeBytes: GB }
    const withUnknown = imageSource(anImage({ path: systemImage.path, partitions: [efi!, small, unknown] }))
    expect(told(disk, second!, withUnknown)).toBeNull()
    const onlyUnknown = imageSource(anImage({ path: systemImage.path, partitions: [efi!, unknown] }))
    expect(told(disk, second!, onlyUnknown)).not.toBeNull()
    // A file system on a disk without a map is that disk.
    const whole = aDisk({ path: '/dev/sde', sizeBytes: 8 * GB })
    expect(told(whole, aVolume({ path: '/dev/sde', sizeBytes: 8 * GB }), source)).toBe('Too small by 6.2 GB')
  })

  it('says why a protected disk is protected', () => {
    expect(told(systemDisk, null, null)).toBe('Runs this computer (/)')
    expect(told(card, null, null)).toBe('Write-protected')
  })

  it('protects the volumes of a protected disk too', () => {
    expect(told(systemDisk, systemDisk.volumes[1]!, null)).toBe('Runs this computer (/)')
  })

  it('does not offer the disk that is being copied, nor a part of it', () => {
    const source: SourceChoice = {
      ...imageSource(),
      info: { kind: 'disk', locator: '/dev/sdb', name: 'SanDisk Ultra', disk: sandisk },
    }
    expect(told(sandisk, null, source)).toBe('It is the source')
    expect(told(sandisk, sandisk.volumes[1]!, source)).toBe('It is the source')
  })

  it('offers another volume of the disk whose volume is being copied', () => {
    const disk = aDisk({
      path: '/dev/sdd',
      volumes: [
        aVolume({ path: '/dev/sdd1', sizeBytes: 4 * GB }),
        aVolume({ path: '/dev/sdd2', index: 2, sizeBytes: 4 * GB }),
      ],
    })
    const [first, second] = disk.volumes
    const source: SourceChoice = {
      ...imageSource(),
      info: { kind: 'volume', locator: '/dev/sdd1', name: 'one', disk, volume: first! },
    }
    expect(told(disk, second!, source)).toBeNull()
    expect(told(disk, first!, source)).toBe('It is the source')
    expect(told(disk, null, source)).toBe('It is the source')
  })

  it('does not offer the disk that the image is stored on', () => {
    const image = anImage({ path: '/media/ann/UNTITLED/System.dmg' })
    expect(told(sandisk, null, imageSource(image))).toBe("'System.dmg' is stored on it")
    expect(told(sandisk, sandisk.volumes[0]!, imageSource(image))).not.toContain('stored')
  })

  it('does not take a folder that only begins alike for the one the image is in', () => {
    const image = anImage({ path: '/media/ann/UNTITLED 2/System.dmg' })
    expect(told(sandisk, null, imageSource(image))).toBeNull()
  })

  it('does not offer the attached image that is the source itself', () => {
    const loop = aDisk({ path: '/dev/loop0', bus: 'loop', backingFile: systemImage.path })
    expect(told(loop, null, imageSource())).toBe('It is the source')
  })

  it('cannot tell sizes apart before the image has been read', () => {
    expect(told(smallStick, null, imageSource(anImage({ path: '/a.img.gz', sizeBytes: null })))).toBeNull()
  })
})

describe('the Choose menu', () => {
  const mirror = createEngineMirror()
  mirror.setDevices([systemDisk, card, smallStick, sandisk])

  it('lists what is possible first, and why the rest is not', () => {
    const options = destinationOptions(mirror.store.getState(), imageSource())
    expect(options.map(({ disk, volume, problem }) => [volume?.path ?? disk.path, problem?.kind])).toEqual([
      ['/dev/sdb', undefined],
      ['/dev/sdb2', undefined],
      ['/dev/mmcblk0', 'protected'],
      ['/dev/mmcblk0p1', 'protected'],
      ['/dev/sdc', 'too-small'],
      ['/dev/sdc1', 'too-small'],
      ['/dev/sdb1', 'too-small'],
    ])
  })

  it('puts a volume under its disk where that stands above it, and nowhere else', () => {
    const options = destinationOptions(mirror.store.getState(), imageSource())
    expect(options.map(({ disk, volume, underDisk }) => [volume?.path ?? disk.path, underDisk])).toEqual([
      ['/dev/sdb', false],
      ['/dev/sdb2', true],
      ['/dev/mmcblk0', false],
      ['/dev/mmcblk0p1', true],
      ['/dev/sdc', false],
      ['/dev/sdc1', true],
      ['/dev/sdb1', false],
    ])
  })

  it('hides internal disks until they are shown', () => {
    const shown = createEngineMirror()
    shown.setDevices([systemDisk])
    expect(destinationOptions(shown.store.getState(), null)).toEqual([])
  })
})
