import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import type { Platform, RunProgram } from '#engine/platform'
import { DeviceError } from '#shared/errors'
import { createLinuxPlatform } from '#src/main/engine/platform/linux/linux-platform.ts'
import { recordLinux, type RecordedDisk, type RecordedLinux } from '#test/recorded-linux'
import { recordedMachine, type RecordedMachine } from '#test/recorded-machine'

const MiB = 2 ** 20

const stick: RecordedDisk = {
  at: 'pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/host6/target6:0:0/6:0:0:0/block/sdb',
  number: '8:16',
  sizeBytes: 64 * MiB,
  partitions: [
    { index: 1, number: '8:17', offset: MiB, sizeBytes: 10 * MiB },
    { index: 2, number: '8:18', offset: 20 * MiB, sizeBytes: 10 * MiB },
  ],
}

const other: RecordedDisk = {
  at: 'pci0000:00/0000:00:17.0/ata1/host1/target1:0:0/1:0:0:0/block/sda',
  number: '8:0',
  sizeBytes: 64 * MiB,
  partitions: [{ index: 1, number: '8:1', offset: MiB, sizeBytes: 10 * MiB }],
}

/** A machine on which `umount`, `mount` and `swapoff` change the mount table; those in `stuck` can't be unmounted. */
function machineWith(linux: RecordedLinux, stuck: readonly string[] = []) {
  let mounts = (linux.mountinfo ?? '').split('\n')
  let swaps = linux.swaps ?? ''
  const record = () =>
    recordLinux({
      ...linux,
      mountinfo: mounts.join('\n'),
      swaps,
      programs: {
        umount: ([mountPoint = '']) => {
          if (stuck.includes(mountPoint))
            return { status: 32, stderr: `umount: ${mountPoint}: target is busy.` }
          const index = mounts.findLastIndex(
            (line) => line.split(' ')[4] === mountPoint.replaceAll(' ', '\\040'),
          )
          mounts = mounts.filter((_, at) => at !== index)
          system.change(record())
          return ''
        },
        mount: ([flag = '', options = '', device = '', mountPoint = '']) => {
          if (flag === '--bind') {
            const folder = mounts.findLast((line) => options.startsWith(`${line.split(' ')[4]}/`)) ?? ''
            const [, , number, root = '', at = '', ...rest] = folder.split(' ')
            const inside = `${root === '/' ? '' : root}${options.slice(at.length)}`
            mounts = [...mounts, ['99', '1', number, inside, device, ...rest].join(' ')]
          } else if (mountPoint !== '') {
            const number = device.endsWith('1') ? '8:17' : '8:18'
            mounts = [...mounts, `99 1 ${number} / ${mountPoint} ${options} - ext4 ${device} rw`]
          }
          system.change(record())
          return ''
        },
        swapoff: () => {
          swaps = ''
          system.change(record())
          return ''
        },
        swapon: '',
        mktemp: '/run/reprise-1\n',
        mkdir: ([, , made = '']) => {
          linux = { ...linux, folders: [...(linux.folders ?? []), made] }
          system.change(record())
          return ''
        },
        rmdir: '',
        blkid: 'ID_FS_TYPE=ext4\n',
        ...linux.programs,
      },
    })
  const system: RecordedMachine = recordedMachine(record())
  const platform: Platform = createLinuxPlatform({ system })
  return { platform, system, mountPoints: () => mounts.map((line) => line.split(' ')[4]) }
}

