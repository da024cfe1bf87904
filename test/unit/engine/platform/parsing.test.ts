import { describe, expect, it } from 'vitest'
import { cleanText } from '#src/main/engine/platform/system/clean-text.ts'
import { parseBlkid, parseLsblk } from '#src/main/engine/platform/linux/contents.ts'
import { parseMountinfo, parseSwaps, showsFilesystem } from '#src/main/engine/platform/linux/mounts.ts'
import { deviceNumberText } from '#src/main/engine/platform/system/machine.ts'
import { deviceError } from '#src/main/engine/platform/system/open-errors.ts'
import { isFillerPartition, partitionTypeName } from '#src/main/engine/platform/system/partition-types.ts'
import { systemError } from '#test/recorded-machine'

describe('what Linux tells about mounts', () => {
  it('is read with any number of optional fields, and with spaces in names', () => {
    const text = [
      '36 35 98:0 / /mnt\\040one rw,noatime - ext3 /dev/root rw,errors=continue',
      '37 35 0:43 /@home /home rw shared:1 master:2 - btrfs /dev/sda1 rw,subvolid=257,subvol=/@home',
    ].join('\n')
    expect(parseMountinfo(text)).toEqual([
      {
        id: 36,
        device: '98:0',
        root: '/',
        mountPoint: '/mnt one',
        options: 'rw,noatime',
        filesystem: 'ext3',
        source: '/dev/root',
        superOptions: 'rw,errors=continue',
      },
      expect.objectContaining({ mountPoint: '/home', filesystem: 'btrfs', source: '/dev/sda1' }),
    ])
  })

  it.each(['', 'garbage', '1 2 3', '1 2 8:1 / /x rw', '1 2 8:1 / /x rw -', '1 2 8:1 / /x rw - ext4'])(
    'is left out where it is %j',
    (line) => {
      expect(parseMountinfo(line)).toEqual([])
    },
  )

  it('tells a file system and a subvolume from a folder shown elsewhere', () => {
    const [subvolume, bind] = parseMountinfo(
      ['1 0 0:43 /@ / rw - btrfs /dev/sda1 rw,subvol=/@', '2 0 8:1 /srv /mnt rw - ext4 /dev/sda1 rw'].join(
        '\n',
      ),
    ).map(showsFilesystem)
    expect([subvolume, bind]).toEqual([true, false])
  })

  it('knows swap partitions and swap files', () => {
    const text = 'Filename Type Size\n/dev/sda2\tpartition 1 0 -2\n/swap\\040file file 1 0 -3\n'
    expect(parseSwaps(text)).toEqual([
      { path: '/dev/sda2', kind: 'partition' },
      { path: '/swap file', kind: 'file' },
    ])
  })

  it('writes device numbers as the kernel does', () => {
    expect([2049, 0x10300, 259 * 256 + 5, 0x800_0000_0fe_01].map(deviceNumberText).slice(0, 3)).toEqual([
      '8:1',
      '259:0',
      '259:5',
    ])
    // Minor numbers over 255 continue above the major number.
    expect(deviceNumberText(0x0010_0801)).toBe('8:257')
  })
})

describe('what is on a device', () => {
  it('is read from blkid, with every byte of a label', () => {
    const text = [
      'ID_FS_LABEL=x_y',
      'ID_FS_LABEL_ENC=x\\x20"\\x5cy\\x0aé=1',
      'ID_FS_UUID_ENC=12-34',
      'ID_FS_TYPE=vfat',
      'ID_PART_TABLE_TYPE=dos',
    ].join('\n')
    expect(parseBlkid(text)).toMatchObject({
      filesystem: 'vfat',
      label: 'x "\\y é=1',
      uuid: '12-34',
      partitionMap: 'mbr',
    })
  })

  it('is nothing where blkid says nothing', () => {
    expect(parseBlkid('')).toMatchObject({ filesystem: null, label: null, partitionMap: null })
  })

  it.each([
    '',
    'lsblk: error',
    '{}',
    '[]',
    'null',
    '{"blockdevices": 5}',
    '{"blockdevices":[null, 7, {"kname": 5}]}',
  ])('is nothing where lsblk answers %j', (json) => {
    expect([...parseLsblk(json)]).toEqual([])
  })

  it.each([
    ['C12A7328-F81F-11D2-BA4B-00A0C93EC93B', 'EFI System'],
    ['48465300-0000-11aa-aa11-00306543ecac', 'Apple HFS'],
    ['0x83', 'Linux Filesystem'],
    ['0xc', 'FAT32'],
    ['Apple_HFS', 'Apple HFS'],
    ['Apple_Driver_ATAPI', 'Apple Driver ATAPI'],
    ['11112222-1111-2222-1111-111122221111', null],
    ['0x99', null],
    ['', null],
    [null, null],
  ])('calls the partition type %s %s', (type, name) => {
    expect(partitionTypeName(type)).toBe(name)
  })

  it('knows entries that are no volumes', () => {
    const types = ['0x5', '0x0f', 'Apple_partition_map', 'Apple_Free', 'Apple_HFS', '0x83', null]
    expect(types.map(isFillerPartition)).toEqual([true, true, true, true, false, false, false])
  })
})

describe('a name from hardware', () => {
  it.each([
    ['  Ultra   USB ', 'Ultra USB'],
    ['\u001b[2Jboo', '[2Jboo'],
    ['abc\u202Etxt.exe', 'abc txt.exe'],
    ['abc\u061Ctxt', 'abc txt'],
    ['\u0000\u0000', null],
    ['', null],
    ['Größe 大', 'Größe 大'],
  ])('%j is shown as %j', (text, clean) => {
    expect(cleanText(text)).toBe(clean)
  })
})

describe('an error of the system', () => {
  const codeOf = (errno: string, role: 'source' | 'target', readOnly?: boolean) =>
    deviceError(systemError(errno, 1, '/dev/sdb'), {
      path: '/dev/sdb',
      role,
      ...(readOnly === undefined ? {} : { readOnly }),
    }).code

  it.each([
    ['EBUSY', 'target', 'E_DST_BUSY'],
    ['EBUSY', 'source', 'E_SRC_IN_USE'],
    ['EROFS', 'target', 'E_DST_READONLY'],
    ['EACCES', 'target', 'E_DENIED'],
    ['EPERM', 'source', 'E_DENIED'],
    ['ENOENT', 'target', 'E_NOT_FOUND'],
    ['ENXIO', 'target', 'E_DST_GONE'],
    ['ENODEV', 'source', 'E_SRC_GONE'],
    ['EIO', 'target', 'E_IO_WRITE'],
    ['EIO', 'source', 'E_IO_READ'],
  ] as const)('%s on a %s is %s', (errno, role, code) => {
    expect(codeOf(errno, role)).toBe(code)
  })

  it('is write protection when the kernel says that the device is read-only', () => {
    expect(codeOf('EACCES', 'target', true)).toBe('E_DST_READONLY')
  })

  it('is an empty card reader where Node knows no name for it', () => {
    const error = Object.assign(new Error('Unknown system error -123'), {
      errno: -123,
      code: 'Unknown system error -123',
    })
    expect(deviceError(error, { path: '/dev/sdc', role: 'target' })).toMatchObject({
      code: 'E_DST_GONE',
      details: { errno: 'ENOMEDIUM' },
      cause: error,
    })
  })
})
