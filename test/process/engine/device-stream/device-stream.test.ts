import { createHash } from 'node:crypto'
import { constants, existsSync } from 'node:fs'
import { mkdir, open, readdir, readFile, readlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createSystemIo } from '#engine/copy'
import { examineDeviceStream } from '#engine/device-stream'
import { openImage } from '#engine/formats/image'
import { examineImage } from '#engine/multicast/server'
import { createPlatform } from '#engine/platform'
import { DeviceError } from '#shared/errors'
import { silentLogger } from '#shared/log'
import type { StreamCompression } from '#shared/model'
import { convertForReal } from '#test/convert-for-real'
import { makeVolume, volumeKinds } from '#test/filled-volume'
import { holdElsewhere } from '#test/hold-elsewhere'
import { attachLoop, command } from '#test/loop'
import { missing } from '#test/needs'
import { seededBytes, seededRandom } from '#test/seeded'
import { temporaryFolder } from '#test/temporary-folder'

const mib = 1024 ** 2
const [ext4] = [volumeKinds.ext[2]]

function examine(source: string, compression: StreamCompression | null, folder: string) {
  const platform = createPlatform({ log: silentLogger })
  const deps = { platform, io: createSystemIo(platform), log: silentLogger, scannedBy: 'test', folder }
  return examineDeviceStream({ source, compression }, deps, new AbortController().signal)
}

const told: [number, number][] = []
const context = (signal = new AbortController().signal) => ({
  signal,
  progress: (done: number, total: number) => void told.push([done, total]),
})
const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const isOpenHere = async (path: string) => {
  const fds = await readdir('/proc/self/fd')
  const files = await Promise.all(fds.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => null)))
  return files.includes(path)
}
const madeIn = async (folder: string) => (await readdir(folder)).filter((name) => name.startsWith('reprise-'))

describe('a disk in a file', () => {
  it('is streamed as an image that is made of it, and removed at the end', async () => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'disk.raw')
    const contents = Buffer.concat([seededBytes(seededRandom(1), mib), Buffer.alloc(3 * mib, 'reprise ')])
    await writeFile(path, contents)
    const sizes: number[] = []
    for (const [compression, format] of [
      ['speed', 'UDZO'],
      ['balanced', 'UDZO'],
      ['size', 'ULMO'],
    ] as const) {
      const found = await examine(path, compression, folder.path)
      expect(found).toMatchObject({ sizeBytes: 4 * mib, imageName: 'disk.dmg', imageFormat: format })
      told.length = 0
      const source = await found!.prepare(context())
      expect(source).toMatchObject({ imageName: 'disk.dmg', imageFormat: format, bytes: { kind: 'file' } })
      expect(told.at(-1)).toEqual([8 * mib, 8 * mib])
      const made = source.bytes.locator
      expect(await examineImage(made)).toMatchObject({ imageFormat: format })
      const back = join(folder.path, 'back.raw')
      await convertForReal({ source: made, target: back, format: 'raw', erase: true })
      expect(hash(await readFile(back))).toBe(hash(contents))
      sizes.push(source.bytes.sizeBytes)
      await source.release?.()
      expect(existsSync(made)).toBe(false)
      expect(await madeIn(folder.path)).toEqual([])
    }
    expect(sizes[0]).toBeGreaterThanOrEqual(sizes[1]!)
  })

  it.skipIf(missing('linux', 'root'))(
    'is told before that its image may find no room, and when it does not',
    async () => {
      await using folder = await temporaryFolder()
      const path = join(folder.path, 'disk.raw')
      await writeFile(path, seededBytes(seededRandom(1), 4 * mib))
      const small = join(folder.path, 'small')
      await mkdir(small)
      await command('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', small])
      try {
        const found = await examine(path, 'speed', small)
        expect(found?.warnings).toMatchObject([
          { code: 'E_TMP_FULL', details: { path: small, freeBytes: 2 * mib, neededBytes: 4 * mib } },
        ])
        await expect(found!.prepare(context())).rejects.toMatchObject({
          code: 'E_TMP_FULL',
          details: { path: small, source: path },
        })
        expect(await readdir(small)).toEqual([])
      } finally {
        await command('umount', [small])
      }
      expect((await examine(path, 'speed', folder.path))?.warnings).toEqual([])
      expect((await examine(path, 'none', folder.path))?.warnings).toEqual([])
    },
  )

  it('is streamed as it is without compression', async () => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'disk.raw')
    await writeFile(path, Buffer.alloc(mib, 'reprise '))
    const found = await examine(path, 'none', folder.path)
    expect(await found!.prepare(context())).toMatchObject({
      bytes: { locator: path, kind: 'device', sizeBytes: mib },
      imageName: 'disk.img',
      imageFormat: 'raw',
      identity: null,
    })
  })

  it('leaves nothing behind when it is stopped', async () => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'disk.raw')
    await writeFile(path, seededBytes(seededRandom(1), 4 * mib))
    const found = await examine(path, 'size', folder.path)
    const stop = new AbortController()
    const prepared = found!.prepare({
      signal: stop.signal,
      progress: () => stop.abort(new Error('enough')),
    })
    await expect(prepared).rejects.toThrow('enough')
    expect(await readdir(folder.path)).toEqual(['disk.raw'])
  })

  it('is no device unless that is asked for, and an image never is', async () => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'disk.raw')
    await writeFile(path, Buffer.alloc(mib, 'reprise '))
    expect(await examine(path, null, folder.path)).toBeNull()
    expect(await examine('http://127.0.0.1/a.dmg', null, folder.path)).toBeNull()
    expect(await examine(join(folder.path, 'nowhere'), null, folder.path)).toBeNull()
    const image = join(folder.path, 'disk.dmg')
    await convertForReal({ source: path, target: image, format: 'UDZO' })
    for (const source of [image, 'http://127.0.0.1/a.dmg'])
      await expect(examine(source, 'none', folder.path)).rejects.toMatchObject({ code: 'E_USAGE' })
  })
})

