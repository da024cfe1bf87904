import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { DeviceError } from '#shared/errors'
import { createPlatform } from '#engine/platform'
import { attachFaultyDisk } from '#test/faulty-disk'
import { attachLoop, command, partitionLoop, rescanLoop } from '#test/loop'
import { missing, program } from '#test/needs'

const MiB = 2 ** 20

/** A folder with subfolders, gone at the end. Dispose it after what is mounted in it. */
function scratch(...names: readonly string[]) {
  const path = mkdtempSync(join(tmpdir(), 'reprise-platform-'))
  for (const name of names) mkdirSync(join(path, name))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** A program that runs until the end of the block. */
async function running(program: string, args: readonly string[], cwd?: string) {
  const child = spawn(program, [...args], { stdio: 'ignore', ...(cwd === undefined ? {} : { cwd }) })
  await once(child, 'spawn')
  return {
    pid: child.pid,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    },
  }
}

const platform = createPlatform()
const find = async (path: string) => (await platform.list()).find((disk) => disk.path === path)
const volumesOf = async (path: string) => (await find(path))?.volumes ?? []

describe.skipIf(missing('root', 'loop', 'program:sfdisk', 'program:mkfs.ext4'))('real disks', () => {
  it.skipIf(missing('program:mkfs.xfs', 'program:mkfs.btrfs', 'program:mkfs.vfat'))(
    'show their map, types, file systems and labels, whether udev runs or not',
    async () => {
      await using loop = await attachLoop({ sizeBytes: 700 * MiB })
      const [efi = '', linux = '', xfs = '', btrfs = '', hfs = ''] = await partitionLoop(
        loop.path,
        [
          'label: gpt',
          'size=32M, type=U',
          'size=16M, type=L',
          'size=320M, type=L',
          'size=120M, type=L',
          'size=16M, type=48465300-0000-11AA-AA11-00306543ECAC',
        ].join('\n'),
      )
      await command('mkfs.vfat', ['-n', 'EFI BOOT', efi])
      await command('mkfs.ext4', ['-q', '-L', 'übung "1"', linux])
      await command('mkfs.xfs', ['-q', '-L', 'xfs', xfs])
      await command('mkfs.btrfs', ['-q', '-L', 'two words', btrfs])
      await platform.rereadPartitions(loop.path)
      const disk = await find(loop.path)
      expect(disk).toMatchObject({
        name: basename(loop.file),
        partitionMap: 'gpt',
        bus: 'loop',
        protection: null,
        backingFile: loop.file,
        sizeBytes: 700 * MiB,
      })
      expect(disk?.volumes).toMatchObject([
        {
          path: efi,
          index: 1,
          offset: MiB,
          sizeBytes: 32 * MiB,
          filesystem: 'vfat',
          label: 'EFI BOOT',
          partitionType: 'EFI System',
        },
        { path: linux, index: 2, filesystem: 'ext4', label: 'übung "1"', partitionType: 'Linux Filesystem' },
        { path: xfs, index: 3, filesystem: 'xfs', label: 'xfs' },
        { path: btrfs, index: 4, filesystem: 'btrfs', label: 'two words' },
        { path: hfs, index: 5, filesystem: null, label: null, partitionType: 'Apple HFS' },
      ])
      for (const volume of disk?.volumes.slice(0, 4) ?? []) expect(volume.uuid).toEqual(expect.any(String))
    },
  )

  it('show logical partitions of an MBR, without the container they are in', async () => {
    await using loop = await attachLoop({ sizeBytes: 64 * MiB })
    const [first = '', , logical = ''] = await partitionLoop(
      loop.path,
      'label: dos\nsize=8M, type=c\ntype=5\nsize=10M, type=83\n',
    )
    await platform.rereadPartitions(loop.path)
    const disk = await find(loop.path)
    expect(disk?.partitionMap).toBe('mbr')
    expect(disk?.volumes).toMatchObject([
      { path: first, partitionType: 'FAT32' },
      { path: logical, index: 5, partitionType: 'Linux Filesystem' },
    ])
  })

  it.skipIf(missing('program:parted'))('show an Apple partition map', async () => {
    await using loop = await attachLoop({ sizeBytes: 64 * MiB })
    await command('parted', [
      '--script',
      loop.path,
      'mklabel',
      'mac',
      'mkpart',
      'data',
      'hfs',
      '1MiB',
      '60MiB',
    ])
    await platform.rereadPartitions(loop.path)
    const disk = await find(loop.path)
    expect(disk?.partitionMap).toBe('apm')
    expect(disk?.volumes).toMatchObject([{ path: `${loop.path}p2`, partitionType: 'Apple HFS' }])
  })

  it('keep their identity through writing and re-reading, and lose it when attached again', async () => {
    using folder = scratch()
    const file = join(folder.path, 'disk.img')
    writeFileSync(file, Buffer.alloc(MiB))
    let before: string
    {
      await using loop = await attachLoop({ file })
      before = await platform.identify(loop.path)
      {
        await using _target = await platform.openTarget(loop.path)
      }
      await partitionLoop(loop.path, 'label: dos\n')
      await platform.rereadPartitions(loop.path)
      expect(await platform.identify(loop.path)).toBe(before)
    }
    await using again = await attachLoop({ file })
    expect(await platform.identify(again.path)).not.toBe(before)
  })

  it('are write-protected when the kernel says so', async () => {
    using folder = scratch()
    const file = join(folder.path, 'disk.img')
    writeFileSync(file, Buffer.alloc(MiB))
    await using loop = await attachLoop({ file, readOnly: true })
    expect(await find(loop.path)).toMatchObject({ readOnly: true, protection: { kind: 'read-only' } })
    await expect(platform.openTarget(loop.path)).rejects.toMatchObject({ code: 'E_DST_READONLY' })
    await using source = await platform.openSource(loop.path)
    expect(source.sizeBytes).toBe(MiB)
  })

  it('are followed through a file on a loop device to the disk below', async () => {
    using folder = scratch('outer')
    await using outer = await attachLoop({ sizeBytes: 64 * MiB })
    await command('mkfs.ext4', ['-q', outer.path])
    const mountPoint = join(folder.path, 'outer')
    await command('mount', [outer.path, mountPoint])
    const file = join(mountPoint, 'inner.img')
    writeFileSync(file, Buffer.alloc(MiB))
    await using inner = await attachLoop({ file })
    const holding = await platform.disksHoldingFile(inner.path)
    expect(holding).toEqual(expect.arrayContaining([inner.path, outer.path]))
    expect(holding).toEqual(expect.arrayContaining([...(await platform.disksHoldingFile(outer.file))]))
    expect(await platform.disksHoldingFile('/proc/version')).toEqual([])
  })
})

