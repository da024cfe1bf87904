/** A recorded Linux machine, from a short description of its block devices: the files that the kernel would show. */
import type { Recording } from './recorded-machine.ts'

export interface RecordedDisk {
  /** Below /sys/devices; ends with the kernel's name. */
  readonly at: string
  readonly number: string
  readonly sizeBytes: number
  readonly sequence?: number
  /** More files below the device's folder. */
  readonly files?: { readonly [name: string]: string }
  readonly slaves?: readonly string[]
  readonly holders?: readonly string[]
  readonly partitions?: readonly {
    readonly index: number
    readonly number: string
    readonly offset: number
    readonly sizeBytes: number
    readonly holders?: readonly string[]
  }[]
}

export interface RecordedLinux extends Recording {
  readonly disks: readonly RecordedDisk[]
  readonly mountinfo?: string
  readonly swaps?: string
  /** Rows of lsblk. */
  readonly lsblk?: readonly { readonly kname: string; readonly [column: string]: string | null }[]
}

export function recordLinux({
  disks,
  mountinfo = '',
  swaps = '',
  lsblk = [],
  ...more
}: RecordedLinux): Recording {
  const files: { [path: string]: string } = {
    '/proc/self/mountinfo': mountinfo,
    '/proc/1/mountinfo': mountinfo,
    '/proc/swaps': `Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n${swaps}`,
    '/run/udev/control': '',
  }
  const links: { [path: string]: string } = {}
  const nodes: { [path: string]: string } = {}
  const folders: string[] = []
  for (const disk of disks) {
    const name = disk.at.slice(disk.at.lastIndexOf('/') + 1)
    const folder = `/sys/devices/${disk.at}`
    links[`/sys/block/${name}`] = folder
    links[`/sys/dev/block/${disk.number}`] = folder
    nodes[`/dev/${name.replaceAll('!', '/')}`] = disk.number
    files[`/run/udev/data/b${disk.number}`] = ''
    const own = {
      dev: disk.number,
      size: String(disk.sizeBytes / 512),
      ro: '0',
      removable: '0',
      hidden: '0',
      diskseq: String(disk.sequence ?? 1),
      'queue/logical_block_size': '512',
      'queue/discard_max_bytes': '0',
      'queue/write_zeroes_max_bytes': '0',
      ...disk.files,
    }
    for (const [file, text] of Object.entries(own)) files[`${folder}/${file}`] = `${text}\n`
    for (const holder of disk.holders ?? []) folders.push(`${folder}/holders/${holder}`)
    for (const slave of disk.slaves ?? []) folders.push(`${folder}/slaves/${slave}`)
    for (const partition of disk.partitions ?? []) {
      const part = `${name}${/\d$/.test(name) ? 'p' : ''}${partition.index}`
      nodes[`/dev/${part}`] = partition.number
      links[`/sys/dev/block/${partition.number}`] = `${folder}/${part}`
      files[`/run/udev/data/b${partition.number}`] = ''
      const inside = {
        dev: partition.number,
        partition: String(partition.index),
        start: String(partition.offset / 512),
        size: String(partition.sizeBytes / 512),
        ro: '0',
      }
      for (const [file, text] of Object.entries(inside)) files[`${folder}/${part}/${file}`] = `${text}\n`
      for (const holder of partition.holders ?? []) folders.push(`${folder}/${part}/holders/${holder}`)
    }
  }
  return {
    ...more,
    files: { ...files, ...more.files },
    links: { ...links, ...more.links },
    nodes: { ...nodes, ...more.nodes },
    folders: [...folders, ...(more.folders ?? [])],
    programs: { lsblk: JSON.stringify({ blockdevices: lsblk }), ...more.programs },
  }
}

const GB = 1e9
const MiB = 2 ** 20

/**
 * A laptop: NVMe disk with EFI, /boot and an encrypted LVM that holds root and swap; a USB stick with one ext4; an empty
 * SD card reader; a CD drive; a loop device.
 */