describe('unmounting on Linux', () => {
  it('takes off what was mounted last first, bind mounts and subfolders included', async () => {
    const { platform, system } = machineWith({
      disks: [stick],
      mountinfo: [
        '30 1 8:17 / /mnt/one rw,nosuid,relatime - vfat /dev/sdb1 rw,uid=1000,errors=remount-ro',
        '31 30 8:18 / /mnt/one/two ro,relatime - ext4 /dev/sdb2 rw',
        '32 1 8:17 /folder /srv2/bound rw - vfat /dev/sdb1 rw',
      ].join('\n'),
    })
    expect(await platform.unmount('/dev/sdb')).toEqual([
      {
        devicePath: '/dev/sdb1',
        mountPoint: '/mnt/one',
        filesystem: 'vfat',
        options: 'rw,nosuid,relatime,uid=1000',
        subfolder: null,
      },
      {
        devicePath: '/dev/sdb2',
        mountPoint: '/mnt/one/two',
        filesystem: 'ext4',
        options: 'ro,relatime',
        subfolder: null,
      },
      {
        devicePath: '/dev/sdb1',
        mountPoint: '/srv2/bound',
        filesystem: 'vfat',
        options: 'rw',
        subfolder: '/folder',
      },
    ])
    expect(system.ran.filter((command) => command.startsWith('umount'))).toEqual([
      'umount /srv2/bound',
      'umount /mnt/one/two',
      'umount /mnt/one',
    ])
  })

  it('leaves other disks alone', async () => {
    const { platform, mountPoints } = machineWith({
      disks: [stick, other],
      mountinfo: '30 1 8:17 / /mnt/one rw - ext4 /dev/sdb1 rw\n31 1 8:1 / /mnt/two rw - ext4 /dev/sda1 rw',
    })
    await platform.unmount('/dev/sdb')
    expect(mountPoints()).toEqual(['/mnt/two'])
  })

  it('unmounts one partition only when that is what it was given', async () => {
    const { platform, mountPoints } = machineWith({
      disks: [stick],
      mountinfo: '30 1 8:17 / /mnt/one rw - ext4 /dev/sdb1 rw\n31 1 8:18 / /mnt/two rw - ext4 /dev/sdb2 rw',
    })
    await platform.unmount('/dev/sdb2')
    expect(mountPoints()).toEqual(['/mnt/one'])
  })

  it('switches swap off', async () => {
    const { platform, system } = machineWith({ disks: [stick], swaps: '/dev/sdb2 partition 1 0 -2\n' })
    expect(await platform.unmount('/dev/sdb')).toEqual([])
    expect(system.ran).toContain('swapoff /dev/sdb2')
  })

  it('tries three times, then mounts again what it had unmounted, and says who holds the rest', async () => {
    const { platform, system, mountPoints } = machineWith(
      {
        disks: [stick],
        mountinfo: '30 1 8:17 / /mnt/one rw - ext4 /dev/sdb1 rw\n31 1 8:18 / /mnt/two rw - ext4 /dev/sdb2 rw',
        folders: ['/mnt/one', '/mnt/two'],
        files: { '/proc/612/comm': 'tail\n', '/proc/612/fd/3': '', '/proc/7/comm': 'cron\n' },
        links: { '/proc/612/cwd': '/mnt/one/folder', '/proc/7/cwd': '/' },
      },
      ['/mnt/one'],
    )
    await expect(platform.unmount('/dev/sdb')).rejects.toMatchObject({
      code: 'E_DST_BUSY',
      details: { path: '/dev/sdb', holders: ['tail (612)'] },
    })
    expect(system.ran.filter((command) => command === 'umount /mnt/one')).toHaveLength(3)
    expect(mountPoints()).toEqual(['/mnt/one', '/mnt/two'])
  })

  it('tells what it had unmounted and could not mount again', async () => {
    const { platform } = machineWith(
      {
        disks: [stick],
        mountinfo: '30 1 8:17 / /mnt/one rw - ext4 /dev/sdb1 rw\n31 1 8:18 / /mnt/two rw - ext4 /dev/sdb2 rw',
        folders: ['/mnt/one'],
      },
      ['/mnt/one'],
    )
    const left: Error[] = []
    const unmounted = platform.unmount('/dev/sdb', undefined, (errors) => left.push(...errors))
    await expect(unmounted).rejects.toMatchObject({ code: 'E_DST_BUSY' })
    expect(left).toMatchObject([{ code: 'E_NOT_FOUND', details: { path: '/mnt/two' } }])
  })

  it('does not wait for a slow disk that was unmounted in part when it is stopped', async () => {
    const stop = new AbortController()
    const { system } = machineWith({
      disks: [stick],
      mountinfo: '30 1 8:17 / /mnt/one rw - ext4 /dev/sdb1 rw\n31 1 8:18 / /mnt/two rw - ext4 /dev/sdb2 rw',
      folders: ['/mnt/one', '/mnt/two'],
      swaps: '/dev/sdb2 partition 1 0 -2\n',
    })
    const run: RunProgram = async (name, args, options) => {
      const result = await system.run(name, args, options)
      if (name === 'umount') stop.abort()
      if (name !== 'blkid') return result
      if (options?.signal === undefined) throw new Error('nobody can stop this')
      await once(options.signal, 'abort')
      throw options.signal.reason
    }
    const platform = createLinuxPlatform({ system: { ...system, run } })
    const left: Error[] = []
    const unmounted = platform.unmount('/dev/sdb', stop.signal, (errors) => left.push(...errors))
    await expect(unmounted).rejects.toMatchObject({ name: 'AbortError' })
    expect(left).toMatchObject([{ details: { path: '/mnt/two', left: 'mount', why: 'stopped' } }])
    expect(system.ran).toContain('swapon /dev/sdb2')
  })

  it('puts the second place of a volume back when the first is held', async () => {
    const { platform, mountPoints } = machineWith(
      {
        disks: [stick],
        mountinfo: '30 1 8:17 / /mnt/one rw - ext4 /dev/sdb1 rw\n31 1 8:17 / /mnt/two rw - ext4 /dev/sdb1 rw',
        folders: ['/mnt/one', '/mnt/two'],
      },
      ['/mnt/one'],
    )
    await expect(platform.unmount('/dev/sdb')).rejects.toMatchObject({ code: 'E_DST_BUSY' })
    expect(mountPoints()).toEqual(['/mnt/one', '/mnt/two'])
  })

  it('puts a folder that is shown elsewhere too back there when the volume is held', async () => {
    const { platform, mountPoints } = machineWith(
      {
        disks: [stick],
        mountinfo:
          '30 1 8:17 / /mnt/one rw - ext4 /dev/sdb1 rw\n31 1 8:17 /folder /bound rw - ext4 /dev/sdb1 rw',
        folders: ['/mnt/one/folder', '/bound'],
      },
      ['/mnt/one'],
    )
    await expect(platform.unmount('/dev/sdb')).rejects.toMatchObject({ code: 'E_DST_BUSY' })
    expect(mountPoints()).toEqual(['/mnt/one', '/bound'])
  })

  it('remembers how a volume was mounted that is written to at once', async () => {
    const { platform } = machineWith({
      disks: [stick],
      mountinfo: '30 1 8:17 / /mnt/one rw,noatime - ext4 /dev/sdb1 rw,sync,dirsync,lazytime,data=ordered',
    })
    expect(await platform.unmount('/dev/sdb')).toMatchObject([
      { options: 'rw,noatime,sync,dirsync,lazytime' },
    ])
  })

  it.each([
    ['btrfs', 'rw', 'rw,space_cache=v2,subvolid=5,subvol=/', 'rw,subvol=/'],
    ['vfat', 'rw', 'rw,uid=1000,flush,showexec,errors=remount-ro', 'rw,uid=1000,flush,showexec'],
  ])('remembers which part of a %s was mounted, and how', async (filesystem, own, above, options) => {
    const { platform } = machineWith({
      disks: [stick],
      mountinfo: `30 1 8:17 / /mnt/one ${own} - ${filesystem} /dev/sdb1 ${above}`,
    })
    expect(await platform.unmount('/dev/sdb')).toMatchObject([{ filesystem, options }])
  })

  it('does not take off another disk that is mounted over it', async () => {
    const { platform, mountPoints } = machineWith({
      disks: [stick, other],
      mountinfo: '30 1 8:17 / /mnt/one rw - ext4 /dev/sdb1 rw\n31 30 8:1 / /mnt/one rw - ext4 /dev/sda1 rw',
    })
    await expect(platform.unmount('/dev/sdb')).rejects.toMatchObject({
      code: 'E_DST_BUSY',
      details: { holders: ['what is mounted at /mnt/one'] },
    })
    expect(mountPoints()).toEqual(['/mnt/one', '/mnt/one'])
  })

  it.each([
    [
      { '/proc/9/comm': 'postgres\n', '/proc/9/maps': '7f00-7f01 r--p 0 08:11 42 /x/lib.so\n' },
      {},
      'postgres (9)',
    ],
    [
      { '/proc/9/comm': 'vim\n', '/proc/9/fd/4': '' },
      { '/proc/9/fd/4': '/mnt/one/notes (deleted)' },
      'vim (9)',
    ],
    [
      {
        '/proc/9/comm': 'MainThread\n',
        '/proc/9/cmdline': '/usr/bin/node\0--no-warnings\0/opt/reprise/reprise.js\0stream\0',
      },
      { '/proc/9/cwd': '/mnt/one' },
      'reprise (9)',
    ],
    [
      { '/proc/9/comm': 'MainThread\n', '/proc/9/cmdline': '/opt/reprise/reprise\0engine-host\0' },
      { '/proc/9/cwd': '/mnt/one' },
      'reprise (9)',
    ],
    [
      { '/proc/9/comm': 'MainThread\n', '/proc/9/cmdline': '' },
      { '/proc/9/cwd': '/mnt/one' },
      'MainThread (9)',
    ],
    [
      { '/proc/9/comm': 'bash\n', '/proc/1000/comm': 'reprise\n' },
      { '/proc/9/cwd': '/mnt/one', '/proc/1000/cwd': '/mnt/one' },
      'bash (9)',
    ],
    [{ '/proc/1000/comm': 'reprise\n' }, { '/proc/1000/cwd': '/mnt/one' }, 'reprise (1000)'],
    [{ '/proc/9/comm': 'dd\n', '/proc/9/fd/4': '' }, { '/proc/9/fd/4': '/dev/sdb1' }, 'dd (9)'],
    [
      {
        '/proc/9/comm': 'dockerd\n',
        '/proc/9/mountinfo': '5 1 8:17 / /data rw - ext4 /dev/sdb1 rw',
        '/proc/8/mountinfo': '',
      },
      { '/proc/9/ns/mnt': 'mnt:[2]', '/proc/self/ns/mnt': 'mnt:[1]' },
      'dockerd (9)',
    ],
  ])('finds who holds a volume by what it has open: %o', async (files, links, holder) => {
    const { platform } = machineWith(
      { disks: [stick], mountinfo: '30 1 8:17 / /mnt/one rw - ext4 /dev/sdb1 rw', files, links },
      ['/mnt/one'],
    )
    await expect(platform.unmount('/dev/sdb')).rejects.toMatchObject({ details: { holders: [holder] } })
  })

  it('names a loop device and a swap file that are stored on the volume', async () => {
    const { platform } = machineWith(
      {
        disks: [
          stick,
          {
            at: 'virtual/block/loop3',
            number: '7:3',
            sizeBytes: MiB,
            files: { 'loop/backing_file': '/mnt/one/disk.img' },
          },
        ],
        mountinfo: '30 1 8:17 / /mnt/one rw - ext4 /dev/sdb1 rw',
      },
      ['/mnt/one'],
    )
    await expect(platform.unmount('/dev/sdb')).rejects.toMatchObject({
      details: { holders: ['/dev/loop3'] },
    })
  })

  it.each(['/', '/home', '/boot/efi'])('refuses a disk that has %s, and runs nothing', async (mountPoint) => {
    const { platform, system } = machineWith({
      disks: [stick],
      mountinfo: `30 1 8:17 / ${mountPoint} rw - ext4 /dev/sdb1 rw`,
    })
    await expect(platform.unmount('/dev/sdb')).rejects.toMatchObject({ code: 'E_DST_SYSTEM' })
    expect(system.ran).toEqual([])
  })

  it('refuses a disk that something is built on', async () => {
    const { platform, system } = machineWith({
      disks: [
        { ...stick, holders: ['dm-0'] },
        { at: 'virtual/block/dm-0', number: '253:0', sizeBytes: MiB },
      ],
    })
    await expect(platform.unmount('/dev/sdb')).rejects.toMatchObject({
      code: 'E_DST_BUSY',
      details: { holders: ['dm-0'] },
    })
    expect(system.ran).toEqual([])
  })

  it('takes no partition from a file system that is on another too, but the disk that has both', async () => {
    const { platform, mountPoints } = machineWith({
      disks: [stick],
      mountinfo: '30 1 8:17 / /mnt/one rw - xfs /dev/sdb1 rw,logdev=/dev/sdb2',
    })
    for (const [path, also] of [
      ['/dev/sdb1', '/dev/sdb2'],
      ['/dev/sdb2', '/dev/sdb1'],
    ] as const)
      await expect(platform.unmount(path)).rejects.toMatchObject({
        code: 'E_DST_BUSY',
        details: { holders: [`a mounted xfs that is also on ${also}`] },
      })
    await platform.unmount('/dev/sdb')
    expect(mountPoints()).toEqual([])
  })

  it('says that nothing is there', async () => {
    const { platform } = machineWith({ disks: [stick] })
    await expect(platform.unmount('/dev/sdz')).rejects.toMatchObject({ code: 'E_NOT_FOUND' })
  })
})