describe.skipIf(missing('root', 'loop', 'program:sfdisk', 'program:mkfs.ext4'))(
  'unmounting real disks',
  () => {
    it('takes off nested and bind mounts of all partitions, and puts the volumes back where they were', async () => {
      using folder = scratch('first place', 'bound')
      const [first, bound] = [join(folder.path, 'first place'), join(folder.path, 'bound')]
      await using loop = await attachLoop({ sizeBytes: 64 * MiB })
      const [one = '', two = ''] = await partitionLoop(loop.path, 'label: gpt\nsize=20M\nsize=20M\n')
      for (const path of [one, two]) await command('mkfs.ext4', ['-q', path])
      await command('mount', ['-o', 'nosuid,noatime', one, first])
      const nested = join(first, 'nested')
      mkdirSync(nested)
      mkdirSync(join(first, 'folder'))
      writeFileSync(join(first, 'folder', 'file'), '')
      await command('mount', ['-o', 'ro', two, nested])
      await command('mount', ['--bind', join(first, 'folder'), bound])
      await command('mount', ['-o', 'remount,bind,ro,suid,atime', bound])
      const flags = await command('findmnt', ['-n', '-o', 'OPTIONS', bound])

      const before = await platform.unmount(loop.path)
      expect(before).toMatchObject([
        { devicePath: one, mountPoint: first, filesystem: 'ext4' },
        { devicePath: two, mountPoint: nested },
        { devicePath: one, mountPoint: bound, subfolder: '/folder' },
      ])
      expect((await volumesOf(loop.path)).flatMap((volume) => volume.mountPoints)).toEqual([])

      expect(await platform.remount(loop.path, before)).toEqual({
        mountPoints: [first, nested, bound],
        errors: [],
      })
      expect(existsSync(join(bound, 'file'))).toBe(true)
      expect(await command('findmnt', ['-n', '-o', 'OPTIONS', bound])).toBe(flags)
      const options = await command('findmnt', ['-n', '-o', 'OPTIONS', first])
      expect(options).toContain('nosuid')
      expect(options).toContain('noatime')
      expect(await command('findmnt', ['-n', '-o', 'OPTIONS', nested])).toMatch(/^ro/)
      await platform.unmount(loop.path)
    })

    it('comes back where a desktop had mounted it, and has taken the folder away since', async () => {
      const folder = mkdtempSync('/media/reprise-')
      const place = join(folder, 'STICK')
      await using cleanUp = new AsyncDisposableStack()
      cleanUp.defer(() => {
        for (const path of [place, folder]) if (existsSync(path)) rmdirSync(path)
      })
      // What is mounted of it is unmounted before.
      const loop = cleanUp.use(await attachLoop({ sizeBytes: 32 * MiB }))
      // Somebody writes to what could be a link by then.
      chmodSync(folder, 0o777)
      mkdirSync(place)
      await command('mkfs.ext4', ['-q', loop.path])
      await command('mount', [loop.path, place])
      const before = await platform.unmount(loop.path)
      rmdirSync(place)
      expect(await platform.remount(loop.path, before)).toMatchObject({
        mountPoints: [],
        errors: [{ code: 'E_NOT_FOUND' }],
      })
      chmodSync(folder, 0o750)
      expect(await platform.remount(loop.path, before)).toEqual({ mountPoints: [place], errors: [] })
      expect((await volumesOf(loop.path)).flatMap((volume) => volume.mountPoints)).toEqual([place])
    })

    it('shows a folder again of which nothing else was mounted, and never what a link there leads to', async () => {
      using folder = scratch('aside', 'bound')
      const [aside, bound] = [join(folder.path, 'aside'), join(folder.path, 'bound')]
      await using loop = await attachLoop({ sizeBytes: 32 * MiB })
      await command('mkfs.ext4', ['-q', loop.path])
      await command('mount', [loop.path, aside])
      mkdirSync(join(aside, 'folder'))
      writeFileSync(join(aside, 'folder', 'file'), '')
      await command('mount', ['--bind', join(aside, 'folder'), bound])
      await command('umount', [aside])

      const before = await platform.unmount(loop.path)
      expect(before).toMatchObject([{ mountPoint: bound, subfolder: '/folder' }])
      expect(await platform.remount(loop.path, before)).toEqual({ mountPoints: [bound], errors: [] })
      expect(existsSync(join(bound, 'file'))).toBe(true)
      expect(await command('findmnt', ['-rn', '-o', 'TARGET', '-S', loop.path])).not.toContain('/run/')

      await platform.unmount(loop.path)
      await command('mount', [loop.path, aside])
      rmSync(join(aside, 'folder'), { recursive: true })
      symlinkSync('/etc', join(aside, 'folder'))
      await command('umount', [aside])
      expect(await platform.remount(loop.path, before)).toEqual({ mountPoints: [], errors: [] })
      expect(existsSync(join(bound, 'passwd'))).toBe(false)
    })

    it('leaves all places as they were when one of them is held', async () => {
      using folder = scratch('first', 'second', 'read-only', 'bound')
      const at = (name: string) => join(folder.path, name)
      await using loop = await attachLoop({ sizeBytes: 32 * MiB })
      await command('mkfs.ext4', ['-q', loop.path])
      await command('mount', ['-o', 'sync,noatime,lazytime', loop.path, at('first')])
      await command('mount', [loop.path, at('second')])
      await command('mount', ['--bind', at('first'), at('read-only')])
      await command('mount', ['-o', 'remount,bind,ro', at('read-only')])
      mkdirSync(join(at('first'), 'folder'))
      await command('mount', ['--bind', join(at('first'), 'folder'), at('bound')])
      const table = async () =>
        (await command('findmnt', ['-n', '-r', '-o', 'TARGET,FSROOT,OPTIONS', '-S', loop.path]))
          .split('\n')
          .toSorted()
      const before = await table()
      for (const name of ['first', 'second', 'read-only', 'bound']) {
        await using _holder = await running('sleep', ['60'], at(name))
        await expect(platform.unmount(loop.path)).rejects.toMatchObject({ code: 'E_DST_BUSY' })
        expect(await table()).toEqual(before)
      }
      const { errors } = await platform.remount(loop.path, await platform.unmount(loop.path))
      expect(errors).toEqual([])
      expect(await table()).toEqual(before)
    })

    it('names a volume of another disk that is mounted inside, and leaves both where they are', async () => {
      using folder = scratch('outer')
      const outer = join(folder.path, 'outer')
      await using loop = await attachLoop({ sizeBytes: 32 * MiB })
      await using other = await attachLoop({ sizeBytes: 32 * MiB })
      for (const { path } of [loop, other]) await command('mkfs.ext4', ['-q', path])
      await command('mount', [loop.path, outer])
      mkdirSync(join(outer, 'inner'))
      await command('mount', [other.path, join(outer, 'inner')])
      await expect(platform.unmount(loop.path)).rejects.toMatchObject({
        code: 'E_DST_BUSY',
        details: { holders: [`what is mounted at ${join(outer, 'inner')}`] },
      })
      expect((await volumesOf(other.path))[0]?.mountPoints).toEqual([join(outer, 'inner')])
      await platform.unmount(other.path)
    })

    it('names a program with an open file, and succeeds when it lets go in time', async () => {
      using folder = scratch('here')
      const here = join(folder.path, 'here')
      await using loop = await attachLoop({ sizeBytes: 32 * MiB })
      await command('mkfs.ext4', ['-q', loop.path])
      await command('mount', [loop.path, here])
      writeFileSync(join(here, 'log'), '')
      {
        await using tail = await running('tail', ['-f', join(here, 'log')])
        await sleep(100)
        await expect(platform.unmount(loop.path)).rejects.toMatchObject({
          code: 'E_DST_BUSY',
          details: { holders: [`tail (${tail.pid})`] },
        })
      }
      await using _short = await running('sleep', ['0.5'], here)
      expect(await platform.unmount(loop.path)).toHaveLength(1)
    })

    it('names a program that has it mounted in a world of its own, when it cannot be opened', async () => {
      using folder = scratch('here')
      const here = join(folder.path, 'here')
      await using loop = await attachLoop({ sizeBytes: 32 * MiB })
      await command('mkfs.ext4', ['-q', loop.path])
      await command('mount', [loop.path, here])
      await using container = await running('unshare', ['--mount', '--propagation', 'private', 'sleep', '60'])
      await sleep(200)
      await platform.unmount(loop.path)
      await expect(platform.openTarget(loop.path)).rejects.toMatchObject({
        code: 'E_DST_BUSY',
        details: { holders: [`sleep (${container.pid})`] },
      })
    })

    it.each(['disk', 'partition'])(
      'names a program that writes to the %s and keeps nobody out, and lets go of it again',
      async (what) => {
        await using loop = await attachLoop({ sizeBytes: 32 * MiB })
        const [volume = ''] = await partitionLoop(loop.path, 'label: gpt\nsize=20M\n')
        const held = what === 'disk' ? loop.path : volume
        const reading = await running('sh', ['-c', `exec 7< ${held}; exec sleep 60`])
        await using _reading = reading
        {
          await using writing = await running('sh', ['-c', `exec 7<> ${held}; exec sleep 60`])
          await expect.poll(() => existsSync(`/proc/${writing.pid}/fd/7`), { timeout: 20_000 }).toBe(true)
          for (const path of [loop.path, volume])
            await expect(platform.openTarget(path)).rejects.toMatchObject({
              code: 'E_DST_BUSY',
              details: { holders: [`sleep (${writing.pid})`] },
            })
        }
        await using _target = await platform.openTarget(loop.path)
      },
    )

    it('is left empty after a failure though a program has it open for writing by then', async () => {
      await using loop = await attachLoop({ sizeBytes: 32 * MiB })
      await using writing = await running('sh', ['-c', `exec 7<> ${loop.path}; exec sleep 60`])
      await expect.poll(() => existsSync(`/proc/${writing.pid}/fd/7`), { timeout: 20_000 }).toBe(true)
      expect(await platform.makeEmpty(loop.path, null)).toBe('empty-map')
    })

    it('switches swap off', async () => {
      await using loop = await attachLoop({ sizeBytes: 32 * MiB })
      await command('mkswap', [loop.path])
      await command('swapon', [loop.path])
      try {
        expect((await find(loop.path))?.protection).toEqual({ kind: 'system', mountPoint: 'swap' })
        expect(await platform.unmount(loop.path)).toEqual([])
        expect((await find(loop.path))?.protection).toBeNull()
      } finally {
        await command('swapoff', [loop.path]).catch(() => undefined)
      }
    })

    it.skipIf(missing('program:mkfs.btrfs'))(
      'knows both disks of a btrfs, whichever it is asked about',
      async () => {
        using folder = scratch('here')
        const here = join(folder.path, 'here')
        await using one = await attachLoop({ sizeBytes: 128 * MiB })
        await using two = await attachLoop({ sizeBytes: 128 * MiB })
        await command('mkfs.btrfs', ['-q', '-f', one.path, two.path])
        await command('btrfs', ['device', 'scan', one.path, two.path])
        await command('mount', [one.path, here])
        for (const { path } of [one, two]) expect((await volumesOf(path))[0]?.mountPoints).toEqual([here])
        expect(await platform.disksHoldingFile(join(here, 'file'))).toEqual(
          expect.arrayContaining([one.path, two.path]),
        )
        expect(await platform.resolve(here)).toMatchObject({
          kind: 'other',
          what: 'a btrfs on several disks',
        })
        // What is on the other disk would go with it.
        await expect(platform.unmount(two.path)).rejects.toMatchObject({
          code: 'E_DST_BUSY',
          details: { holders: [`a mounted btrfs that is also on ${one.path}`] },
        })
        expect((await find(two.path))?.protection?.kind).toBe('in-use')
        await command('umount', [here])
        expect((await find(two.path))?.protection).toBeNull()
        expect((await volumesOf(one.path))[0]?.mountPoints).toEqual([])
        await command('btrfs', ['device', 'scan', '--forget'])
      },
    )

    it('leaves a loop device alone that goes away when it is unmounted, and its mount with it', async () => {
      using folder = scratch('here')
      const here = join(folder.path, 'here')
      const file = join(folder.path, 'disk.img')
      await command('truncate', ['-s', String(32 * MiB), file])
      await command('mkfs.ext4', ['-q', file])
      await command('mount', ['-o', 'loop', file, here])
      try {
        const path = (await command('losetup', ['--noheadings', '--output', 'NAME', '-j', file])).trim()
        const by = `a mount that it goes away with (unmount that, and use ${file} itself)`
        expect((await find(path))?.protection).toEqual({ kind: 'in-use', by })
        await expect(platform.unmount(path)).rejects.toMatchObject({
          code: 'E_DST_BUSY',
          details: { holders: [by] },
        })
        expect((await volumesOf(path))[0]?.mountPoints).toEqual([here])
        await platform.eject(path)
        expect((await find(path))?.backingFile).not.toBe(file)
      } finally {
        await command('umount', [here]).catch(() => undefined)
      }
    })

    it('mounts nothing again where the volume is gone', async () => {
      using folder = scratch('here')
      const here = join(folder.path, 'here')
      await using loop = await attachLoop({ sizeBytes: 32 * MiB })
      const [volume = ''] = await partitionLoop(loop.path, 'label: gpt\nsize=20M\n')
      await command('mkfs.ext4', ['-q', volume])
      await command('mount', [volume, here])
      const before = await platform.unmount(loop.path)
      await platform.makeEmpty(loop.path, null)
      expect(await platform.remount(loop.path, before)).toEqual({ mountPoints: [], errors: [] })
    })
  },
)

