import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createDarwinPlatform } from '#src/main/engine/platform/darwin/darwin-platform.ts'
import { describePlatform } from '#test/platform-conformance'
import { recordedMachine, type Answer, type Recording } from '#test/recorded-machine'

/**
 * An Apple silicon Mac with a USB stick (disk4), a locked SD card (disk5), a Thunderbolt SSD with two APFS volumes
 * (disk6, its container disk7), an attached image (disk8) and a CD (disk9), in the form that diskutil answers in.
 */
const folder = join(import.meta.dirname, 'fixtures/mac')
const fixture = (name: string) => readFileSync(join(folder, `${name}.plist`), 'utf8')
const recorded = new Set(readdirSync(folder))

function diskutil(args: readonly string[]): Answer {
  if (args[0] === 'list') return fixture('list')
  const device = (args[2] ?? '').replace(/^\/dev\//, '')
  const name = device === '/' ? 'info-root' : `info-${device}`
  return recorded.has(`${name}.plist`) ? fixture(name) : { status: 1, stdout: fixture('info-missing') }
}

const df = (args: readonly string[]) => {
  const path = args.at(-1) ?? ''
  const device = path.startsWith('/Volumes/Lab Stick')
    ? '/dev/disk4s2'
    : path.startsWith('/Volumes/Old Image')
      ? '/dev/disk8s2'
      : '/dev/disk3s5'
  return `Filesystem   512-blocks      Used Available Capacity  Mounted on\n${device}     61662240  20000000  41662240    33%    /\n`
}

const mac = (more: Recording = {}): Recording => ({
  folders: ['/Volumes/Lab Stick/images', '/Users/mona', '/Volumes/Backups', '/Volumes/Old Image', '/dev'],
  files: { '/Users/mona/Desktop/image.dmg': 'twelve bytes', '/Volumes/Lab Stick/file': '' },
  usedBytes: { '/Volumes/Lab Stick': 10_000 },
  ...more,
  programs: { diskutil, df, 'hdiutil info -plist': fixture('hdiutil-info'), ...more.programs },
})
const platformOf = (more: Recording = {}) => createDarwinPlatform({ system: recordedMachine(mac(more)) })

describePlatform('a recorded Mac', ['look'], () =>
  Promise.resolve({
    platform: platformOf({ ownFiles: ['/Applications/Reprise.app', '/Volumes/Backups/Reprise.app'] }),
    disk: '/dev/disk4',
    volume: '/dev/disk4s2',
    mountPoint: '/Volumes/Lab Stick',
    systemDisk: '/dev/disk0',
    programDisk: '/dev/disk6',
    file: { path: '/Users/mona/Desktop/image.dmg', sizeBytes: 12, disks: ['/dev/disk0'] },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }),
)

describe('listing disks on macOS', () => {
  it('shows disks only: no APFS containers, no CD', async () => {
    const disks = await platformOf().list()
    expect(disks.map((disk) => disk.path)).toEqual([
      '/dev/disk0',
      '/dev/disk4',
      '/dev/disk5',
      '/dev/disk6',
      '/dev/disk8',
    ])
  })

  it('describes a USB stick', async () => {
    const disks = await platformOf().list()
    expect(disks[1]).toEqual({
      path: '/dev/disk4',
      identity:
        'IODeviceTree:/arm-io@10F00000/usb-drd0@2280000/usb-drd0-port-hs@00100000|SanDisk Ultra USB 3.0 Media|disk4|31914983424',
      name: 'Ultra USB 3.0',
      vendor: null,
      model: 'Ultra USB 3.0',
      serial: null,
      sizeBytes: 31_914_983_424,
      logicalBlockBytes: 512,
      bus: 'usb',
      removable: true,
      internal: false,
      readOnly: false,
      partitionMap: 'gpt',
      volumes: [
        expect.objectContaining({
          path: '/dev/disk4s1',
          index: 1,
          offset: 20_480,
          filesystem: 'vfat',
          partitionType: 'EFI System',
          mountPoints: [],
          usedBytes: null,
        }),
        {
          path: '/dev/disk4s2',
          index: 2,
          offset: 209_735_680,
          sizeBytes: 31_571_066_880,
          filesystem: 'hfsplus',
          label: 'Lab Stick',
          uuid: '5B2E6C1A-8D3F-3B55-9E70-6A1C2D3E4F02',
          partitionType: 'Apple HFS',
          mountPoints: ['/Volumes/Lab Stick'],
          usedBytes: 10_000,
          readOnly: false,
        },
      ],
      protection: null,
      backingFile: null,
      practice: false,
      busy: false,
    })
  })

  it('protects the disk that stores the container of the system’s volumes', async () => {
    const [internal] = await platformOf().list()
    expect(internal).toMatchObject({
      bus: 'nvme',
      internal: true,
      logicalBlockBytes: 4096,
      protection: { kind: 'system', mountPoint: '/' },
    })
  })

  it('protects it also when diskutil has nothing to say about /', async () => {
    const silent = (args: readonly string[]) =>
      args[2] === '/' ? { status: 1, stdout: fixture('info-missing') } : diskutil(args)
    const [internal] = await platformOf({ programs: { diskutil: silent } }).list()
    expect(internal?.protection?.kind).toBe('system')
  })

  it('shows APFS volumes at the partition that stores their container', async () => {
    const disks = await platformOf().list()
    expect(disks[3]).toMatchObject({ bus: 'thunderbolt', internal: false, protection: null })
    expect(disks[3]?.volumes[1]).toMatchObject({
      path: '/dev/disk6s2',
      filesystem: 'apfs',
      label: 'Backups',
      mountPoints: ['/Volumes/Backups', '/Volumes/Archive'],
      usedBytes: 160_000_000_000,
    })
  })

  it('knows a locked card, and an image by its file', async () => {
    const disks = await platformOf().list()
    expect(disks[2]).toMatchObject({
      bus: 'sd',
      internal: false,
      readOnly: true,
      partitionMap: 'mbr',
      protection: { kind: 'read-only' },
    })
    expect(disks[4]).toMatchObject({
      name: 'Old Image.dmg',
      bus: 'loop',
      partitionMap: 'apm',
      backingFile: '/Volumes/Lab Stick/images/Old Image.dmg',
    })
    expect(disks[4]?.volumes).toMatchObject([{ path: '/dev/disk8s2', mountedReadOnly: true }])
  })

  it('leaves the disks of an APFS container alone that lies on several', async () => {
    const store = (identifier: string) =>
      `<dict>\n<key>DeviceIdentifier</key>\n<string>${identifier}</string>\n</dict>`
    const list = fixture('list').replace(
      /<dict>\s*<key>DeviceIdentifier<\/key>\s*<string>disk6s2<\/string>\s*<\/dict>(?=\s*<\/array>)/,
      store('disk6s2') + store('disk4s2'),
    )
    const fused = (args: readonly string[]) => (args[0] === 'list' ? list : diskutil(args))
    const disks = await platformOf({ programs: { diskutil: fused } }).list()
    expect(disks.map((disk) => [disk.path, disk.protection])).toMatchObject([
      ['/dev/disk0', { kind: 'system' }],
      ['/dev/disk4', { kind: 'in-use', by: 'an APFS container that is also on /dev/disk6' }],
      ['/dev/disk5', { kind: 'read-only' }],
      ['/dev/disk6', { kind: 'in-use', by: 'an APFS container that is also on /dev/disk4' }],
      ['/dev/disk8', { kind: 'read-only' }],
    ])
  })

  it('follows an image to the disk that stores it', async () => {
    expect(await platformOf().disksHoldingFile('/Volumes/Old Image/file')).toEqual([
      '/dev/disk4',
      '/dev/disk8',
    ])
  })

  it('lists the others when diskutil cannot describe one', async () => {
    const failing = (args: readonly string[]) => (args[2] === '/dev/disk5' ? 'not a plist' : diskutil(args))
    const disks = await platformOf({ programs: { diskutil: failing } }).list()
    expect(disks.map((disk) => disk.path)).not.toContain('/dev/disk5')
    expect(disks).toHaveLength(4)
  })

  it('lists disks where hdiutil is gone', async () => {
    const system = recordedMachine({ ...mac(), programs: { diskutil } })
    expect(await createDarwinPlatform({ system }).list()).toHaveLength(5)
  })
})

describe('resolving on macOS', () => {
  it.each([
    ['/dev/rdisk4', { kind: 'disk', disk: { path: '/dev/disk4' } }],
    ['/dev/rdisk4s2', { kind: 'volume', volume: { path: '/dev/disk4s2' } }],
    ['/dev/disk0s2', { kind: 'volume', volume: { path: '/dev/disk0s2' } }],
    ['/Volumes/Backups', { kind: 'other', what: 'one of several APFS volumes in a container' }],
    ['/Users', { kind: 'other' }],
  ])('takes %s for what it is', async (locator, expected) => {
    expect(await platformOf().resolve(locator)).toMatchObject(expected)
  })
})

describe('unmounting on macOS', () => {
  const answering = (answers: { readonly [order: string]: Answer }) => {
    const system = recordedMachine(
      mac({ programs: { diskutil: (args) => answers[args.join(' ')] ?? diskutil(args) } }),
    )
    return { system, platform: createDarwinPlatform({ system }) }
  }
  const orders = (ran: readonly string[]) => ran.filter((command) => !/-plist|^df/.test(command))

  it('asks diskutil for the whole disk, and tells what was mounted', async () => {
    const { platform, system } = answering({
      'unmountDisk /dev/disk4': 'Unmount of all volumes was successful',
    })
    expect(await platform.unmount('/dev/disk4')).toEqual([
      {
        devicePath: '/dev/disk4s2',
        mountPoint: '/Volumes/Lab Stick',
        filesystem: 'hfsplus',
        options: '',
        subfolder: null,
      },
    ])
    expect(orders(system.ran)).toEqual(['diskutil unmountDisk /dev/disk4'])
  })

  it('unmounts each volume of a partition’s container', async () => {
    const { platform, system } = answering({ 'unmount /dev/disk7s1': '', 'unmount /dev/disk7s2': '' })
    expect(await platform.unmount('/dev/disk6s2')).toMatchObject([
      { devicePath: '/dev/disk7s1', mountPoint: '/Volumes/Backups' },
      { devicePath: '/dev/disk7s2', mountPoint: '/Volumes/Archive' },
    ])
    expect(orders(system.ran)).toEqual(['diskutil unmount /dev/disk7s1', 'diskutil unmount /dev/disk7s2'])
  })

  it('tries three times and names who dissents', async () => {
    const stdout = [
      'Unmount of disk4 failed: at least one volume could not be unmounted',
      'Unmount was dissented by PID 612 (/usr/bin/tail)',
      'Dissenter parent PPID 1 (/sbin/launchd)',
    ].join('\n')
    const { platform, system } = answering({ 'unmountDisk /dev/disk4': { status: 1, stdout } })
    await expect(platform.unmount('/dev/disk4')).rejects.toMatchObject({
      code: 'E_DST_BUSY',
      details: { holders: ['tail (612)'] },
    })
    expect(orders(system.ran)).toHaveLength(3)
  })

  it('mounts again what it had unmounted, when the rest is held', async () => {
    let isMounted = true
    const info = fixture('info-disk4s2').replace(/<key>MountPoint<\/key>\s*<string>[^<]*<\/string>/, '')
    const system = recordedMachine(
      mac({
        programs: {
          diskutil: (args) => {
            const [verb, device] = args
            if (verb === 'unmount' && device === '/dev/disk7s2') return { status: 1, stdout: 'no' }
            if (device !== '/dev/disk7s1' && args[2] !== '/dev/disk7s1') return diskutil(args)
            if (verb === 'unmount' || verb === 'mount') isMounted = verb === 'mount'
            return verb === 'info' ? info : ''
          },
        },
      }),
    )
    const platform = createDarwinPlatform({ system })
    await expect(platform.unmount('/dev/disk6s2')).rejects.toMatchObject({ code: 'E_DST_BUSY' })
    expect(orders(system.ran).at(-1)).toBe('diskutil mount /dev/disk7s1')
    expect(isMounted).toBe(true)
  })

  it('tells what it had unmounted and could not mount again', async () => {
    const info = fixture('info-disk4s2').replace(/<key>MountPoint<\/key>\s*<string>[^<]*<\/string>/, '')
    const failed = { status: 1, stdout: 'no' }
    const { platform } = answering({
      'unmount /dev/disk7s1': '',
      'unmount /dev/disk7s2': failed,
      'info -plist /dev/disk7s1': info,
      'mount /dev/disk7s1': failed,
    })
    const left: Error[] = []
    const unmounted = platform.unmount('/dev/disk6s2', undefined, (errors) => left.push(...errors))
    await expect(unmounted).rejects.toMatchObject({ code: 'E_DST_BUSY' })
    expect(left).toMatchObject([{ code: 'E_DEVICE_TOOL', details: { tool: 'diskutil' } }])
  })

  it('refuses the disk that the Mac runs from, and orders nothing', async () => {
    const { platform, system } = answering({})
    for (const path of ['/dev/disk0', '/dev/disk0s2'])
      await expect(platform.unmount(path)).rejects.toMatchObject({ code: 'E_DST_SYSTEM' })
    expect(orders(system.ran)).toEqual([])
  })

  it('mounts below /Volumes by the volume’s own name, elsewhere where it was', async () => {
    const unmounted = fixture('info-disk4s2').replace(
      '<string>/Volumes/Lab Stick</string>',
      '<string></string>',
    )
    const { platform, system } = answering({
      'info -plist /dev/disk4s2': unmounted,
      'mount /dev/disk4s2': '',
      'mount -mountPoint /lab /dev/disk4s2': '',
    })
    const volume = { devicePath: '/dev/disk4s2', filesystem: 'hfsplus', options: '', subfolder: null }
    await platform.remount('/dev/disk4', [
      { ...volume, mountPoint: '/Volumes/Lab Stick' },
      { ...volume, mountPoint: '/lab' },
    ])
    expect(orders(system.ran)).toEqual([
      'diskutil mount /dev/disk4s2',
      'diskutil mount -mountPoint /lab /dev/disk4s2',
    ])
  })

  it('mounts what nobody could write to again so that nobody can', async () => {
    const readOnly = fixture('info-disk4s2').replace(
      /<key>WritableVolume<\/key>\s*<true\/>/,
      '<key>WritableVolume</key><false/>',
    )
    const { platform, system } = answering({
      'info -plist /dev/disk4s2': readOnly,
      'unmountDisk /dev/disk4': '',
    })
    const before = await platform.unmount('/dev/disk4')
    expect(before).toMatchObject([{ devicePath: '/dev/disk4s2', options: 'ro' }])
    const unmounted = readOnly.replace('<string>/Volumes/Lab Stick</string>', '<string></string>')
    const again = answering({
      'info -plist /dev/disk4s2': unmounted,
      'mount readOnly /dev/disk4s2': '',
      'mount readOnly -mountPoint /lab /dev/disk4s2': '',
    })
    await again.platform.remount('/dev/disk4', [
      ...before,
      ...before.map((volume) => ({ ...volume, mountPoint: '/lab' })),
    ])
    expect(orders(again.system.ran)).toEqual([
      'diskutil mount readOnly /dev/disk4s2',
      'diskutil mount readOnly -mountPoint /lab /dev/disk4s2',
    ])
    expect(orders(system.ran)).toEqual(['diskutil unmountDisk /dev/disk4'])
  })

  it('ejects a disk after unmounting it', async () => {
    const { platform, system } = answering({ 'unmountDisk /dev/disk4': '', 'eject /dev/disk4': '' })
    await platform.eject('/dev/disk4')
    expect(orders(system.ran)).toEqual(['diskutil unmountDisk /dev/disk4', 'diskutil eject /dev/disk4'])
  })
})

describe('opening on macOS', () => {
  it('refuses the disk that the Mac runs from', async () => {
    await expect(platformOf().openTarget('/dev/disk0')).rejects.toMatchObject({ code: 'E_DST_SYSTEM' })
  })

  it('opens the raw device, exclusively for a target', async () => {
    const opened: [string, number][] = []
    const system = {
      ...recordedMachine(mac()),
      open: (path: string, flags: number) => Promise.resolve((opened.push([path, flags]), 7)),
    }
    const platform = createDarwinPlatform({ system })
    await using target = await platform.openTarget('/dev/disk4')
    expect(target).toMatchObject({ fd: 7, sizeBytes: 31_914_983_424, direct: true })
    expect(opened[0]?.[0]).toBe('/dev/rdisk4')
    // O_RDWR | O_EXLOCK
    expect((opened[0]?.[1] ?? 0) & 0x23).toBe(0x22)
  })

  it('has no offloads, and says so', async () => {
    const system = { ...recordedMachine(mac()), open: () => Promise.resolve(7) }
    const platform = createDarwinPlatform({ system })
    await using target = await platform.openTarget('/dev/disk4')
    expect(target.abilities).toEqual({ logicalBlockBytes: 512, zeroOut: false, discard: false })
    await expect(platform.zeroOut(target, 0, 512)).rejects.toMatchObject({ code: 'E_UNSUPPORTED' })
    await expect(platform.discard(target, 0, 512)).rejects.toMatchObject({ code: 'E_UNSUPPORTED' })
  })

  it('leaves an empty map on a disk, and a new file system in a partition', async () => {
    const pieces: number[] = []
    const system = {
      ...recordedMachine(mac({ programs: { newfs_hfs: '' } })),
      open: () => Promise.resolve(7),
      writeDurably: (_fd: number, all: readonly { offset: number }[]) => {
        pieces.push(...all.map((piece) => piece.offset))
        return Promise.resolve()
      },
    }
    const platform = createDarwinPlatform({ system })
    expect(await platform.makeEmpty('/dev/disk4', null)).toBe('empty-map')
    const size = 31_914_983_424
    expect(pieces).toEqual([0, size - 2 ** 20, 0, size - 33 * 512])
    expect(await platform.makeEmpty('/dev/disk4s2', 'hfsplus')).toBe('empty-filesystem')
    expect(await platform.makeEmpty('/dev/disk4s2', 'ext4')).toBe('wiped')
  })

  it('takes half a file system away again', async () => {
    const events: string[] = []
    const newfs = () => {
      events.push('newfs')
      return { status: 1, stdout: 'no room' }
    }
    const system = {
      ...recordedMachine(mac({ programs: { newfs_hfs: newfs } })),
      open: () => Promise.resolve(7),
      writeDurably: () => Promise.resolve(void events.push('zeros')),
    }
    const platform = createDarwinPlatform({ system })
    expect(await platform.makeEmpty('/dev/disk4s2', 'hfsplus')).toBe('wiped')
    expect(events).toEqual(['zeros', 'newfs', 'zeros'])
  })
})
