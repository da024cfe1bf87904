import { spawnSync } from 'node:child_process'
import { appendFileSync, constants, existsSync, readFileSync } from 'node:fs'
import { mkdir, open, readdir, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createSystemIo } from '#engine/copy'
import { kindIndex } from '#engine/formats/extents'
import { openImage } from '#engine/formats/image'
import { createPlatform } from '#engine/platform'
import { verifyImage } from '#engine/scan'
import { silentLogger } from '#shared/log'
import { convertForReal } from '#test/convert-for-real'
import { createForReal } from '#test/create-for-real'
import { fillFolder, hashFolder, hashVolume, isSound, makeVolume, volumeKinds } from '#test/filled-volume'
import { holdElsewhere } from '#test/hold-elsewhere'
import { attachLoop, command, partitionLoop } from '#test/loop'
import { missing } from '#test/needs'
import { quietContext } from '#test/quiet-context'
import { temporaryFolder } from '#test/temporary-folder'

const mib = 1024 ** 2
const [ext4] = [volumeKinds.ext[2]]
const [, , fat32] = volumeKinds.fat

const needs = ['mke2fs', 'mkfs.vfat', 'mcopy', 'sfdisk'].map((name) => `program:${name}` as const)

/** `size` bytes of `to` from `offset` on are those of the file `from`. */
const put = (from: string, to: string, offset: number) =>
  command('dd', [
    `if=${from}`,
    `of=${to}`,
    'bs=1M',
    `seek=${offset / mib}`,
    'conv=notrunc,fsync',
    'status=none',
  ])
const cut = (from: string, to: string, offset: number, size: number) =>
  command('dd', [
    `if=${from}`,
    `of=${to}`,
    'bs=1M',
    `skip=${offset / mib}`,
    `count=${size / mib}`,
    'conv=sparse',
    'status=none',
  ])