describe.skipIf(missing('root', 'loop', 'program:mke2fs'))('a device', { timeout: 60_000 }, () => {
  it('is refused while another program writes to it, and streamed while one reads it, or it is mounted read-only', async () => {
    await using folder = await temporaryFolder()
    await using loop = await attachLoop({ sizeBytes: 200 * mib, partscan: false })
    const volume = join(folder.path, 'ext4')
    await makeVolume(ext4, volume)
    await command('dd', [`if=${volume}`, `of=${loop.path}`, 'bs=1M', 'conv=fsync', 'status=none'])
    const found = await examine(loop.path, 'none', folder.path)
    {
      await using _other = await holdElsewhere(loop.path, constants.O_RDWR)
      await expect(found!.prepare(context())).rejects.toMatchObject({ code: 'E_SRC_IN_USE' })
    }
    {
      await using _other = await holdElsewhere(loop.path)
      const source = await found!.prepare(context())
      // It is open here as long as it is streamed: whoever else reads it leaves it unmounted for that.
      expect(await isOpenHere(loop.path)).toBe(true)
      await source.release?.()
      expect(await isOpenHere(loop.path)).toBe(false)
    }
    const mount = join(folder.path, 'mount')
    await mkdir(mount)
    await command('mount', ['-o', 'ro,noload', loop.path, mount])
    try {
      // Nobody can write to it, and nothing is unmounted for it.
      const source = await (await examine(loop.path, 'none', folder.path))!.prepare(context())
      expect(await command('findmnt', [mount])).toContain(loop.path)
      await source.release?.()
    } finally {
      await command('umount', [mount])
    }
  })

  it('that may not be opened is refused before anything is begun', async () => {
    await using folder = await temporaryFolder()
    await using loop = await attachLoop({ sizeBytes: mib, partscan: false })
    const platform = createPlatform({ log: silentLogger })
    const denied = new DeviceError('E_DENIED', 'no', { details: { path: loop.path } })
    const deps = {
      platform: { ...platform, openSource: () => Promise.reject(denied) },
      io: createSystemIo(platform),
      log: silentLogger,
      scannedBy: 'test',
      folder: folder.path,
    }
    for (const compression of ['none', 'balanced'] as const) {
      const source = { source: loop.path, compression }
      await expect(examineDeviceStream(source, deps, new AbortController().signal)).rejects.toBe(denied)
    }
    expect(await readdir(folder.path)).toEqual([])
  })

  it('is unmounted while it is streamed as it is, and mounted again afterwards', async () => {
    await using folder = await temporaryFolder()
    await using loop = await attachLoop({ sizeBytes: 200 * mib, partscan: false })
    const volume = join(folder.path, 'ext4')
    await makeVolume(ext4, volume)
    await command('dd', [`if=${volume}`, `of=${loop.path}`, 'bs=1M', 'conv=fsync', 'status=none'])
    const mount = join(folder.path, 'mount')
    await command('mkdir', [mount])
    await command('mount', [loop.path, mount])
    try {
      const found = await examine(loop.path, 'none', folder.path)
      const source = await found!.prepare(context())
      expect(source.bytes).toMatchObject({ kind: 'device', locator: loop.path })
      await expect(command('findmnt', [mount])).rejects.toThrow()
      // Nobody mounts it or makes a file system on it meanwhile; another session may stream it, too.
      await expect(command('mount', [loop.path, mount])).rejects.toThrow(/busy|mounted/)
      await expect(command('mke2fs', ['-q', '-F', loop.path])).rejects.toThrow(/in use/)
      const second = await (await examine(loop.path, 'none', folder.path))!.prepare(context())
      await second.release?.()
      await expect(command('mount', [loop.path, mount])).rejects.toThrow(/busy|mounted/)
      await source.release?.()
      expect(await command('findmnt', [mount])).toContain(loop.path)

      // Of an image that is made of it, only until it is made; and by the volume's mount point, too.
      const image = await (await examine(mount, null, folder.path))!.prepare(context())
      expect(await command('findmnt', [mount])).toContain(loop.path)
      expect(image.imageFormat).toBe('UDZO')
      expect((await openImage(image.bytes.locator)).info.sizeBytes).toBe(200 * mib)
      // Used blocks only.
      expect(image.bytes.sizeBytes).toBeLessThan(100 * mib)
      await image.release?.()
    } finally {
      await command('umount', [mount])
    }
    await using handle = await open(loop.path, 'r')
    expect((await handle.stat()).isBlockDevice()).toBe(true)
  })
})