describe.skipIf(missing('root', 'loop', 'program:sfdisk', 'program:mkfs.ext4'))(
  'partitions of real disks',
  () => {
    it('appear and go when the map is read again', async () => {
      await using loop = await attachLoop({ sizeBytes: 64 * MiB })
      const write = (script: string) =>
        command('sfdisk', ['-q', '--no-reread', '--no-tell-kernel', '--wipe', 'always', loop.path], script)
      await write('label: gpt\nsize=10M\nsize=10M\nsize=10M\n')
      await platform.rereadPartitions(loop.path)
      expect((await volumesOf(loop.path)).map((volume) => volume.index)).toEqual([1, 2, 3])
      expect(existsSync(`${loop.path}p3`)).toBe(true)
      await write('label: dos\nsize=30M\n')
      await platform.rereadPartitions(`${loop.path}p1`)
      expect(await volumesOf(loop.path)).toMatchObject([{ index: 1, sizeBytes: 30 * MiB }])
      await command('wipefs', ['--all', loop.path])
      await platform.rereadPartitions(loop.path)
      expect(await volumesOf(loop.path)).toEqual([])
      expect(existsSync(`${loop.path}p1`)).toBe(false)
    })

    it('are not changed under a mounted volume', async () => {
      using folder = scratch('here')
      await using loop = await attachLoop({ sizeBytes: 64 * MiB })
      const [volume = ''] = await partitionLoop(loop.path, 'label: gpt\nstart=2048,size=20M\n')
      await command('mkfs.ext4', ['-q', volume])
      await command('mount', [volume, join(folder.path, 'here')])
      await command(
        'sfdisk',
        ['-q', '--force', '--no-reread', '--no-tell-kernel', loop.path],
        'label: gpt\nstart=40M,size=20M\nstart=30M,size=5M\n',
      )
      await expect(platform.rereadPartitions(loop.path)).rejects.toMatchObject({ code: 'E_DST_BUSY' })
      await platform.unmount(loop.path)
      await platform.rereadPartitions(loop.path)
      expect(await volumesOf(loop.path)).toHaveLength(2)
    })
  },
)