describe.skipIf(missing('root', 'loop', ...needs))('an image of a device', { timeout: 60_000 }, () => {
  it('holds a whole disk, and of its file systems what they use', async () => {
    await using folder = await temporaryFolder()
    const at = (name: string) => join(folder.path, name)
    const before = [await makeVolume(ext4, at('ext4')), await makeVolume(fat32, at('fat'))]
    await using loop = await attachLoop({ sizeBytes: 600 * mib, partscan: true })
    await partitionLoop(
      loop.path,
      'label: gpt\nstart=1MiB, size=200MiB, type=L\nsize=300MiB, type=U\nsize=20MiB, type=S\n',
    )
    await put(at('ext4'), loop.path, mib)
    await put(at('fat'), loop.path, 201 * mib)
    // Nobody knows what is in the third one, so all of it counts.
    await using handle = await open(loop.path, 'r+')
    const unknown = Buffer.alloc(mib, 'unknown ')
    await handle.write(unknown, 0, mib, 505 * mib)
    // And what lies in no partition.
    await handle.write(unknown, 0, mib, 590 * mib)
    // Deleted long ago.
    await handle.write(Buffer.alloc(mib, 'DELETED '), 0, mib, 480 * mib)
    await handle.sync()
    await handle.close()

    const context = quietContext()
    const creation = await createForReal(
      { target: at('new.dmg'), from: { kind: 'device', path: loop.path }, format: 'UDZO' },
      context,
    )
    expect(context.told[0]).toBe('validating-source ?')
    expect(context.told).toContain(`creating ${600 * mib}`)
    expect(creation).toMatchObject({
      sizeBytes: 600 * mib,
      warnings: [],
      way: {
        kind: 'device',
        partitionMap: 'gpt',
        parts: [
          { index: 1, filesystem: 'ext4', whole: null, sizeBytes: 200 * mib },
          { index: 2, filesystem: 'vfat', whole: null },
          { index: 3, filesystem: null, whole: 'unknown', usedBytes: 20 * mib },
        ],
      },
    })
    expect(creation.usedBytes).toBeLessThan(150 * mib)
    expect(creation.storedBytes).toBe(readFileSync(at('new.dmg')).length)
    const { checked } = await verifyImage(at('new.dmg'), quietContext())
    expect(checked.length).toBeGreaterThan(1)
    const { info } = await openImage(at('new.dmg'))
    expect(info.partitions.map(({ filesystem }) => filesystem)).toEqual(['ext4', 'vfat', null])
    expect(info.runCounts.ignore).toBeGreaterThan(0)

    await convertForReal({ source: at('new.dmg'), target: at('new.img'), format: 'raw' })
    await cut(at('new.img'), at('ext4'), mib, 200 * mib)
    await cut(at('new.img'), at('fat'), 201 * mib, 300 * mib)
    expect([await isSound(ext4, at('ext4')), await isSound(fat32, at('fat'))]).toEqual([true, true])
    expect([await hashVolume(ext4, at('ext4')), await hashVolume(fat32, at('fat'))]).toEqual(before)
    await using copy = await open(at('new.img'), 'r')
    for (const offset of [505 * mib, 590 * mib]) {
      const bytes = Buffer.alloc(mib)
      await copy.read(bytes, 0, mib, offset)
      expect(bytes.equals(unknown)).toBe(true)
    }
    const deleted = Buffer.alloc(mib)
    await copy.read(deleted, 0, mib, 480 * mib)
    expect(deleted.every((byte) => byte === 0)).toBe(true)
    // The disk is as the image is: the map at its end, too.
    expect(await command('sfdisk', ['--verify', at('new.img')])).toContain('No errors')
  })

  it('has no holes at the ends of partitions, where marks of what owned them before would be left', async () => {
    await using folder = await temporaryFolder()
    const target = join(folder.path, 'new.dmg')
    await using loop = await attachLoop({ sizeBytes: 150 * mib, partscan: true })
    const table = 'label: dos\nstart=1MiB, size=64MiB, type=83\nstart=66MiB, size=64MiB, type=83\n'
    for (const partition of await partitionLoop(loop.path, table))
      await command('mke2fs', ['-q', '-t', 'ext4', partition])
    await createForReal({ target, format: 'UDZO', from: { kind: 'device', path: loop.path } })
    const { layout } = await openImage(target)
    if (layout.kind !== 'extents') throw new Error('not an image with a table')
    const { count, diskOffset, diskBytes, kind } = layout.extents
    const holes = Array.from({ length: count }, (_, row) => row)
      .filter((row) => kind[row] === kindIndex.ignore)
      .map((row) => [diskOffset[row] ?? 0, (diskOffset[row] ?? 0) + (diskBytes[row] ?? 0)] as const)
    expect(holes.length).toBeGreaterThan(0)
    for (const partition of [mib, 66 * mib])
      for (const end of [partition, partition + 63 * mib])
        expect(holes.filter(([from, to]) => from < end + mib && to > end)).toEqual([])
  })

  it('finds the partitions of an MBR on a disk with larger sectors', async () => {
    await using folder = await temporaryFolder()
    const file = join(folder.path, 'ext4')
    const before = await makeVolume(ext4, file)
    await using loop = await attachLoop({ sizeBytes: 300 * mib, logicalBlockBytes: 4096 })
    const table = 'label: dos\nstart=256, size=51200, type=83\nstart=51456, type=5\nsize=4096, type=83\n'
    await command('sfdisk', ['--no-reread', '--no-tell-kernel', '-q', loop.path], table)
    await put(file, loop.path, mib)
    const target = join(folder.path, 'new.img')
    const creation = await createForReal({ target, format: 'raw', from: { kind: 'device', path: loop.path } })
    expect(creation.way).toMatchObject({
      partitionMap: 'mbr',
      parts: [
        { index: 1, offset: mib, sizeBytes: 200 * mib, filesystem: 'ext4', whole: null },
        { index: 5, sizeBytes: 16 * mib, whole: 'unknown' },
      ],
    })
    expect(creation.usedBytes).toBeLessThan(200 * mib)
    await cut(target, file, mib, 200 * mib)
    expect(await isSound(ext4, file)).toBe(true)
    expect(await hashVolume(ext4, file)).toEqual(before)
  })

  it('is made of a disk whose MBR was made for smaller sectors', async () => {
    await using folder = await temporaryFolder()
    const file = join(folder.path, 'ext4')
    await makeVolume(ext4, file)
    const disk = await folder.write('disk', new Uint8Array(0))
    await truncate(disk, 300 * mib)
    await command('sfdisk', ['-q', disk], 'label: dos\nstart=2048, type=83\n')
    await put(file, disk, mib)
    await using loop = await attachLoop({ sizeBytes: 300 * mib, logicalBlockBytes: 4096 })
    await put(disk, loop.path, 0)
    const target = join(folder.path, 'new.img')
    const creation = await createForReal({ target, format: 'raw', from: { kind: 'device', path: loop.path } })
    const part = { index: 1, offset: mib, sizeBytes: 299 * mib, filesystem: 'ext4', whole: 'inconsistent' }
    expect(creation.way).toMatchObject({ partitionMap: 'mbr', parts: [part] })
    await command('cmp', [disk, target])
  })

  it('is made of a mounted partition, which is mounted again afterwards', async () => {
    await using folder = await temporaryFolder()
    const mountPoint = join(folder.path, 'mounted')
    await command('mkdir', [mountPoint])
    await using loop = await attachLoop({ sizeBytes: 100 * mib, partscan: true })
    const [partition = ''] = await partitionLoop(loop.path, 'label: dos\nstart=1MiB, size=64MiB, type=83\n')
    await command('mke2fs', ['-q', '-t', 'ext4', '-L', 'Lessons', partition])
    await command('mount', [partition, mountPoint])
    fillFolder(mountPoint)
    const before = hashFolder(mountPoint)
    const context = quietContext()
    const target = join(folder.path, 'new.img')
    const creation = await createForReal(
      { target, format: 'raw', from: { kind: 'device', path: mountPoint } },
      context,
    )
    expect(hashFolder(mountPoint)).toEqual(before)
    expect(context.told.filter((each) => typeof each === 'string').map((each) => each.split(' ')[0])).toEqual(
      ['validating-source', 'unmounting', 'creating', 'remounting'],
    )
    expect(creation.way).toMatchObject({
      partitionMap: 'none',
      parts: [{ index: 0, label: 'Lessons', whole: null }],
    })
    expect(await hashVolume(ext4, target)).toEqual(before)

    // The image can't be stored on what it is made of.
    const inside = join(mountPoint, 'inside.img')
    await expect(
      createForReal({ target: inside, format: 'raw', from: { kind: 'device', path: partition } }),
    ).rejects.toMatchObject({ code: 'E_SAME' })
    expect(hashFolder(mountPoint)).toEqual(before)
  })

  it('leaves nothing and mounts again when it is stopped', async () => {
    await using folder = await temporaryFolder()
    const mountPoint = join(folder.path, 'mounted')
    await command('mkdir', [mountPoint])
    await using loop = await attachLoop({ sizeBytes: 100 * mib })
    await command('mke2fs', ['-q', '-t', 'ext4', loop.path])
    await command('mount', [loop.path, mountPoint])
    fillFolder(mountPoint)
    const stop = new AbortController()
    const context = { ...quietContext(stop.signal), advance: () => stop.abort(new Error('enough')) }
    const target = join(folder.path, 'new.dmg')
    await expect(
      createForReal({ target, format: 'UDZO', from: { kind: 'device', path: loop.path } }, context),
    ).rejects.toThrow('enough')
    expect(hashFolder(mountPoint).size).toBeGreaterThan(300)
    // Another phase would say that this one is done.
    expect(String(context.told.at(-1))).toMatch(/^creating /)
    expect(existsSync(target)).toBe(false)
    expect(await readdir(folder.path)).toEqual(['mounted'])
  })

  it('is not of something that somebody mounts meanwhile', async () => {
    await using folder = await temporaryFolder()
    await using loop = await attachLoop({ sizeBytes: 100 * mib })
    await command('mke2fs', ['-q', '-t', 'ext4', loop.path])
    const mounts: string[] = []
    const advance = () => {
      const { stderr } = spawnSync('mount', [loop.path, folder.path], { encoding: 'utf8' })
      mounts.push(stderr)
      if (stderr === '') spawnSync('umount', [folder.path])
    }
    const from = { kind: 'device', path: loop.path } as const
    await using place = await temporaryFolder()
    const request = { target: join(place.path, 'new.img'), format: 'raw', from } as const
    await createForReal(request, { ...quietContext(), advance })
    expect(mounts.length).toBeGreaterThan(0)
    for (const said of mounts) expect(said).toMatch(/busy|mounted/)

    // Mounted read-only it can't be held, and nobody can write to it.
    await command('mount', ['-o', 'ro', loop.path, folder.path])
    try {
      await createForReal({ ...request, erase: true })
    } finally {
      await command('umount', [folder.path])
    }
  })

  it('is none when somebody holds it, or another program writes to it', async () => {
    await using folder = await temporaryFolder()
    await using loop = await attachLoop({ sizeBytes: 10 * mib })
    const from = { kind: 'device', path: loop.path } as const
    const request = { target: join(folder.path, 'new.img'), format: 'raw', from } as const
    {
      await using _nobodyKnown = await open(loop.path, constants.O_RDONLY | constants.O_EXCL)
      await expect(createForReal(request)).rejects.toMatchObject({ code: 'E_SRC_IN_USE' })
    }
    await using other = await holdElsewhere(loop.path, constants.O_RDWR)
    await expect(createForReal(request)).rejects.toMatchObject({
      code: 'E_SRC_IN_USE',
      details: { holders: [expect.stringContaining(`(${other.pid})`)] },
    })
    expect(await readdir(folder.path)).toEqual([])
  })

  it('is made beside others who read it, as a second Reprise does, or this one all of its disk', async () => {
    await using folder = await temporaryFolder()
    await using loop = await attachLoop({ sizeBytes: 20 * mib, partscan: true })
    const [partition = ''] = await partitionLoop(loop.path, 'label: dos\nstart=1MiB, size=8MiB, type=83\n')
    const format = 'raw'
    {
      await using _other = await holdElsewhere(loop.path)
      const target = join(folder.path, 'disk.img')
      await createForReal({ target, format, from: { kind: 'device', path: loop.path } })
    }
    await using _whole = await createSystemIo(createPlatform({ log: silentLogger })).holdDevice(loop.path, {
      alone: true,
    })
    const target = join(folder.path, 'part.img')
    const { sizeBytes } = await createForReal({ target, format, from: { kind: 'device', path: partition } })
    expect(sizeBytes).toBe(8 * mib)
  })

  it('is none when a volume was mounted for writing meanwhile, where nobody could be kept from it', async () => {
    await using folder = await temporaryFolder()
    await using loop = await attachLoop({ sizeBytes: 40 * mib, partscan: true })
    const [first = '', second = ''] = await partitionLoop(
      loop.path,
      'label: dos\nstart=1MiB, size=8MiB, type=83\nsize=16MiB, type=83\n',
    )
    await command('mke2fs', ['-q', '-t', 'ext4', second])
    const place = join(folder.path, 'place')
    await mkdir(place)
    // As this Reprise does that streams the first one.
    await using _first = await createSystemIo(createPlatform({ log: silentLogger })).holdDevice(first, {
      alone: true,
    })
    const target = join(folder.path, 'new.img')
    const request = { target, format: 'raw', from: { kind: 'device', path: loop.path } } as const
    let isMounted = false
    const advance = () => {
      if (!isMounted) spawnSync('mount', [second, place])
      isMounted = true
    }
    try {
      await expect(createForReal(request, { ...quietContext(), advance })).rejects.toMatchObject({
        code: 'E_SRC_CHANGED',
        details: { path: loop.path, when: 'reading' },
      })
    } finally {
      await command('umount', [place])
    }
    expect(await readdir(folder.path)).toEqual(['place'])
  })

  it('is none when the file that stands for one was written to meanwhile', async () => {
    await using folder = await temporaryFolder()
    const disk = await folder.write('disk.img', Buffer.alloc(4 * mib, 'reprise '))
    const from = { kind: 'device', path: disk } as const
    const advance = () => appendFileSync(disk, 'x')
    await expect(
      createForReal({ target: join(folder.path, 'new.dmg'), from }, { ...quietContext(), advance }),
    ).rejects.toMatchObject({ code: 'E_SRC_CHANGED', details: { when: 'reading' } })
    expect(await readdir(folder.path)).toEqual(['disk.img'])
  })

  it('reads all of a volume that was not unmounted cleanly', async () => {
    await using folder = await temporaryFolder()
    const file = join(folder.path, 'volume.img')
    await makeVolume(ext4, file)
    await command('debugfs', ['-w', '-R', 'set_super_value state 0', file])
    await using loop = await attachLoop({ file })
    const target = join(folder.path, 'new.img')
    const creation = await createForReal({ target, format: 'raw', from: { kind: 'device', path: loop.path } })
    expect(creation.way).toMatchObject({ parts: [{ whole: 'unclean', usedBytes: 200 * mib }] })
    await command('cmp', [file, target])
  })

  it('is refused of what is an image, and of what this computer runs from', async () => {
    await using folder = await temporaryFolder()
    const file = join(folder.path, 'volume.img')
    await makeVolume({ ...ext4, access: null }, file)
    await convertForReal({ source: file, target: join(folder.path, 'a.dmg'), format: 'UDZO' })
    const target = join(folder.path, 'new.img')
    await expect(
      createForReal({ target, from: { kind: 'device', path: join(folder.path, 'a.dmg') } }),
    ).rejects.toMatchObject({ code: 'E_USAGE' })
    // Meant was --folder.
    await expect(
      createForReal({ target, from: { kind: 'device', path: folder.path } }),
    ).rejects.toMatchObject({
      code: 'E_USAGE',
      details: { problem: `'${folder.path}' is a folder, and no disk.` },
    })
    await expect(createForReal({ target, from: { kind: 'device', path: '/' } })).rejects.toMatchObject({
      code: expect.stringMatching(/^E_(SRC_IN_USE|SAME)$/) as string,
    })
    expect(existsSync(target)).toBe(false)
  })
})
