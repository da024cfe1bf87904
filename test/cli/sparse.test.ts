import { readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { buildSprs } from '#test/build-sparse'
import { diskToConvert } from '#test/disk-to-convert'
import { noise } from '#test/image-of-runs'
import { reprise, startReprise, temporaryFolder } from './run-reprise.ts'

const convert = (source: string, target: string, ...format: string[]) =>
  reprise(['image', 'convert', '--source', source, '--target', target, '--erase', '--format', ...format])

describe('reprise and sparse images', () => {
  it.each(['udsp', 'udsb'])(
    '%s: converted, grown, shrunk, compacted and back, it is the same disk',
    async (format) => {
      await using folder = await temporaryFolder()
      const disk = await diskToConvert('mbr')
      const [source, image, back] = ['a.img', 'b.image', 'c.img'].map((name) => folder.path(name)) as [
        string,
        string,
        string,
      ]
      // Something known in its first partition, and nothing behind its last one.
      disk.write('LUKS\xba\xbe', disk.readUInt32LE(446 + 8) * 512, 'latin1')
      await writeFile(source, disk.fill(0, 12 * 1024 * 1024))
      expect((await convert(source, image, format)).out).toContain('The image was converted.\n')
      const grown = await reprise(['image', 'resize', image, '--size', '1g'])
      expect(grown.out).toContain('The image was resized from 25.2 MB to 1.07 GB.\n')
      expect(grown.status).toBe(0)
      const shrunk = await reprise(['image', 'resize', image, '--size', '1k', '--json', '--exit-codes'])
      expect(shrunk.status).toBe(2)
      const smallest = /"smallestBytes":(\d+)/.exec(shrunk.out + shrunk.err)?.[1] ?? ''
      // The end of its last partition.
      expect(Number(smallest)).toBe(12 * 1024 * 1024)
      expect((await reprise(['image', 'resize', image, '--size', smallest])).status).toBe(0)
      expect((await reprise(['image', 'compact', image])).status).toBe(0)
      expect((await convert(image, back, 'raw')).status).toBe(0)
      const now = await readFile(back)
      expect(now.length).toBe(Number(smallest))
      const common = Math.min(now.length, disk.length)
      expect(Buffer.compare(now.subarray(0, common), disk.subarray(0, common))).toBe(0)
    },
  )

  it('restores no disk into a file that would pass for one that was cut short', async () => {
    await using folder = await temporaryFolder()
    const disk = Buffer.alloc(4 * 1024 * 1024)
    disk.writeUInt8(0x83, 446 + 4)
    disk.writeUInt32LE(2048, 446 + 8)
    disk.writeUInt32LE(10_000, 446 + 12)
    disk.writeUInt16LE(0xaa55, 510)
    const data = (number: number) => disk.subarray((number - 1) * 1024 * 1024, number * 1024 * 1024)
    const plan = { sizeBytes: disk.length, sectorsPerBand: 2048, slots: [1, 2, 3, 4], data }
    await writeFile(folder.path('a.sparseimage'), buildSprs(plan))
    const target = folder.path('b.img')
    const restored = await reprise([
      'restore',
      '--source',
      folder.path('a.sparseimage'),
      '--target',
      target,
      '--erase',
    ])
    expect(restored.status).toBe(1)
    expect(restored.err).toContain('would be taken for an image that was cut short')
    expect(await readdir(folder.path(''))).toEqual(['a.sparseimage'])
  })

  it('writes segments, and reads them', async () => {
    await using folder = await temporaryFolder()
    const disk = await diskToConvert('gpt')
    await writeFile(folder.path('a.img'), disk)
    const there = await convert(folder.path('a.img'), folder.path('b.dmg'), 'udzo', '-segmentSize', '512k')
    expect(there.status).toBe(0)
    const names = (await readdir(folder.path(''))).sort()
    expect(names).toEqual(['a.img', 'b.002.dmgpart', 'b.003.dmgpart', 'b.004.dmgpart', 'b.dmg'])
    expect((await reprise(['image', 'verify', folder.path('b.dmg')])).out).toContain('The image is intact.')
    expect((await reprise(['image', 'info', folder.path('b.dmg')])).out).toContain('Segments:       4')
  })

  it('leaves a bundle whole when it is killed while it writes another over it', async () => {
    await using folder = await temporaryFolder()
    const old = Buffer.alloc(3 * 1024 * 1024)
    old.writeUInt16LE(0xaa55, 510)
    old.set(noise(700_000, 1), 1024 * 1024)
    await writeFile(folder.path('old.img'), old)
    const bundle = folder.path('disk.sparsebundle')
    expect((await convert(folder.path('old.img'), bundle, 'udsb')).status).toBe(0)
    // Terabytes of zeros take a while.
    await writeFile(folder.path('new.img'), old)
    await truncate(folder.path('new.img'), 2 ** 41)
    const what = ['--source', folder.path('new.img'), '--target', bundle, '--format', 'udsb', '--erase']
    const killed = startReprise(['image', 'convert', ...what])
    await killed.said('Converting')
    killed.child.kill('SIGKILL')
    expect((await killed.ended).signal).toBe('SIGKILL')
    expect((await convert(bundle, folder.path('back.img'), 'raw')).status).toBe(0)
    expect(Buffer.compare(await readFile(folder.path('back.img')), old)).toBe(0)
    expect((await stat(bundle)).isDirectory()).toBe(true)
  })
})

describe('reprise and the checksum beside an image', () => {
  it('says at once what does not fit any more, and writes a new one when it is asked to', async () => {
    await using folder = await temporaryFolder()
    const [image, again] = [folder.path('a.img'), folder.path('b.img')]
    await writeFile(image, await diskToConvert('mbr'))
    expect((await reprise(['image', 'checksum', image])).status).toBe(0)
    const words = (file: string) =>
      `The SHA-256 in '${file}.sha256' is of what was there before, and a restore would fail by it: write a new one (reprise image checksum --replace), or remove the file.\n`

    const resized = await reprise(['image', 'resize', image, '--size', '1g'])
    expect(resized.err).toBe(words(image))
    const json = await reprise(['image', 'resize', image, '--size', '512m', '--json'])
    expect(json.err).toBe('')
    expect(json.out).toContain(`"outdated":"${image}.sha256"`)

    const refused = await reprise(['restore', '--source', image, '--target', again, '--erase'])
    expect(refused.status).toBe(1)
    expect(refused.err).toContain("isn't what the SHA-256 beside it says")
    expect((await reprise(['image', 'checksum', image])).status).toBe(1)
    expect(await reprise(['image', 'checksum', image, '--replace'])).toMatchObject({ status: 0, err: '' })
    await writeFile(`${again}.sha256`, `${'0'.repeat(64)}  b.img\n`)
    const restored = await reprise(['restore', '--source', image, '--target', again, '--erase'])
    expect(restored).toMatchObject({ status: 0, err: words(again) })
  })

  it('says so, too, when what changed the file failed', async () => {
    await using folder = await temporaryFolder()
    const [image, target] = [folder.path('a.img.gz'), folder.path('b.img')]
    const whole = gzipSync(await diskToConvert('mbr'))
    whole.fill(0xff, whole.length >> 1, (whole.length >> 1) + 100)
    await writeFile(image, whole)
    await writeFile(target, 'precious')
    await writeFile(`${target}.sha256`, `${'0'.repeat(64)}  b.img\n`)
    const restore = ['restore', '--source', image, '--target', target, '--erase', '--noprompt']
    const words = `The SHA-256 in '${target}.sha256' is of what was there before, and nothing is left of that: remove the file.\n`
    const failed = await reprise(restore)
    expect(failed.status).toBe(1)
    expect(failed.err).toContain(`'${target}' was emptied: what was in it is gone`)
    expect(failed.err).toContain(words)
    await writeFile(target, 'precious')
    const json = await reprise([...restore, '--json'])
    expect(json.out).toContain(`"outdated":"${target}.sha256"`)
    // Nothing was written here.
    await writeFile(target, 'precious')
    const refused = await reprise(['restore', '-s', `${image}.not`, '-t', target, '--erase', '--noprompt'])
    expect(refused.err).not.toContain('SHA-256')
  })
})