describe.skipIf(missing('root', 'loop', 'program:sfdisk', 'program:sgdisk'))('emptying real disks', () => {
  it.each([512, 4096])(
    'leaves a GPT that other tools accept, with blocks of %i bytes',
    async (logicalBlockBytes) => {
      await using loop = await attachLoop({ sizeBytes: 64 * MiB, logicalBlockBytes })
      await partitionLoop(loop.path, 'label: dos\nsize=30M\n')
      expect(await platform.makeEmpty(loop.path, null)).toBe('empty-map')
      expect(await command('sgdisk', ['--verify', loop.path])).toContain('No problems found')
      await command('sfdisk', ['--verify', loop.path])
      const dump = await command('sfdisk', ['--dump', loop.path])
      expect(dump).toContain('label: gpt')
      expect(dump).not.toContain(`${loop.path}p`)
      expect(await find(loop.path)).toMatchObject({ partitionMap: 'gpt', volumes: [], logicalBlockBytes })
    },
  )

  it.skipIf(missing('program:mkfs.btrfs'))('leaves nothing that looks like a file system', async () => {
    await using loop = await attachLoop({ sizeBytes: 128 * MiB })
    // Its signature is 64 KiB into the disk, beyond the map.
    await command('mkfs.btrfs', ['-q', loop.path])
    expect(await platform.makeEmpty(loop.path, 'btrfs')).toBe('empty-map')
    const signatures = (await command('wipefs', ['--noheadings', '--output', 'TYPE', loop.path])).split(/\s+/)
    expect(new Set(signatures.filter((each) => each !== ''))).toEqual(new Set(['gpt', 'PMBR']))
  })

  it('wipes a disk that is too small for a map', async () => {
    await using loop = await attachLoop({ sizeBytes: 32 * 1024 })
    expect(await platform.makeEmpty(loop.path, null)).toBe('wiped')
  })

  it.each([
    ['ext2', 16],
    ['ext3', 16],
    ['ext4', 16],
    ['xfs', 320],
    ['btrfs', 128],
    ['vfat', 16],
    ['exfat', 16],
    ['ntfs', 16],
  ])('leaves an empty %s in its partition', async (filesystem, size) => {
    if (missing(`program:mkfs.${filesystem}`)) return
    await using loop = await attachLoop({ sizeBytes: (size + 32) * MiB })
    const [before = '', volume = ''] = await partitionLoop(loop.path, `label: gpt\nsize=8M\nsize=${size}M\n`)
    await command('mkfs.ext4', ['-q', '-L', 'neighbour', before])
    await command('mkfs.ext4', ['-q', '-L', 'lost', volume])
    expect(await platform.makeEmpty(volume, filesystem)).toBe('empty-filesystem')
    await platform.rereadPartitions(loop.path)
    expect(await volumesOf(loop.path)).toMatchObject([
      { filesystem: 'ext4', label: 'neighbour' },
      { filesystem, label: null, mountPoints: [] },
    ])
  })

  it.each(['hfsplus', 'apfs', null])('leaves no signature where it had %s', async (filesystem) => {
    await using loop = await attachLoop({ sizeBytes: 32 * MiB })
    const [volume = ''] = await partitionLoop(loop.path, 'label: gpt\nsize=16M\n')
    await command('mkfs.ext4', ['-q', volume])
    const left = await platform.makeEmpty(volume, filesystem)
    expect(left).toBe(
      filesystem === 'hfsplus' && program('mkfs.hfsplus') !== null ? 'empty-filesystem' : 'wiped',
    )
    await platform.rereadPartitions(loop.path)
    expect(await volumesOf(loop.path)).toMatchObject([{ label: null }])
  })

  it('wipes a partition that is too small for its file system', async () => {
    await using loop = await attachLoop({ sizeBytes: 32 * MiB })
    const [volume = ''] = await partitionLoop(loop.path, 'label: gpt\nsize=16M\n')
    expect(await platform.makeEmpty(volume, 'btrfs')).toBe('wiped')
    expect(await volumesOf(loop.path)).toMatchObject([{ filesystem: null }])
  })

  it('leaves an empty map, and says so, where somebody has an old partition open', async () => {
    await using loop = await attachLoop({ sizeBytes: 64 * MiB })
    const [volume = ''] = await partitionLoop(loop.path, 'label: gpt\nsize=16M\n')
    await using _open = await open(volume)
    await expect(platform.makeEmpty(loop.path, null)).rejects.toMatchObject({
      code: 'E_DST_BUSY',
      details: { left: 'reread' },
    })
    expect(await command('sgdisk', ['--verify', loop.path])).toContain('No problems found')
  })

  it('touches nothing that isn’t what was meant, however late that is seen', async () => {
    await using loop = await attachLoop({ sizeBytes: 32 * MiB })
    const [volume = ''] = await partitionLoop(loop.path, 'label: gpt\nsize=16M\n')
    await command('mkfs.ext4', ['-q', '-L', 'precious', volume])
    let looks = 0
    const isOtherFrom = (look: number) => async () => {
      looks += 1
      if (looks >= look) throw new DeviceError('E_DST_CHANGED', 'another', { details: { path: volume } })
    }
    for (const path of [loop.path, volume])
      await expect(platform.makeEmpty(path, 'ext4', isOtherFrom(1))).rejects.toMatchObject({
        code: 'E_DST_CHANGED',
      })
    expect(await volumesOf(loop.path)).toMatchObject([{ label: 'precious' }])
    looks = 0
    await expect(platform.makeEmpty(volume, 'ext4', isOtherFrom(2))).rejects.toMatchObject({
      code: 'E_DST_CHANGED',
    })
    expect(await volumesOf(loop.path)).toMatchObject([{ filesystem: null }])
  })

  it('touches nothing that is mounted', async () => {
    using folder = scratch('here')
    await using loop = await attachLoop({ sizeBytes: 32 * MiB })
    await command('mkfs.ext4', ['-q', '-L', 'precious', loop.path])
    await command('mount', [loop.path, join(folder.path, 'here')])
    await expect(platform.makeEmpty(loop.path, null)).rejects.toMatchObject({ code: 'E_DST_BUSY' })
    expect(await volumesOf(loop.path)).toMatchObject([{ label: 'precious' }])
  })
})