describe('mounting again on Linux', () => {
  const volume = {
    devicePath: '/dev/sdb1',
    mountPoint: '/mnt/one',
    filesystem: 'ext4',
    options: 'rw,nosuid',
    subfolder: null,
  }
  const bound = { ...volume, mountPoint: '/bound', options: 'ro,nosuid', subfolder: '/folder' }

  it('leaves a volume where the automounter has put it', async () => {
    const { platform, system } = machineWith({
      disks: [stick],
      mountinfo: '30 1 8:17 / /media/mona/NEW rw - ext4 /dev/sdb1 rw',
    })
    expect(await platform.remount('/dev/sdb', [volume])).toEqual({
      mountPoints: ['/media/mona/NEW'],
      errors: [],
    })
    expect(system.ran).toEqual([])
  })

  it('mounts a volume in both places where it was', async () => {
    const { platform } = machineWith({ disks: [stick], folders: ['/mnt/one', '/mnt/two'] })
    const before = [volume, { ...volume, mountPoint: '/mnt/two' }]
    expect(await platform.remount('/dev/sdb', before)).toEqual({
      mountPoints: ['/mnt/one', '/mnt/two'],
      errors: [],
    })
  })

  it('drops options that only the old file system understood', async () => {
    const { platform, system } = machineWith({ disks: [stick], folders: ['/mnt/one'] })
    const fat = { ...volume, filesystem: 'vfat', options: 'rw,nosuid,uid=1000,utf8' }
    await platform.remount('/dev/sdb', [fat])
    expect(system.ran).toContain('mount -o rw,nosuid /dev/sdb1 /mnt/one')
  })

  it('has nothing to mount where the new map has no such partition, or no file system in it', async () => {
    const empty = machineWith({ disks: [stick], folders: ['/mnt/one'], programs: { blkid: { status: 2 } } })
    expect(await empty.platform.remount('/dev/sdb', [volume])).toEqual({ mountPoints: [], errors: [] })
    const gone = machineWith({ disks: [{ ...stick, partitions: [] }], folders: ['/mnt/one'] })
    expect(await gone.platform.remount('/dev/sdb', [volume])).toEqual({ mountPoints: [], errors: [] })
  })

  it('shows a folder elsewhere again, as it was, after the volume that it is on', async () => {
    const { platform, system } = machineWith({ disks: [stick], folders: ['/mnt/one/folder', '/bound'] })
    expect(await platform.remount('/dev/sdb', [bound, volume])).toEqual({
      mountPoints: ['/mnt/one', '/bound'],
      errors: [],
    })
    expect(system.ran.filter((command) => command.startsWith('mount'))).toEqual([
      'mount -o rw,nosuid /dev/sdb1 /mnt/one',
      'mount --bind /mnt/one/folder /bound',
      'mount -o remount,bind,ro,nosuid,dev,exec,atime,diratime /bound',
    ])
  })

  it('shows a folder elsewhere again where the automounter was faster', async () => {
    const { platform, mountPoints } = machineWith({
      disks: [stick],
      mountinfo: '30 1 8:17 / /media/mona/NEW rw - ext4 /dev/sdb1 rw',
      folders: ['/media/mona/NEW/folder', '/mnt/one', '/bound'],
    })
    await platform.remount('/dev/sdb', [volume, bound])
    expect(mountPoints()).toEqual(['/media/mona/NEW', '/bound'])
  })

  it('shows a folder again of which nothing else was mounted', async () => {
    const { platform, system, mountPoints } = machineWith({
      disks: [stick],
      folders: ['/run/reprise-1/folder', '/bound'],
    })
    expect(await platform.remount('/dev/sdb', [bound])).toEqual({ mountPoints: ['/bound'], errors: [] })
    expect(system.ran.filter((command) => !command.startsWith('blkid'))).toEqual([
      'mktemp -d /run/reprise-XXXXXXXXXX',
      'mount -o ro,nosuid /dev/sdb1 /run/reprise-1',
      'mount --bind /run/reprise-1/folder /bound',
      'mount -o remount,bind,ro,nosuid,dev,exec,atime,diratime /bound',
      'umount /run/reprise-1',
      'rmdir /run/reprise-1',
    ])
    expect(mountPoints()).not.toContain('/run/reprise-1')
  })

  it('mounts nothing where a link leads that came with another volume', async () => {
    const { platform, system } = machineWith({
      disks: [stick],
      folders: ['/mnt/one', '/etc', '/mnt/one/folder'],
      links: { '/mnt/one/two': '/etc' },
    })
    const nested = { ...volume, devicePath: '/dev/sdb2', mountPoint: '/mnt/one/two' }
    const folder = { ...bound, mountPoint: '/mnt/one/two' }
    const { mountPoints, errors } = await platform.remount('/dev/sdb', [volume, nested, folder])
    expect(mountPoints).toEqual(['/mnt/one'])
    expect(errors).toMatchObject([{ code: 'E_NOT_FOUND' }, { code: 'E_NOT_FOUND' }])
    expect(system.ran.filter((command) => command.includes('/mnt/one/two'))).toEqual([])
  })

  describe('at a place that the desktop has taken away when it saw the volume go', () => {
    const placeOf = (mountPoint: string) => ({ ...volume, mountPoint })

    it.each([
      ['/media/mona/STICK', '/media/mona'],
      ['/run/media/mona/STICK', '/run/media/mona'],
      ['/media/STICK', '/media'],
    ])('makes %s once more', async (mountPoint, parent) => {
      const { platform, system } = machineWith({
        disks: [stick],
        folders: [parent],
        modes: { [parent]: 0o750 },
      })
      expect(await platform.remount('/dev/sdb', [placeOf(mountPoint)])).toEqual({
        mountPoints: [mountPoint],
        errors: [],
      })
      expect(system.ran.slice(-2)).toEqual([
        `mkdir -m 0755 ${mountPoint}`,
        `mount -o rw,nosuid /dev/sdb1 ${mountPoint}`,
      ])
    })

    it('takes it away again when the volume cannot be mounted', async () => {
      const { platform, system } = machineWith({
        disks: [stick],
        folders: ['/media/mona'],
        programs: { mount: { status: 32, stderr: 'wrong fs type' } },
      })
      const { errors } = await platform.remount('/dev/sdb', [placeOf('/media/mona/STICK')])
      expect(errors).toMatchObject([{ code: 'E_DEVICE_TOOL', details: { tool: 'mount' } }])
      expect(system.ran.at(-1)).toBe('rmdir /media/mona/STICK')
    })

    it.each<[string, string, Partial<RecordedLinux>]>([
      ['it was nobody’s but a person’s', '/mnt/STICK', { folders: ['/mnt'] }],
      ['it lay deeper', '/media/mona/STICK/folder', { folders: ['/media/mona/STICK'] }],
      ['its own folder is gone', '/media/mona/STICK', { folders: ['/media'] }],
      ['its folder belongs to somebody else', '/media/mona/STICK', { owners: { '/media/mona': 1000 } }],
      ['the folder above does', '/media/mona/STICK', { owners: { '/media': 1000 } }],
      ['others may write to its folder', '/media/mona/STICK', { modes: { '/media/mona': 0o775 } }],
      ['everybody may', '/media/mona/STICK', { modes: { '/media/mona': 0o757 } }],
      [
        'a link leads to its folder',
        '/media/mona/STICK',
        { folders: ['/etc', '/media'], links: { '/media/mona': '/etc' } },
      ],
      ['its folder is another volume', '/media/mona/STICK', { devices: { '/media/mona': '8:1' } }],
    ])('makes nothing where %s', async (_, mountPoint, change) => {
      const { platform, system } = machineWith({ disks: [stick], folders: ['/media/mona'], ...change })
      const { errors } = await platform.remount('/dev/sdb', [placeOf(mountPoint)])
      expect(errors).toMatchObject([{ code: 'E_NOT_FOUND', details: { path: mountPoint } }])
      expect(system.ran.filter((command) => /^mkdir|^mount/.test(command))).toEqual([])
    })
  })

  it('leaves nothing mounted aside when there is no such folder any more', async () => {
    const { platform, system, mountPoints } = machineWith({ disks: [stick], folders: ['/bound'] })
    expect(await platform.remount('/dev/sdb', [bound])).toEqual({ mountPoints: [], errors: [] })
    expect(mountPoints()).not.toContain('/run/reprise-1')
    expect(system.ran.at(-1)).toBe('rmdir /run/reprise-1')
  })

  it.each([
    ['the folder is gone', { folders: ['/mnt/one', '/bound'] }],
    [
      'it is another file system',
      { folders: ['/mnt/one/folder', '/bound'], programs: { blkid: 'ID_FS_TYPE=xfs\n' } },
    ],
    ['there is none any more', { folders: ['/mnt/one', '/bound'], programs: { blkid: { status: 2 } } }],
  ])('does not show a folder elsewhere when %s', async (_, change) => {
    const { platform, mountPoints } = machineWith({ disks: [stick], ...change })
    expect(await platform.remount('/dev/sdb', [volume, bound])).toMatchObject({ errors: [] })
    expect(mountPoints()).not.toContain('/bound')
  })

  it.each([['its place is gone', { folders: ['/mnt/one/folder'] }, [volume, bound], 'E_NOT_FOUND']])(
    'tells that a folder is not shown elsewhere when %s',
    async (_, change, before, code) => {
      const { platform } = machineWith({ disks: [stick], ...change })
      const { errors } = await platform.remount('/dev/sdb', before)
      expect(errors).toMatchObject([{ code, details: { path: '/bound' } }])
    },
  )

  it('is stopped by the signal, and tells what is left', async () => {
    const stop = new AbortController()
    const { platform, system } = machineWith({
      disks: [stick],
      folders: ['/mnt/one', '/mnt/two'],
      programs: {
        blkid: () => {
          stop.abort()
          return 'ID_FS_TYPE=ext4\n'
        },
      },
    })
    const before = [volume, { ...volume, devicePath: '/dev/sdb2', mountPoint: '/mnt/two' }]
    const { mountPoints, errors } = await platform.remount('/dev/sdb', before, stop.signal)
    expect(mountPoints).toEqual([])
    expect(errors).toMatchObject(
      ['/mnt/one', '/mnt/two'].map((path) => ({
        code: 'E_DEVICE_TOOL',
        details: { path, left: 'mount', why: 'stopped' },
      })),
    )
    expect(system.ran.filter((command) => command.startsWith('mount'))).toEqual([])
  })

  it('leaves nothing mounted aside when it is stopped', async () => {
    const stop = new AbortController()
    const { platform, system } = machineWith({
      disks: [stick],
      folders: ['/run/reprise-1/folder', '/bound'],
      programs: {
        mount: () => {
          stop.abort()
          return ''
        },
      },
    })
    const { errors } = await platform.remount('/dev/sdb', [bound], stop.signal)
    expect(errors).toMatchObject([{ details: { path: '/bound', why: 'stopped' } }])
    expect(system.ran.slice(-2)).toEqual(['umount /run/reprise-1', 'rmdir /run/reprise-1'])
  })

  it('does not take a disk that does not answer for one without a volume', async () => {
    const silent = new DeviceError('E_DEVICE_TOOL', 'no end', { details: { path: '/dev/sdb1' } })
    const { platform } = machineWith({ disks: [stick], folders: ['/mnt/one'], programs: { blkid: silent } })
    expect(await platform.remount('/dev/sdb', [volume])).toMatchObject({
      mountPoints: [],
      errors: [{ details: { path: '/mnt/one', left: 'mount', why: 'silent' } }],
    })
  })

  it.each([
    ['a file system that it has no driver for', 'apfs', { why: 'unreadable', filesystem: 'apfs' }],
    ['what is no file system to mount', 'swap', { tool: 'mount', status: 32 }],
  ] as const)('says of %s what mount says', async (_, filesystem, details) => {
    const stderr = `mount: /mnt/one: unknown filesystem type '${filesystem}'.`
    const { platform } = machineWith({
      disks: [stick],
      folders: ['/mnt/one'],
      programs: { blkid: `ID_FS_TYPE=${filesystem}\n`, mount: { status: 32, stderr } },
    })
    expect(await platform.remount('/dev/sdb', [volume])).toMatchObject({
      mountPoints: [],
      errors: [{ details }],
    })
  })

  it('tells what went wrong with one volume and goes on with the next', async () => {
    const { platform } = machineWith({ disks: [stick], folders: ['/mnt/two'] })
    const { mountPoints, errors } = await platform.remount('/dev/sdb', [
      volume,
      { ...volume, devicePath: '/dev/sdb2', mountPoint: '/mnt/two' },
    ])
    expect(mountPoints).toEqual(['/mnt/two'])
    expect(errors).toMatchObject([{ code: 'E_NOT_FOUND', details: { path: '/mnt/one' } }])
  })
})

