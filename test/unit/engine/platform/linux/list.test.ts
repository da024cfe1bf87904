import { describe, expect, it } from 'vitest'
import { createLinuxPlatform } from '#src/main/engine/platform/linux/linux-platform.ts'
import { describePlatform } from '#test/platform-conformance'
import { DeviceError } from '#shared/errors'
import { recordLinux, laptop, type RecordedDisk, type RecordedLinux } from '#test/recorded-linux'
import { recordedMachine } from '#test/recorded-machine'

const MiB = 2 ** 20

const platformOf = (linux: RecordedLinux) =>
  createLinuxPlatform({ system: recordedMachine(recordLinux(linux)) })
const listOf = (linux: RecordedLinux) => platformOf(linux).list()

describePlatform('a recorded Linux laptop', ['look'], async () => {
  const recorded = laptop()
  const platform = platformOf({
    ...recorded,
    disks: [...recorded.disks, sata('d', 3)],
    mountinfo: `${recorded.mountinfo}\n41 22 8:49 / /media/mona/TOOLS rw,nosuid - ext4 /dev/sdd1 rw`,
    devices: { ...recorded.devices, '/media/mona/TOOLS': '8:49' },
    files: { ...recorded.files, '/usr/bin/node': '', '/media/mona/TOOLS/reprise/reprise.js': '' },
    ownFiles: ['/usr/bin/node', '/media/mona/TOOLS/reprise'],
  })
  return Promise.resolve({
    platform,
    disk: '/dev/sdb',
    volume: '/dev/sdb1',
    mountPoint: '/media/mona/USB STICK',
    systemDisk: '/dev/nvme0n1',
    programDisk: '/dev/sdd',
    file: { path: '/home/mona/disk images/lab image.img', sizeBytes: 5, disks: ['/dev/nvme0n1'] },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  })
})

/** A plain SATA disk with one partition. */
const sata = (letter: string, number: number, more: Partial<RecordedDisk> = {}): RecordedDisk => ({
  at: `pci0000:00/0000:00:17.0/ata${number}/host${number}/target${number}:0:0/${number}:0:0:0/block/sd${letter}`,
  number: `8:${number * 16}`,
  sizeBytes: 1000 * MiB,
  partitions: [{ index: 1, number: `8:${number * 16 + 1}`, offset: MiB, sizeBytes: 900 * MiB }],
  ...more,
})