describe.skipIf(missing('root', 'loop', 'program:nbdfuse'))('a disk that fails', () => {
  it('is named with the place when it cannot zero', async () => {
    await using disk = await attachFaultyDisk({ sizeBytes: 16 * MiB, failWritesFrom: 8 * MiB })
    await using target = await platform.openTarget(disk.path)
    await platform.zeroOut(target, 0, 4 * MiB)
    await expect(platform.zeroOut(target, 8 * MiB, MiB)).rejects.toMatchObject({
      code: 'E_IO_WRITE',
      details: { path: disk.path, offset: 8 * MiB },
    })
  })

  it('is waited for when zeroing it is cancelled, so that nothing is written over what comes next', async () => {
    await using disk = await attachFaultyDisk({ sizeBytes: 16 * MiB })
    await using target = await platform.openTarget(disk.path)
    await disk.setFaults({ stall: true })
    const stop = new AbortController()
    const zeroing = platform.zeroOut(target, 0, 16 * MiB, stop.signal)
    await sleep(200)
    stop.abort(new Error('enough'))
    let isOver = false
    const end = zeroing.catch((error: unknown) => {
      isOver = true
      return error
    })
    await sleep(1500)
    expect(isOver).toBe(false)
    await disk.setFaults({})
    expect(await end).toMatchObject({ message: 'enough' })
  })

  it('is still listed when nothing can be read from it, and the others too', async () => {
    await using disk = await attachFaultyDisk({ sizeBytes: 16 * MiB, failReadsFrom: 0 })
    await using other = await attachLoop({ sizeBytes: MiB })
    const paths = (await platform.list()).map((each) => each.path)
    expect(paths).toEqual(expect.arrayContaining([disk.path, other.path]))
  })

  it('does not hold up the list when it does not answer', async () => {
    await using disk = await attachFaultyDisk({ sizeBytes: 16 * MiB, stall: true })
    await using other = await attachLoop({ sizeBytes: MiB })
    expect((await platform.list()).map((each) => each.path)).toContain(other.path)
    await disk.setFaults({})
  })
})