describe('file systems that this computer has no way to mount', () => {
  const files = {
    '/proc/modules': '',
    '/proc/filesystems': 'nodev\tsysfs\n\text4\n\tvfat\n',
    '/proc/sys/kernel/osrelease': '6.8.0-1\n',
    '/lib/modules/6.8.0-1/modules.dep':
      'kernel/fs/hfsplus/hfsplus.ko.zst: kernel/drivers/cdrom/cdrom.ko.zst\nkernel/fs/ntfs3/ntfs3.ko:\n',
  }
  const found = async (filesystem: string, more: Partial<RecordedLinux> = {}, path = '/dev/sdb') => {
    const programs = {
      'blkid --probe --output udev /dev/sdb1': `ID_FS_TYPE=${filesystem}\n`,
      'blkid --probe --output udev /dev/sdb2': 'ID_FS_TYPE=ext4\n',
    }
    return machineWith({ disks: [stick], files, programs, ...more }).platform.unreadable(path)
  }

  it('are found on a disk and on a partition of it', async () => {
    expect(await found('apfs')).toEqual(['apfs'])
    expect(await found('apfs', {}, '/dev/sdb1')).toEqual(['apfs'])
    expect(await found('apfs', {}, '/dev/sdb2')).toEqual([])
    // Without modules, what the kernel has is all there is.
    const { '/proc/filesystems': present } = files
    expect(await found('hfsplus', { files: { '/proc/filesystems': present } })).toEqual(['hfsplus'])
  })

  it.each([
    ['has a module of the kernel for', 'hfsplus', {}],
    ['has a driver of another name for', 'ntfs', {}],
    ['nobody mounts anywhere, like swap', 'swap', {}],
    ['has another program for', 'apfs', { files: { ...files, '/usr/bin/apfs-fuse': '' } }],
    ['may have a driver for, as far as can be seen', 'apfs', { files: { '/proc/modules': '' } }],
    ['shows already', 'apfs', { mountinfo: '30 1 8:17 / /mnt/one rw - fuse.apfs /dev/sdb1 rw' }],
  ] as const)('are not what this computer %s', async (_, filesystem, more) => {
    expect(await found(filesystem, more)).toEqual([])
  })
})