describe('listing disks on Linux', () => {
  it('shows disks only: no CD drive, no empty card reader, no memory, nothing made of other disks', async () => {
    const disks = await listOf(laptop())
    expect(disks.map((disk) => disk.path)).toEqual(['/dev/loop7', '/dev/nvme0n1', '/dev/sdb'])
  })

  it('describes a USB stick and its volume', async () => {
    const disks = await listOf(laptop())
    expect(disks.find((disk) => disk.path === '/dev/sdb')).toEqual({
      path: '/dev/sdb',
      identity:
        'pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/host6/target6:0:0/6:0:0:0/block/sdb|4C530001|31914983424|attachment 14',
      name: 'SanDisk Ultra',
      vendor: 'SanDisk',
      model: 'Ultra',
      serial: '4C530001',
      sizeBytes: 31_914_983_424,
      logicalBlockBytes: 512,
      bus: 'usb',
      removable: true,
      internal: false,
      readOnly: false,
      partitionMap: 'mbr',
      volumes: [
        {
          path: '/dev/sdb1',
          index: 1,
          offset: MiB,
          sizeBytes: 31_900_000_256,
          filesystem: 'ext4',
          label: 'USB STICK',
          uuid: 'f0-1',
          partitionType: 'Linux Filesystem',
          mountPoints: ['/media/mona/USB STICK'],
          usedBytes: 12_345_678,
          readOnly: false,
        },
      ],
      protection: null,
      backingFile: null,
      practice: false,
      busy: false,
    })
  })

  it('leaves out the loop devices of snap packages', async () => {
    const snap: RecordedDisk = {
      at: 'virtual/block/loop0',
      number: '7:0',
      sizeBytes: MiB,
      files: { 'loop/backing_file': '/var/lib/snapd/snaps/core22_1380.snap' },
    }
    expect(await listOf({ disks: [snap] })).toEqual([])
  })

  it('names a loop device after its file and knows its map', async () => {
    const [loop] = await listOf(laptop())
    expect(loop).toMatchObject({
      name: 'lab image.img',
      bus: 'loop',
      partitionMap: 'apm',
      backingFile: '/home/mona/disk images/lab image.img',
    })
  })

  it('protects the disk below an encrypted volume group that holds root', async () => {
    const disks = await listOf(laptop())
    const nvme = disks.find((disk) => disk.path === '/dev/nvme0n1')
    expect(nvme).toMatchObject({
      internal: true,
      bus: 'nvme',
      protection: { kind: 'system', mountPoint: '/' },
    })
  })

  it('tells what stands on which partition, and where swap is, also where root stands on it', async () => {
    const swapped = laptop()
    const disks = await listOf({
      ...swapped,
      swaps: `${swapped.swaps}/dev/nvme0n1p2 partition\t1\t0\t-3\n`,
    })
    expect(disks.find((disk) => disk.path === '/dev/nvme0n1')?.users).toEqual([
      { path: '/dev/nvme0n1p2', by: 'swap' },
      { path: '/dev/nvme0n1p3', by: 'an encrypted volume (nvme0n1p3_crypt)' },
    ])
  })

  it('tells what stands on a disk as a whole, and the loop device that shows a partition', async () => {
    const disks = await listOf({
      disks: [
        sata('a', 1, { holders: ['md0'] }),
        { at: 'virtual/block/md0', number: '9:0', sizeBytes: 900 * MiB, slaves: ['sda'] },
        {
          at: 'virtual/block/loop0',
          number: '7:0',
          sizeBytes: 900 * MiB,
          files: { 'loop/backing_file': '/dev/sda1' },
        },
      ],
    })
    expect(disks.find((disk) => disk.path === '/dev/sda')?.users).toEqual([
      { path: '/dev/sda', by: 'RAID (md0)' },
      { path: '/dev/sda1', by: '/dev/loop0' },
    ])
  })

  it('gives the privileged and the unprivileged side the same identity', async () => {
    const seen = await Promise.all(
      [true, false].map((privileged) => listOf({ ...laptop(), privileged, programs: {} })),
    )
    const identities = seen.map((disks) => disks.map((disk) => disk.identity))
    expect(identities[0]).toEqual(identities[1])
  })

  it('gives another card in the same reader another identity', async () => {
    const card = (sequence: number): RecordedDisk => ({
      at: 'pci0000:00/0000:00:14.0/usb2/2-2/2-2:1.0/host7/target7:0:0/7:0:0:0/block/sdc',
      number: '8:32',
      sizeBytes: 64 * MiB,
      sequence,
    })
    const [before] = await listOf({ disks: [card(20)] })
    const [after] = await listOf({ disks: [card(21)] })
    expect(before?.identity).not.toBe(after?.identity)
  })

  it('tells two files on one loop device apart where the kernel counts no attachments', async () => {
    const loop = (file: string): RecordedDisk => ({
      at: 'virtual/block/loop0',
      number: '7:0',
      sizeBytes: MiB,
      files: { diskseq: '', 'loop/backing_file': file },
    })
    const [one] = await listOf({ disks: [loop('/a.img')], files: { '/a.img': '' } })
    const [two] = await listOf({ disks: [loop('/b.img')], files: { '/b.img': '' } })
    expect(one?.identity).toBe('virtual/block/loop0|/a.img|1048576|inode 0:1 1')
    expect(two?.identity).not.toBe(one?.identity)
  })

  it('sorts as people count', async () => {
    const disks = await listOf({ disks: [sata('aa', 5), sata('b', 1), sata('z', 2), sata('a', 3)] })
    expect(disks.map((disk) => disk.path)).toEqual(['/dev/sda', '/dev/sdb', '/dev/sdz', '/dev/sdaa'])
  })

  it('still lists the others when a disk vanishes while it is being read', async () => {
    const linux = recordLinux({ disks: [sata('a', 1), sata('b', 2)] })
    const files = Object.fromEntries(
      Object.entries(linux.files ?? {}).filter(([path]) => !path.endsWith('sda/dev')),
    )
    const platform = createLinuxPlatform({ system: recordedMachine({ ...linux, files }) })
    expect((await platform.list()).map((disk) => disk.path)).toEqual(['/dev/sdb'])
  })

  it('lists disks without names where lsblk is missing', async () => {
    const platform = createLinuxPlatform({
      system: recordedMachine({ ...recordLinux({ disks: [sata('a', 1)] }), programs: {} }),
    })
    expect(await platform.list()).toMatchObject([{ path: '/dev/sda', name: 'Disk sda', bus: 'sata' }])
  })

  it('reads the first blocks itself where no udev runs, and only there', async () => {
    const linux = recordLinux({ disks: [sata('a', 1)] })
    const { '/run/udev/data/b8:17': _gone, ...files } = linux.files ?? {}
    const blkid = 'ID_FS_LABEL=x_y\nID_FS_LABEL_ENC=x\\x20y\nID_FS_TYPE=xfs\nID_PART_ENTRY_TYPE=0x83\n'
    const system = recordedMachine({ ...linux, files, programs: { ...linux.programs, blkid } })
    const [disk] = await createLinuxPlatform({ system }).list()
    expect(disk?.volumes).toMatchObject([
      { filesystem: 'xfs', label: 'x y', partitionType: 'Linux Filesystem' },
    ])
    expect(system.ran.filter((command) => command.startsWith('blkid'))).toEqual([
      'blkid --probe --output udev /dev/sda1',
    ])
  })

  it('does not wait again for a drive that did not answer, unless that drive is chosen', async () => {
    const linux = recordLinux({ disks: [sata('a', 1)] })
    const { '/run/udev/data/b8:17': _gone, ...files } = linux.files ?? {}
    const silent = new DeviceError('E_DEVICE_TOOL', 'no end after 1500 ms', {
      details: { path: '/dev/sda1', tool: 'blkid' },
    })
    const system = recordedMachine({ ...linux, files, programs: { ...linux.programs, blkid: silent } })
    const platform = createLinuxPlatform({ system })
    const asked = () => system.ran.filter((command) => command.startsWith('blkid')).length
    await platform.list()
    expect((await platform.list()).map((disk) => disk.path)).toEqual(['/dev/sda'])
    expect(asked()).toBe(1)
    await platform.resolve('/dev/sda')
    expect(asked()).toBe(2)
  })

  it('asks only the disk that is chosen', async () => {
    const linux = recordLinux({ disks: [sata('a', 1), sata('b', 1)] })
    const { '/run/udev/data/b8:17': _a, '/run/udev/data/b8:33': _b, ...files } = linux.files ?? {}
    const system = recordedMachine({ ...linux, files, programs: { ...linux.programs, blkid: '' } })
    await createLinuxPlatform({ system }).resolve('/dev/sdb1')
    expect(system.ran.filter((command) => !command.startsWith('lsblk'))).toEqual([
      'blkid --probe --output udev /dev/sdb1',
    ])
    expect(system.ran.find((command) => command.startsWith('lsblk'))).toMatch(/ \/dev\/sdb$/)
  })

  it('asks no device anything when it may not', async () => {
    const { '/run/udev/data/b8:16': _gone, ...files } = recordLinux({ disks: [sata('a', 1)] }).files ?? {}
    const system = recordedMachine({ ...recordLinux({ disks: [sata('a', 1)] }), files, privileged: false })
    await createLinuxPlatform({ system }).list()
    expect(system.ran.map((command) => command.split(' ')[0])).toEqual(['lsblk'])
  })

  it('takes no terminal escapes and no invisible characters from a stick that calls itself something', async () => {
    const [disk] = await listOf({
      disks: [sata('a', 1)],
      lsblk: [{ kname: 'sda', model: '\u001b[31mGood\u202e disk\u0007 ' }],
    })
    expect(disk?.model).toBe('[31mGood disk')
  })

  it('leaves the container of logical partitions out of the volumes', async () => {
    const [disk] = await listOf({
      disks: [
        sata('a', 1, {
          partitions: [
            { index: 2, number: '8:18', offset: 500 * MiB, sizeBytes: 1024 },
            { index: 5, number: '8:21', offset: 501 * MiB, sizeBytes: 100 * MiB },
          ],
        }),
      ],
      lsblk: [
        { kname: 'sda', pttype: 'dos' },
        { kname: 'sda2', parttype: '0x5' },
        { kname: 'sda5', parttype: '0x83' },
      ],
    })
    expect(disk?.volumes.map((volume) => volume.path)).toEqual(['/dev/sda5'])
  })

  it('shows the file system of a disk without a map as a volume with the disk’s own path', async () => {
    const [disk] = await listOf({
      disks: [sata('a', 1, { partitions: [] })],
      lsblk: [{ kname: 'sda', fstype: 'xfs', label: 'data' }],
    })
    expect(disk?.partitionMap).toBe('none')
    expect(disk?.volumes).toMatchObject([{ path: '/dev/sda', index: 0, offset: 0, label: 'data' }])
  })

  it('shows no volume on an empty disk', async () => {
    const [disk] = await listOf({ disks: [sata('a', 1, { partitions: [] })] })
    expect(disk?.volumes).toEqual([])
  })

  it.each([
    ['pci0000:00/0000:00:14.0/usb1/1-4/1-4:1.0/host4/target4:0:0/4:0:0:0/block/sdd', {}, 'usb', false],
    [
      'pci0000:00/0000:00:1c.0/0000:02:00.0/mmc_host/mmc0/mmc0:aaaa/block/mmcblk0',
      { 'device/type': 'SD' },
      'sd',
      false,
    ],
    ['platform/soc/1.mmc/mmc_host/mmc1/mmc1:0001/block/mmcblk1', { 'device/type': 'MMC' }, 'sd', true],
    ['pci0000:00/0000:00:05.0/virtio2/block/vdb', {}, 'virtio', true],
    ['pci0000:00/0000:00:10.0/host0/target0:0:1/0:0:1:0/block/sde', {}, 'scsi', true],
    ['pci0000:00/0000:00:17.0/ata2/host1/target1:0:0/1:0:0:0/block/sdf', {}, 'sata', true],
    ['pci0000:00/0000:00:1d.0/0000:3d:00.0/nvme/nvme1/nvme1n1', {}, 'nvme', true],
    // A card in a reader that is on USB but isn't a disk of USB; such readers are built into many laptops.
    [
      'pci0000:00/0000:00:14.0/usb1/1-4/1-4:1.0/rtsx_usb_sdmmc.1.auto/mmc_host/mmc0/mmc0:1/block/mmcblk0',
      { 'device/type': 'SD' },
      'sd',
      false,
    ],
    [
      'pci0000:00/0000:00:1c.0/rtsx_pci_ms.1.auto/memstick_host/memstick0/memstick0/block/mspblk0',
      {},
      'unknown',
      false,
    ],
    [
      'pci0000:00/0000:00:1e.0/0000:04:00.0/fw1/fw1.0/host7/target7:0:0/7:0:0:0/block/sdg',
      {},
      'unknown',
      false,
    ],
    ['vbd-51712/block/xvda', {}, 'unknown', true],
    ['css0/0.0.0005/0.0.1234/block/dasda', {}, 'unknown', true],
    ['LNXSYSTM:00/ndbus0/region0/namespace0.0/block/pmem0', {}, 'unknown', true],
    ['virtual/block/nbd0', {}, 'unknown', false],
  ])('knows the bus of %s', async (at, files, bus, internal) => {
    const [disk] = await listOf({ disks: [{ at, number: '8:0', sizeBytes: MiB, files }] })
    expect(disk).toMatchObject({ bus, internal })
  })

  it('knows an NVMe disk behind a port that leads out of the case', async () => {
    const at = 'pci0000:00/0000:00:1c.4/0000:05:00.0/0000:06:01.0/nvme/nvme2/nvme2n1'
    const files = { '/sys/devices/pci0000:00/0000:00:1c.4/0000:05:00.0/removable': 'removable\n' }
    const [disk] = await listOf({ disks: [{ at, number: '259:0', sizeBytes: MiB }], files })
    expect(disk).toMatchObject({ bus: 'thunderbolt', internal: false })
  })
})