export function laptop(): RecordedLinux {
  return {
    disks: [
      {
        at: 'pci0000:00/0000:00:1d.0/0000:3d:00.0/nvme/nvme0/nvme0n1',
        number: '259:0',
        sizeBytes: 512_110_190_592,
        files: {
          'device/model': 'Samsung SSD 970 PRO 512GB               ',
          'device/serial': 'S463NX0M123456 ',
          wwid: 'eui.0025385b91b12345',
          'queue/discard_max_bytes': '2199023255040',
          'queue/write_zeroes_max_bytes': '131072',
        },
        partitions: [
          { index: 1, number: '259:1', offset: MiB, sizeBytes: 512 * MiB },
          { index: 2, number: '259:2', offset: 513 * MiB, sizeBytes: 1024 * MiB },
          { index: 3, number: '259:3', offset: 1537 * MiB, sizeBytes: 476_000 * MiB, holders: ['dm-0'] },
        ],
      },
      {
        at: 'virtual/block/dm-0',
        number: '253:0',
        sizeBytes: 475_000 * MiB,
        files: { 'dm/name': 'nvme0n1p3_crypt', 'dm/uuid': 'CRYPT-LUKS2-8f0c-nvme0n1p3_crypt' },
        slaves: ['nvme0n1p3'],
        holders: ['dm-1', 'dm-2'],
      },
      {
        at: 'virtual/block/dm-1',
        number: '253:1',
        sizeBytes: 400_000 * MiB,
        files: { 'dm/name': 'laptop--vg-root', 'dm/uuid': 'LVM-abc' },
        slaves: ['dm-0'],
      },
      {
        at: 'virtual/block/dm-2',
        number: '253:2',
        sizeBytes: 8192 * MiB,
        files: { 'dm/name': 'laptop--vg-swap', 'dm/uuid': 'LVM-def' },
        slaves: ['dm-0'],
      },
      {
        at: 'pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/host6/target6:0:0/6:0:0:0/block/sdb',
        number: '8:16',
        sizeBytes: 31_914_983_424,
        sequence: 14,
        files: { removable: '1', 'device/vendor': 'SanDisk ', 'device/model': 'Ultra           ' },
        partitions: [{ index: 1, number: '8:17', offset: MiB, sizeBytes: 31_900_000_256 }],
      },
      {
        // The reader is there, the card isn't.
        at: 'pci0000:00/0000:00:14.0/usb2/2-2/2-2:1.0/host7/target7:0:0/7:0:0:0/block/sdc',
        number: '8:32',
        sizeBytes: 0,
        files: { removable: '1' },
      },
      {
        at: 'pci0000:00/0000:00:17.0/ata3/host2/target2:0:0/2:0:0:0/block/sr0',
        number: '11:0',
        sizeBytes: 700 * MiB,
        files: { removable: '1', 'device/model': 'DVD-RW' },
      },
      {
        at: 'virtual/block/loop7',
        number: '7:7',
        sizeBytes: 4 * GB,
        files: { 'loop/backing_file': '/home/mona/disk images/lab image.img' },
      },
      { at: 'virtual/block/zram0', number: '254:0', sizeBytes: 4 * GB },
    ],
    mountinfo: [
      '22 1 253:1 / / rw,relatime shared:1 - ext4 /dev/mapper/laptop--vg-root rw,errors=remount-ro',
      '23 22 0:5 / /dev rw,nosuid - devtmpfs udev rw,size=8G',
      '30 22 259:2 / /boot rw,relatime shared:2 - ext2 /dev/nvme0n1p2 rw',
      '31 30 259:1 / /boot/efi rw,relatime shared:3 - vfat /dev/nvme0n1p1 rw,fmask=0077',
      '40 22 8:17 / /media/mona/USB\\040STICK rw,nosuid,nodev,relatime shared:4 - ext4 /dev/sdb1 rw',
    ].join('\n'),
    swaps: '/dev/dm-2                               partition\t8388604\t\t1024\t\t-2\n',
    lsblk: [
      { kname: 'nvme0n1', pttype: 'gpt', model: 'Samsung SSD 970 PRO 512GB', serial: 'S463NX0M123456' },
      { kname: 'nvme0n1p1', pttype: 'gpt', fstype: 'vfat', parttype: 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b' },
      { kname: 'nvme0n1p2', pttype: 'gpt', fstype: 'ext2', parttype: '0fc63daf-8483-4772-8e79-3d69d8477de4' },
      { kname: 'nvme0n1p3', pttype: 'gpt', fstype: 'crypto_LUKS' },
      { kname: 'sdb', pttype: 'dos', vendor: 'SanDisk ', model: 'Ultra', serial: '4C530001' },
      { kname: 'sdb1', pttype: 'dos', fstype: 'ext4', label: 'USB STICK', uuid: 'f0-1', parttype: '0x83' },
      { kname: 'sr0', fstype: 'iso9660' },
      { kname: 'loop7', pttype: 'mac' },
    ],
    devices: { '/': '253:1', '/boot': '259:2', '/boot/efi': '259:1', '/media/mona/USB STICK': '8:17' },
    files: {
      '/home/mona/disk images/lab image.img': 'image',
      '/media/mona/USB STICK/file': 'on the stick',
      '/sys/devices/pci0000:00/0000:00:14.0/usb2/2-1/idVendor': '0781\n',
      '/sys/devices/pci0000:00/0000:00:14.0/usb2/2-1/serial': '4C530001\n',
    },
    nodes: { '/dev/mapper/laptop--vg-root': '253:1', '/dev/null2': '1:3' },
    usedBytes: { '/media/mona/USB STICK': 12_345_678, '/boot': 100, '/boot/efi': 200 },
  }
}