describe('ejecting on Linux', () => {
  const base = { blockdev: '', partx: '', umount: '' }

  it('unmounts, flushes and ejects a USB stick', async () => {
    const { platform, system } = machineWith({ disks: [stick], programs: { ...base, eject: '' } })
    await platform.eject('/dev/sdb1')
    expect(system.ran).toEqual(['blockdev --flushbufs /dev/sdb', 'eject /dev/sdb'])
  })

  it.each([
    ['missing', {}],
    ['failing', { eject: { status: 1, stderr: 'unable to eject' } }],
  ])('takes the stick off the bus where eject is %s', async (_, programs) => {
    const { platform, system } = machineWith({ disks: [stick], programs: { ...base, ...programs } })
    await platform.eject('/dev/sdb')
    expect(system.written).toEqual([{ path: '/sys/block/sdb/device/delete', text: '1' }])
  })

  it('forgets the old partitions of a disk that stays, and unmounts what the new ones brought', async () => {
    const record = (mountinfo: string) => recordLinux({ disks: [other], mountinfo, programs })
    const programs = {
      partx: '',
      // A desktop that mounts what comes.
      blockdev: ([what = '']: readonly string[]) => {
        if (what === '--rereadpt') system.change(record('31 1 8:1 / /media/mona/NEW rw - ext4 /dev/sda1 rw'))
        return ''
      },
      umount: () => {
        system.change(record(''))
        return ''
      },
    }
    const system: RecordedMachine = recordedMachine(record(''))
    await createLinuxPlatform({ system }).eject('/dev/sda')
    expect(system.ran.filter((command) => /^(blockdev|umount|eject)/.test(command))).toEqual([
      'blockdev --flushbufs /dev/sda',
      'blockdev --rereadpt /dev/sda',
      'umount /media/mona/NEW',
      'blockdev --flushbufs /dev/sda',
    ])
    expect(system.written).toEqual([])
  })

  it('lets a disk that stays be, when the system has made a RAID of what the new partitions are', async () => {
    const programs = {
      partx: '',
      blockdev: ([what = '']: readonly string[]) => {
        if (what === '--rereadpt')
          system.change(recordLinux({ disks: [{ ...other, holders: ['md0'] }], programs }))
        return ''
      },
    }
    const system: RecordedMachine = recordedMachine(recordLinux({ disks: [other], programs }))
    await createLinuxPlatform({ system }).eject('/dev/sda')
    expect(system.ran.filter((command) => command.startsWith('blockdev'))).toHaveLength(3)
  })

  it('names the program and its package when one is missing', async () => {
    const { platform } = machineWith({ disks: [stick] })
    await expect(platform.eject('/dev/sdb')).rejects.toMatchObject({
      code: 'E_DEVICE_TOOL',
      details: { tool: 'blockdev', package: 'util-linux' },
    })
  })
})