describe('listing disks on Linux while a stick is dying', () => {
  it('knows what was mounted, and swapped to, while its serial number was waited for', async () => {
    const recorded = laptop()
    const before = { ...recorded, disks: [...recorded.disks, sata('d', 3), sata('e', 4)] }
    const since = recordLinux({
      ...before,
      mountinfo: `${recorded.mountinfo}\n41 22 8:49 / /media/mona/DATA rw,nosuid - ext4 /dev/sdd1 rw`,
      swaps: `${recorded.swaps}/dev/sde1 partition\t1\t0\t-3\n`,
    })
    const machine = recordedMachine(recordLinux(before))
    const system = {
      ...machine,
      readText(path: string) {
        if (path.endsWith('/usb2/2-1/serial')) machine.change(since)
        return machine.readText(path)
      },
    }
    const disks = await createLinuxPlatform({ system }).list()
    const at = (path: string) => disks.find((disk) => disk.path === path)
    expect(at('/dev/sdd')?.volumes[0]?.mountPoints).toEqual(['/media/mona/DATA'])
    expect(at('/dev/sde')?.protection).toEqual({ kind: 'system', mountPoint: 'swap' })
  })

  it('does not take a btrfs that was plugged in meanwhile for one of the others', async () => {
    const recorded = laptop()
    const disks = [...recorded.disks, sata('d', 3)]
    const btrfs = '/sys/fs/btrfs'
    const mountinfo = `${recorded.mountinfo}\n41 22 0:40 / /mnt/data rw - btrfs /dev/sdd1 rw`
    const before = { ...recorded, disks, mountinfo, folders: [`${btrfs}/1234-5678/devices/sdd1`] }
    const since = {
      ...before,
      disks: [...disks, sata('e', 4)],
      mountinfo: `${mountinfo}\n42 22 0:41 / /media/mona/STICK rw - btrfs /dev/sde1 rw`,
      folders: [...before.folders, `${btrfs}/8765-4321/devices/sde1`],
    }
    const mountPointsSince = async (linux: RecordedLinux) => {
      const machine = recordedMachine(recordLinux(before))
      const readText = (path: string) => {
        if (path === '/proc/self/mountinfo') machine.change(recordLinux(linux))
        return machine.readText(path)
      }
      const list = await createLinuxPlatform({ system: { ...machine, readText } }).list()
      return list.find((disk) => disk.path === '/dev/sdd')?.volumes[0]?.mountPoints
    }
    expect(await mountPointsSince(since)).toEqual(['/mnt/data'])
    // One of several disks, of which only the others are known yet.
    const together = {
      ...since,
      folders: ['sdd1', 'sde1'].map((name) => `${btrfs}/1234-5678/devices/${name}`),
    }
    expect(await mountPointsSince(together)).toEqual(['/mnt/data', '/media/mona/STICK'])
  })
})