describe.skipIf(missing('root', 'loop', 'program:mkfs.ext4'))('watching real disks', () => {
  it('tells of mounting, of unmounting and of new partitions', async () => {
    using folder = scratch('here')
    const here = join(folder.path, 'here')
    await using loop = await attachLoop({ sizeBytes: 64 * MiB })
    const [volume = ''] = await partitionLoop(loop.path, 'label: gpt\nsize=20M\n')
    await command('mkfs.ext4', ['-q', volume])
    let mountPoints: readonly string[] = []
    let volumes = 0
    await using _watch = platform.watch((disks) => {
      const now = disks.find((disk) => disk.path === loop.path)?.volumes ?? []
      mountPoints = now.flatMap((each) => each.mountPoints)
      volumes = now.length
    })
    const soon = { timeout: 30_000, interval: 20 }
    await command('mount', [volume, here])
    await expect.poll(() => mountPoints, soon).toEqual([here])
    await command('umount', [here])
    await expect.poll(() => mountPoints, soon).toEqual([])
    await partitionLoop(loop.path, 'label: gpt\nsize=20M\nsize=20M\n')
    await expect.poll(() => volumes, soon).toBe(2)
  })
})

describe.skipIf(missing('root', 'loop', 'program:sfdisk'))('ejecting a real loop device', () => {
  it('detaches it with its partitions, and says when somebody has it open', async () => {
    await using loop = await attachLoop({ sizeBytes: 16 * MiB })
    await partitionLoop(loop.path, 'label: gpt\nsize=4M\n')
    await rescanLoop(loop.path)
    await platform.eject(`${loop.path}p1`)
    expect(await find(loop.path)).toBeUndefined()
    expect(existsSync(`${loop.path}p1`)).toBe(false)

    await using held = await attachLoop({ sizeBytes: 16 * MiB })
    await using _handle = await open(held.path, 'r')
    await expect(platform.eject(held.path)).rejects.toMatchObject({ code: 'E_DST_BUSY' })
  })
})