describe('zeroing and discarding on Linux', () => {
  const device = {
    fd: 42,
    path: '/dev/sdb',
    sizeBytes: 64 * MiB,
    abilities: { logicalBlockBytes: 512, zeroOut: true, discard: true },
    direct: true,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }

  it('works on the very descriptor it was given, in steps that end soon', async () => {
    const { platform, system } = machineWith({ disks: [stick], programs: { blkdiscard: '' } })
    await platform.zeroOut(device, MiB, 2 * MiB)
    await platform.discard(device, 0, MiB)
    await platform.discard(device, 0, 0)
    expect(system.ran).toEqual([
      'blkdiscard --zeroout --force --offset 1048576 --length 2097152 --step 67108864 /proc/1000/fd/42',
      'blkdiscard --force --offset 0 --length 1048576 --step 67108864 /proc/1000/fd/42',
    ])
  })

  it('tells a write error with its place, and a disk that is gone as gone', async () => {
    const blkdiscard = { status: 1, stderr: 'blkdiscard: BLKZEROOUT ioctl failed: Input/output error' }
    const there = machineWith({ disks: [stick], programs: { blkdiscard } })
    await expect(there.platform.zeroOut(device, MiB, MiB)).rejects.toMatchObject({
      code: 'E_IO_WRITE',
      details: { path: '/dev/sdb', offset: MiB },
    })
    const gone = machineWith({ disks: [], programs: { blkdiscard } })
    await expect(gone.platform.zeroOut(device, MiB, MiB)).rejects.toMatchObject({ code: 'E_DST_GONE' })
  })

  it('shrugs at a discard that the device cannot do after all, but not at zeroing', async () => {
    const blkdiscard = { status: 1, stderr: 'blkdiscard: BLKDISCARD ioctl failed: Operation not supported' }
    const { platform } = machineWith({ disks: [stick], programs: { blkdiscard } })
    await expect(platform.discard(device, 0, MiB)).resolves.toBeUndefined()
    await expect(platform.zeroOut(device, 0, MiB)).rejects.toMatchObject({ code: 'E_IO_WRITE' })
  })
})