describe('protecting disks on Linux', () => {
  const protections = async (linux: RecordedLinux) =>
    Object.fromEntries((await listOf(linux)).map((disk) => [disk.path, disk.protection]))

  it('protects the disk that the program runs from, through a link and through an AppImage of it', async () => {
    const usb = {
      disks: [sata('a', 1), sata('b', 2)],
      mountinfo: [
        '22 1 8:17 / / rw - ext4 /dev/sda1 rw',
        '30 22 8:33 / /media/mona/TOOLS rw - ext4 /dev/sdb1 rw',
        '31 22 0:60 / /tmp/.mount_RepriXYZ ro - fuse.Reprise.AppImage Reprise.AppImage ro',
      ].join('\n'),
      devices: { '/': '8:17', '/media/mona/TOOLS': '8:33', '/tmp/.mount_RepriXYZ': '0:60' },
      files: {
        '/media/mona/TOOLS/Reprise.AppImage': '',
        '/tmp/.mount_RepriXYZ/reprise': '',
        '/usr/bin/node': '',
      },
    }
    const image = '/media/mona/TOOLS/Reprise.AppImage'
    const system = { kind: 'system', mountPoint: '/' }
    expect(
      await protections({ ...usb, ownFiles: ['/usr/bin/node', '/tmp/.mount_RepriXYZ/reprise', image] }),
    ).toEqual({ '/dev/sda': system, '/dev/sdb': { kind: 'program', path: image } })
    const links = { '/home/mona/bin/node': image }
    expect(await protections({ ...usb, links, ownFiles: ['/home/mona/bin/node'] })).toEqual({
      '/dev/sda': system,
      '/dev/sdb': { kind: 'program', path: '/home/mona/bin/node' },
    })
    // On the system's disk it is the system that counts.
    expect(await protections({ ...usb, ownFiles: ['/usr/bin/node'] })).toEqual({
      '/dev/sda': system,
      '/dev/sdb': null,
    })
  })

  it('protects what stores the image that the program is mounted from', async () => {
    expect(
      await protections({
        disks: [
          sata('a', 1),
          {
            at: 'virtual/block/loop0',
            number: '7:0',
            sizeBytes: MiB,
            files: { 'loop/backing_file': '/mnt/reprise.squashfs' },
          },
        ],
        mountinfo:
          '30 22 8:17 / /mnt rw - ext4 /dev/sda1 rw\n31 22 7:0 / /snap/reprise/1 ro - squashfs /dev/loop0 ro',
        devices: { '/mnt': '8:17', '/snap/reprise/1': '7:0' },
        files: { '/mnt/reprise.squashfs': '', '/snap/reprise/1/reprise.js': '' },
        ownFiles: ['/snap/reprise/1'],
      }),
    ).toMatchObject({ '/dev/sda': { kind: 'program' }, '/dev/loop0': { kind: 'program' } })
  })

  it('protects both halves of a RAID that holds root', async () => {
    const half = (letter: string, number: number) =>
      sata(letter, number, { holders: ['md0'], partitions: [] })
    expect(
      await protections({
        disks: [
          half('a', 1),
          half('b', 2),
          { at: 'virtual/block/md0', number: '9:0', sizeBytes: 900 * MiB, slaves: ['sda', 'sdb'] },
        ],
        mountinfo: '22 1 9:0 / / rw - ext4 /dev/md0 rw',
      }),
    ).toEqual({
      '/dev/sda': { kind: 'system', mountPoint: '/' },
      '/dev/sdb': { kind: 'system', mountPoint: '/' },
    })
  })

  it('protects every disk of a btrfs that holds /home, though only one of them is named as its source', async () => {
    expect(
      await protections({
        disks: [sata('a', 1), sata('b', 2)],
        mountinfo: '22 1 0:40 /@home /home rw - btrfs /dev/sda1 rw,subvol=/@home',
        folders: ['/sys/fs/btrfs/1234-5678/devices/sda1', '/sys/fs/btrfs/1234-5678/devices/sdb1'],
      }),
    ).toMatchObject({ '/dev/sda': { mountPoint: '/home' }, '/dev/sdb': { mountPoint: '/home' } })
  })

  it('protects every btrfs when the source of root is a name that leads nowhere', async () => {
    expect(
      await protections({
        disks: [sata('a', 1)],
        mountinfo: '22 1 0:40 / / rw - btrfs /dev/root rw',
        folders: ['/sys/fs/btrfs/1234-5678/devices/sda1'],
      }),
    ).toMatchObject({ '/dev/sda': { kind: 'system' } })
  })

  it('protects the stick that a live system runs from, through the overlay, the loop device and its file', async () => {
    expect(
      await protections({
        disks: [
          sata('a', 1),
          {
            at: 'virtual/block/loop0',
            number: '7:0',
            sizeBytes: 10 * MiB,
            files: { 'loop/backing_file': '/live/medium/filesystem.squashfs' },
          },
        ],
        mountinfo: [
          '22 1 0:30 / / rw - overlay overlay rw,lowerdir=/live/rootfs/,upperdir=/live/cow/rw,workdir=/live/cow/work',
          '23 22 7:0 / /live/rootfs ro - squashfs /dev/loop0 ro',
          '24 22 8:17 / /live/medium ro - vfat /dev/sda1 ro',
          '25 22 0:31 / /live/cow rw - tmpfs tmpfs rw',
        ].join('\n'),
        files: { '/live/medium/filesystem.squashfs': '', '/live/rootfs/bin': '' },
        folders: ['/live/cow/rw/etc'],
        devices: { '/live/rootfs': '7:0', '/live/medium': '8:17', '/live/cow': '0:31' },
      }),
    ).toMatchObject({ '/dev/sda': { kind: 'system', mountPoint: '/' }, '/dev/loop0': { kind: 'system' } })
  })

  it('protects the medium where live systems mount it', async () => {
    expect(
      await protections({
        disks: [sata('a', 1)],
        mountinfo: '24 22 8:17 / /run/live/medium ro - vfat /dev/sda1 ro',
      }),
    ).toMatchObject({ '/dev/sda': { kind: 'system' } })
  })

  it('knows nothing of a container’s root, and says nothing', async () => {
    expect(
      await protections({
        disks: [sata('a', 1)],
        mountinfo: '22 1 0:30 / / rw - overlay overlay rw,lowerdir=/no/such:/folders,upperdir=/nowhere',
        devices: { '/': '0:30' },
      }),
    ).toEqual({ '/dev/sda': null })
  })

  it('protects what process 1 sees mounted, though this process does not', async () => {
    expect(
      await protections({
        disks: [sata('a', 1)],
        files: { '/proc/1/mountinfo': '22 1 8:17 / / rw - ext4 /dev/sda1 rw' },
      }),
    ).toMatchObject({ '/dev/sda': { kind: 'system', mountPoint: '/' } })
  })

  it('protects the disk of an active swap area and of a swap file', async () => {
    expect(
      await protections({
        disks: [sata('a', 1), sata('b', 2), sata('c', 3)],
        swaps: '/dev/sda1 partition 1 0 -2\n/mnt/data/swap\\040file file 1 0 -3\n',
        mountinfo: '22 1 8:33 / /mnt/data rw - ext4 /dev/sdb1 rw',
        files: { '/mnt/data/swap file': '' },
        devices: { '/mnt/data': '8:33' },
      }),
    ).toEqual({
      '/dev/sda': { kind: 'system', mountPoint: 'swap' },
      '/dev/sdb': { kind: 'system', mountPoint: 'swap' },
      '/dev/sdc': null,
    })
  })

  it.each([
    [{ files: { 'dm/name': 'vg-data', 'dm/uuid': 'LVM-xyz' } }, 'LVM (vg-data)'],
    [{ files: { 'dm/name': 'secret', 'dm/uuid': 'CRYPT-LUKS2-xyz-secret' } }, 'an encrypted volume (secret)'],
  ])('leaves a disk alone that something is built on: %o', async (mapping, by) => {
    expect(
      await protections({
        disks: [
          sata('a', 1, {
            partitions: [{ index: 1, number: '8:17', offset: MiB, sizeBytes: MiB, holders: ['dm-0'] }],
          }),
          { at: 'virtual/block/dm-0', number: '253:0', sizeBytes: MiB, slaves: ['sda1'], ...mapping },
        ],
      }),
    ).toEqual({ '/dev/sda': { kind: 'in-use', by } })
  })

  it('protects the disks of a ZFS pool that holds root, and leaves those of another pool alone', async () => {
    expect(
      await protections({
        disks: [sata('a', 1), sata('b', 2), sata('c', 3)],
        mountinfo: '22 1 0:30 / / rw - zfs rpool/ROOT/debian rw',
        programs: {
          'zpool list -v -H -P -L':
            'rpool\t928G\t9G\tONLINE\t-\n\tmirror-0\t928G\n\t/dev/sda1\t-\n\t/dev/sdb1\t-\ntank\t1T\n\t/dev/sdc1\t1T\n',
        },
      }),
    ).toEqual({
      '/dev/sda': { kind: 'system', mountPoint: '/' },
      '/dev/sdb': { kind: 'system', mountPoint: '/' },
      '/dev/sdc': { kind: 'in-use', by: 'ZFS (tank)' },
    })
  })

  describe('that are one disk by two ways', () => {
    const wwid = 'naa.600508b1001c7e2c'
    /** As a controller of SAS or of a storage network shows it. */
    const scsi = (letter: string, number: number, more: Partial<RecordedDisk> = {}) => ({
      ...sata(letter, number, more),
      at: `pci0000:00/0000:00:17.0/host${number}/target${number}:0:0/${number}:0:0:0/block/sd${letter}`,
    })
    const path = (letter: string, number: number, more: RecordedDisk['files'] = {}) =>
      scsi(letter, number, { files: { 'device/wwid': wwid, ...more } })

    it('protects both where one carries the system', async () => {
      expect(
        await protections({
          disks: [path('a', 1), path('b', 2), sata('c', 3)],
          mountinfo: '22 1 8:17 / / rw - ext4 /dev/sda1 rw',
        }),
      ).toEqual({
        '/dev/sda': { kind: 'system', mountPoint: '/' },
        '/dev/sdb': { kind: 'system', mountPoint: '/' },
        '/dev/sdc': null,
      })
    })

    it('protects both where one carries the program, or swap', async () => {
      expect(
        await protections({
          disks: [path('a', 1), path('b', 2), sata('c', 3)],
          mountinfo: '22 1 8:49 / / rw - ext4 /dev/sdc1 rw\n23 22 8:17 / /mnt/x rw - ext4 /dev/sda1 rw',
          devices: { '/mnt/x': '8:17', '/': '8:49' },
          files: { '/mnt/x/reprise.js': '' },
          ownFiles: ['/mnt/x/reprise.js'],
        }),
      ).toMatchObject({ '/dev/sda': { kind: 'program' }, '/dev/sdb': { kind: 'program' } })
      expect(
        await protections({ disks: [path('a', 1), path('b', 2)], swaps: '/dev/sda1 partition 1 0 -2\n' }),
      ).toMatchObject({ '/dev/sda': { kind: 'system' }, '/dev/sdb': { kind: 'system' } })
    })

    it('leaves the other alone where one is mounted, or something is built on it', async () => {
      const mounted = {
        disks: [path('a', 1), path('b', 2)],
        mountinfo: '22 1 8:17 / /mnt/data rw - ext4 /dev/sda1 rw',
      }
      expect(await protections(mounted)).toEqual({
        '/dev/sda': null,
        '/dev/sdb': { kind: 'in-use', by: 'the same disk as /dev/sda' },
      })
      await expect(platformOf(mounted).unmount('/dev/sdb1')).rejects.toMatchObject({
        code: 'E_DST_BUSY',
        details: { holders: ['the same disk as /dev/sda'] },
      })
      const held = scsi('a', 1, { files: { 'device/wwid': wwid }, holders: ['md0'] })
      expect(await protections({ disks: [held, path('b', 2)] })).toMatchObject({
        '/dev/sdb': { kind: 'in-use', by: 'the same disk as /dev/sda' },
      })
    })

    it('tells both of a file that is stored on one, and each of the other', async () => {
      const linux = {
        disks: [path('a', 1), path('b', 2)],
        mountinfo: '22 1 8:17 / /mnt/data rw - ext4 /dev/sda1 rw',
        devices: { '/mnt/data': '8:17' },
        files: { '/mnt/data/lab.img': '' },
      }
      expect(await platformOf(linux).disksHoldingFile('/mnt/data/lab.img')).toEqual(['/dev/sda', '/dev/sdb'])
      expect((await listOf(linux)).map((disk) => disk.sameAs)).toEqual([['/dev/sdb'], ['/dev/sda']])
    })

    it.each([
      ['sizes', path('b', 2, { size: '4096' }), {}],
      ['serial numbers', path('b', 2, { 'device/serial': 'B' }), { 'device/serial': 'A' }],
      [
        'names that are all zeros',
        path('b', 2, { 'device/wwid': 'naa.0000000000000000' }),
        {
          'device/wwid': 'naa.0000000000000000',
        },
      ],
    ])('takes disks with other %s for two', async (_, other, more) => {
      expect(
        await protections({
          disks: [path('a', 1, more), other],
          mountinfo: '22 1 8:17 / / rw - ext4 /dev/sda1 rw',
        }),
      ).toMatchObject({ '/dev/sda': { kind: 'system' }, '/dev/sdb': null })
    })

    it('knows a volume of a storage network whose name is mostly zeros', async () => {
      const volume = { 'device/wwid': 'naa.60050768018085d4c800000000000123' }
      expect(
        await protections({
          disks: [path('a', 1, volume), path('b', 2, volume)],
          mountinfo: '22 1 8:17 / / rw - ext4 /dev/sda1 rw',
        }),
      ).toMatchObject({ '/dev/sda': { kind: 'system' }, '/dev/sdb': { kind: 'system' } })
    })

    it('takes two drives with one name for two where there is no second way, or the name is made up', async () => {
      const system = '22 1 8:17 / / rw - ext4 /dev/sda1 rw'
      const cheap = { files: { 'device/wwid': wwid } }
      expect(
        await protections({ disks: [sata('a', 1, cheap), sata('b', 2, cheap)], mountinfo: system }),
      ).toMatchObject({ '/dev/sda': { kind: 'system' }, '/dev/sdb': null })
      const madeUp = { 'device/wwid': 'naa.5000000000000001' }
      expect(
        await protections({ disks: [path('a', 1, madeUp), path('b', 2, madeUp)], mountinfo: system }),
      ).toMatchObject({ '/dev/sda': { kind: 'system' }, '/dev/sdb': null })
    })

    it('takes two cheap sticks with one name for two: USB has no second way', async () => {
      const stick = (letter: string, number: number): RecordedDisk => ({
        at: `pci0000:00/0000:00:14.0/usb2/2-${number}/2-${number}:1.0/host6/target6:0:0/6:0:0:0/block/sd${letter}`,
        number: `8:${number * 16}`,
        sizeBytes: 64 * MiB,
        files: { 'device/wwid': wwid },
      })
      expect(
        await protections({
          disks: [stick('a', 1), stick('b', 2)],
          mountinfo: '22 1 8:16 / / rw - ext4 /dev/sda rw',
        }),
      ).toMatchObject({ '/dev/sda': { kind: 'system' }, '/dev/sdb': null })
    })
  })

  it.each([
    [
      'btrfs',
      '22 1 0:40 / /mnt/pool rw - btrfs /dev/sda1 rw,subvol=/',
      ['/sys/fs/btrfs/1234-5678/devices/sda1', '/sys/fs/btrfs/1234-5678/devices/sdb1'],
    ],
    ['bcachefs', '22 1 0:40 / /mnt/pool rw - bcachefs /dev/sda1:/dev/sdb1 rw', []],
    ['xfs', '22 1 8:17 / /mnt/pool rw - xfs /dev/sda1 rw,logdev=/dev/sdb1', []],
    ['ext4', '22 1 8:17 / /mnt/pool rw - ext4 /dev/sda1 rw,journal_path=/dev/sdb1', []],
  ])('leaves both disks of one mounted %s alone', async (filesystem, mountinfo, folders) => {
    const linux = { disks: [sata('a', 1), sata('b', 2), sata('c', 3)], mountinfo, folders }
    const also = (path: string) => `a mounted ${filesystem} that is also on ${path}`
    expect(await protections(linux)).toEqual({
      '/dev/sda': { kind: 'in-use', by: also('/dev/sdb') },
      '/dev/sdb': { kind: 'in-use', by: also('/dev/sda') },
      '/dev/sdc': null,
    })
    const disks = await listOf(linux)
    expect(disks.find((disk) => disk.path === '/dev/sdb')?.users).toEqual([
      { path: '/dev/sdb1', by: also('/dev/sda') },
    ])
  })

  it('takes a file system on two partitions of one disk as that disk’s own', async () => {
    const two = [1, 2].map((index) => ({
      index,
      number: `8:${16 + index}`,
      offset: index * 100 * MiB,
      sizeBytes: 100 * MiB,
    }))
    expect(
      await protections({
        disks: [sata('a', 1, { partitions: two })],
        mountinfo: '22 1 8:17 / /mnt/pool rw - xfs /dev/sda1 rw,logdev=/dev/sda2',
      }),
    ).toEqual({ '/dev/sda': null })
  })

  describe('where nobody tells which disks ZFS has', () => {
    const silent = new DeviceError('E_DEVICE_TOOL', 'no end after 10000 ms', {
      details: { path: 'zpool', tool: 'zpool' },
    })
    const zfs = {
      disks: [sata('a', 1), sata('b', 2, { partitions: [] }), sata('c', 3)],
      lsblk: [
        { kname: 'sda1', parttype: '6a898cc3-1dd2-11b2-99a6-080020736631' },
        { kname: 'sdb', fstype: 'zfs_member' },
        { kname: 'sdc1', fstype: 'ext4' },
      ],
      files: { '/proc/spl/kstat/zfs/dbgmsg': '', '/proc/spl/kstat/zfs/tank/state': 'ONLINE\n' },
    }
    const [inUse, system] = [
      { kind: 'in-use', by: 'ZFS' },
      { kind: 'system', mountPoint: '/' },
    ]

    it.each([
      ['is missing', {}],
      ['does not answer', { zpool: silent }],
      ['fails', { zpool: { status: 1, stderr: 'Permission denied' } }],
    ])('leaves every disk with ZFS on it alone, as zpool %s', async (_, programs) => {
      expect(await protections({ ...zfs, programs })).toEqual({
        '/dev/sda': inUse,
        '/dev/sdb': inUse,
        '/dev/sdc': null,
      })
      const disks = await listOf({ ...zfs, programs })
      expect(disks.map((disk) => disk.users)).toEqual([
        [{ path: '/dev/sda1', by: 'ZFS' }],
        [{ path: '/dev/sdb', by: 'ZFS' }],
        undefined,
      ])
    })

    it('takes them for the system’s where that runs from ZFS', async () => {
      const mountinfo =
        '22 1 0:30 / / rw - zfs rpool/ROOT/debian rw\n23 22 0:31 / /home rw - zfs rpool/home rw'
      expect(await protections({ ...zfs, mountinfo })).toEqual({
        '/dev/sda': system,
        '/dev/sdb': system,
        '/dev/sdc': null,
      })
    })

    it('leaves them to whoever wants them where zpool knows no pool, or there is no ZFS', async () => {
      const free = { '/dev/sda': null, '/dev/sdb': null, '/dev/sdc': null }
      expect(await protections({ ...zfs, programs: { zpool: 'no pools available\n' } })).toEqual(free)
      expect(await protections({ ...zfs, files: {} })).toEqual(free)
      // It is loaded, and has no pool: no tool is needed to know that.
      expect(await protections({ ...zfs, files: { '/proc/spl/kstat/zfs/dbgmsg': '' } })).toEqual(free)
    })

    it('does not wait for zpool again with every list', async () => {
      const machine = recordedMachine(recordLinux({ ...zfs, programs: { zpool: silent } }))
      const platform = createLinuxPlatform({ system: machine })
      await platform.list()
      expect((await platform.list())[0]?.protection).toEqual(inUse)
      expect(machine.ran.filter((command) => command.startsWith('zpool'))).toHaveLength(1)
    })
  })

  it.each([
    ['UUID=12AB-34CD', '/dev/disk/by-uuid/12AB-34CD'],
    ['PARTUUID="f0-1"', '/dev/disk/by-partuuid/f0-1'],
    ['LABEL=EFI\\040A/B', '/dev/disk/by-label/EFI\\x20A\\x2fB'],
    ['/dev/sdb1', '/dev/sdb1'],
  ])('protects what is mounted at /efi only when somebody looks there: %s', async (device, path) => {
    const at = (mountPoint: string) =>
      protections({
        disks: [sata('a', 1), sata('b', 2)],
        mountinfo: [
          '22 1 8:17 / / rw - ext4 /dev/sda1 rw',
          `23 22 0:33 / ${mountPoint} rw - autofs systemd-1 rw,fd=43,direct`,
        ].join('\n'),
        files: {
          '/etc/fstab': `# <device>\n/dev/sda1 / ext4 defaults\n\n${device}\t${mountPoint} vfat noauto,x-systemd.automount 0 0\n`,
        },
        links: path === device ? {} : { [path]: '/dev/sdb1' },
      })
    expect(await at('/efi')).toEqual({
      '/dev/sda': { kind: 'system', mountPoint: '/' },
      '/dev/sdb': { kind: 'system', mountPoint: '/efi' },
    })
    expect(await at('/mnt/usb')).toMatchObject({ '/dev/sdb': null })
  })

  it('leaves a disk alone that a loop device is made of', async () => {
    expect(
      await protections({
        disks: [
          sata('a', 1),
          {
            at: 'virtual/block/loop3',
            number: '7:3',
            sizeBytes: MiB,
            files: { 'loop/backing_file': '/dev/sda1' },
          },
        ],
      }),
    ).toEqual({ '/dev/sda': { kind: 'in-use', by: '/dev/loop3' }, '/dev/loop3': null })
  })

  it('says that a disk is write-protected', async () => {
    expect(await protections({ disks: [sata('a', 1, { files: { ro: '1' } })] })).toEqual({
      '/dev/sda': { kind: 'read-only' },
    })
  })

  it.each([
    ['/mnt', null],
    ['/media/mona/STICK', null],
    ['/run/media/mona/STICK', null],
    ['/home/mona/usb/stick', null],
    ['/var/tmp/mnt', null],
    ['/usr', 'system'],
    ['/usr/local', 'system'],
    ['/var/lib/docker', 'system'],
    ['/home/mona', 'system'],
    ['/efi', 'system'],
    ['/cdrom', 'system'],
    ['/etc/hosts', 'system'],
  ])('takes what is mounted at %s as %s', async (mountPoint, kind) => {
    const seen = await protections({
      disks: [sata('a', 1)],
      mountinfo: `22 1 8:17 / ${mountPoint} rw - ext4 /dev/sda1 rw`,
    })
    expect(seen['/dev/sda']?.kind ?? null).toBe(kind)
  })
})

describe('a file system that has stopped answering', () => {
  const linux: RecordedLinux = {
    disks: [
      sata('a', 1),
      {
        at: 'virtual/block/loop3',
        number: '7:3',
        sizeBytes: 64 * MiB,
        files: { 'loop/backing_file': '/mnt/server/lab.img' },
      },
    ],
    mountinfo: [
      '22 1 8:17 / / rw - ext4 /dev/sda1 rw',
      '30 22 0:55 / /mnt/server rw - fuse.sshfs admin@lab: rw',
    ].join('\n'),
    devices: { '/': '8:17', '/mnt/server': '0:55' },
    folders: ['/mnt/server'],
  }

  it('that holds the file of a loop device is not asked, and the list of disks comes', async () => {
    const machine = recordedMachine(recordLinux(linux))
    const platform = createLinuxPlatform({
      system: {
        ...machine,
        stat: (path) =>
          path.startsWith('/mnt/server') ? new Promise<never>(() => undefined) : machine.stat(path),
      },
    })
    const disks = await platform.list()
    expect(disks.map((disk) => disk.path)).toEqual(['/dev/loop3', '/dev/sda'])
    expect(disks.find((disk) => disk.path === '/dev/sda')?.protection?.kind).toBe('system')
  })
})