describe('resolving what lies on several disks', () => {
  const resolve = (mountinfo: string, folders: readonly string[] = []) =>
    machineWith({
      disks: [other, stick],
      mountinfo,
      folders: ['/mnt/data', ...folders],
    }).platform.resolve('/mnt/data')

  it.each([
    ['30 1 8:17 / /mnt/data rw - xfs /dev/sdb1 rw,logdev=/dev/sda1'],
    ['30 1 8:17 / /mnt/data rw - ext4 /dev/sdb1 rw,journal_path=/dev/sda1'],
  ])('takes the disk with the data for it, and not that with its journal: %s', async (mountinfo) => {
    expect(await resolve(mountinfo)).toMatchObject({ kind: 'volume', volume: { path: '/dev/sdb1' } })
  })

  it('takes no part of a btrfs for all of it', async () => {
    const mountinfo = '30 1 0:40 / /mnt/data rw - btrfs /dev/sda1 rw'
    const pool = '/sys/fs/btrfs/1234-5678/devices'
    expect(await resolve(mountinfo, [`${pool}/sda1`, `${pool}/sdb1`])).toMatchObject({
      kind: 'other',
      what: 'a btrfs on several disks',
    })
    expect(await resolve(mountinfo, [`${pool}/sda1`])).toMatchObject({
      kind: 'volume',
      volume: { path: '/dev/sda1' },
    })
  })
})

describe('resolving on Linux', () => {
  const linux: RecordedLinux = {
    disks: [
      stick,
      { at: 'virtual/block/dm-0', number: '253:0', sizeBytes: MiB, slaves: ['sdb2'] },
      { at: 'pci/ata3/host2/target2:0:0/2:0:0:0/block/sr0', number: '11:0', sizeBytes: MiB },
    ],
    mountinfo: [
      '30 1 8:17 / /mnt/one rw - ext4 /dev/sdb1 rw',
      '31 1 8:17 /inside /mnt/bound rw - ext4 /dev/sdb1 rw',
      '32 1 0:33 / /mnt/memory rw - tmpfs tmpfs rw',
      '33 1 8:18 / /mnt/stacked rw - ext4 /dev/sdb2 rw',
      '34 33 0:34 / /mnt/stacked rw - tmpfs tmpfs rw',
    ].join('\n'),
    swaps: '/mnt/one/swap\\040file                   file\t\t1048572\t\t0\t\t-2\n',
    folders: ['/mnt/one', '/mnt/bound', '/mnt/memory', '/mnt/stacked', '/dev/disk'],
    files: {
      '/dev/sdx1': 'somebody wrote to a disk that was not there',
      '/mnt/one/image': '12345',
      '/mnt/one/swap file': '1',
    },
    links: {
      '/dev/disk/by-id/usb-stick': '/dev/sdb',
      '/here': '/mnt/one',
      '/mnt/one/stick': '/dev/unplugged',
    },
    nodes: { '/dev/sdq': '65:0' },
  }
  const { platform } = machineWith(linux)

  it.each([
    ['/dev/sdb', { kind: 'disk', disk: { path: '/dev/sdb' } }],
    ['/dev/disk/by-id/usb-stick', { kind: 'disk', disk: { path: '/dev/sdb' } }],
    ['/dev/sdb2', { kind: 'volume', volume: { path: '/dev/sdb2' } }],
    ['/mnt/one', { kind: 'volume', volume: { path: '/dev/sdb1' } }],
    ['/mnt/one/', { kind: 'volume', volume: { path: '/dev/sdb1' } }],
    ['/here', { kind: 'volume', volume: { path: '/dev/sdb1' } }],
    ['/mnt/bound', { kind: 'other', what: 'a folder that is shown here too' }],
    ['/mnt/memory', { kind: 'other', what: 'a mounted tmpfs' }],
    ['/mnt/stacked', { kind: 'other', what: 'a mounted tmpfs' }],
    ['/mnt', { kind: 'other', what: 'a folder' }],
    ['/mnt/one/image', { kind: 'file', sizeBytes: 5 }],
    ['/here/swap file', { kind: 'other', what: 'a swap file that is in use' }],
    ['/mnt/one/new', { kind: 'absent', path: '/mnt/one/new' }],
    ['/here/new', { kind: 'absent', path: '/mnt/one/new' }],
    ['/dev/sdx1', { kind: 'other', what: 'a plain file in /dev' }],
    ['/dev/sr0', { kind: 'other', what: 'not a disk' }],
    ['/dev/dm-0', { kind: 'other', what: 'a device made of other disks' }],
    ['/dev/sdq', { kind: 'other', what: 'a drive with nothing in it' }],
  ])('takes %s for what it is', async (locator, expected) => {
    expect(await platform.resolve(locator)).toMatchObject(expected)
  })

  it.each([
    '/dev/sdz',
    '/dev/disk/by-id/none',
    '/no/folder/file',
    '/mnt/one/image/inside',
    '/mnt/one/\0',
    '/mnt/one/stick', // a link that leads nowhere must not become a file at its end
  ])('finds nothing at %j', async (locator) => {
    await expect(platform.resolve(locator)).rejects.toMatchObject({ code: 'E_NOT_FOUND' })
  })
})
