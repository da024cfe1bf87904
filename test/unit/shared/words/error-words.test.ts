import { describe, expect, it } from 'vitest'
import {
  bugCodes,
  deviceCodes,
  engineGoneCodes,
  formatCodes,
  networkCodes,
  usageCodes,
  verificationCodes,
  type ErrorCode,
  type ErrorFamily,
  type SerializedError,
} from '#shared/errors'
import { describeError } from '#shared/words'

const families: readonly (readonly [ErrorFamily, readonly ErrorCode[]])[] = [
  ['usage', usageCodes],
  ['format', formatCodes],
  ['device', deviceCodes],
  ['network', networkCodes],
  ['verification', verificationCodes],
  ['engine-gone', engineGoneCodes],
  ['bug', bugCodes],
]
const all = families.flatMap(([family, codes]) => codes.map((code) => [code, family] as const))

const error = (
  code: ErrorCode,
  details: SerializedError['details'] = {},
  message = 'a message for logs',
): SerializedError => ({
  family: all.find(([each]) => each === code)?.[1] ?? 'bug',
  code,
  message,
  details,
  transient: false,
  cause: null,
})

const names = { source: 'System.dmg', target: 'SanDisk Ultra', readIn: 'terminal' } as const
const text = (told: ReturnType<typeof describeError>) =>
  [told.what, told.why, told.now].filter(Boolean).join('\n')

/** Every key any code reads, with hostile or foolish values. */
const nonsense = [null, [], {}, '', NaN, -1, 1e300, true, ['\u0000', 7]]
const keys = (
  'input path name problem hint reason mountPoint neededBytes availableBytes what digest format field offset found ' +
  'expected segmentCount errno holders seconds tool stderr lastLines address differingBlocks exitCode signal ours theirs'
).split(' ')

describe('describeError', () => {
  it.each(all)('has plain whole sentences for %s', (code) => {
    for (const told of [describeError(error(code)), describeError(error(code), names)]) {
      for (const sentence of [told.what, told.why, told.now]) {
        if (sentence === null) continue
        expect(sentence).toMatch(/^['A-Z].*\.$/s)
        expect(sentence).not.toMatch(/!|undefined|null|NaN|\[object|\s{2}| ,|\.\./)
      }
      expect(told.now).not.toBe('')
    }
  })

  it.each(all)('takes any details for %s', (code) => {
    for (const value of nonsense) {
      const details = Object.fromEntries(keys.map((key) => [key, value]))
      const told = describeError(error(code, details))
      expect(text(told)).not.toMatch(/undefined|NaN|\[object|Infinity/)
    }
  })

  it('tells a code it does not know as a bug', () => {
    const strange = { ...error('E_BUG'), code: 'E_TOMORROW' as ErrorCode }
    expect(describeError(strange).what).toBe('Something went wrong inside Reprise.')
  })

  it('sends nobody who reads it in the window to a command line', () => {
    const ways = [
      {},
      { path: '/images/System.dmg', purpose: 'multicast', neededBytes: 5e9, errno: 'EACCES' },
      { path: '/dev/sdb', into: 'file', phase: 'management', owner: 'anna', scanned: 'by-another' },
      { path: 'http://lab/a.dmg', obstacle: 'encrypted', partitions: [2], names: ['Lab'] },
      { path: '/images/a.img', format: 'sha256', digest: 'SHA-256' },
    ]
    for (const [code] of all)
      for (const details of ways) {
        const { now } = describeError(error(code, details), { ...names, readIn: 'window' })
        expect(now ?? '').not.toMatch(/\breprise [a-z]|(^|[\s(])--[a-z]|command line|standard input/)
        expect(now ?? 'Nothing.').toMatch(/^['A-Z].*\.$/s)
      }
  })

  it.each<[ErrorCode, SerializedError['details'], string]>([
    ['E_NEEDS_ERASE', {}, "Tick 'Erase destination'."],
    ['E_SRC_MULTIVOL', { partitions: [2] }, "Choose one under 'Volume in image', or choose a whole disk."],
    [
      'E_MC_NOSESSION',
      { host: 'lab' },
      "Check the name in its URL, or choose one of the 'Network Streams' in the sidebar.",
    ],
    ['E_SRC_NOSCAN', { purpose: 'multicast' }, 'Scan it (Images ▸ Scan Image for Restore…).'],
    [
      'E_SRC_NOSCAN',
      { purpose: 'multicast', path: 'http://lab/a.dmg' },
      'Scan it on the computer where it is stored.',
    ],
    [
      'E_MC_NOTORDERED',
      { neededBytes: 5_000_000_000 },
      'Scan it again (Images ▸ Scan Image for Restore…), which puts it in order and needs 5 GB of free space.',
    ],
    [
      'E_DENIED',
      { path: '/run/user/1000/gvfs/a.dmg', by: 'administrator' },
      'Copy the image to a disk of this computer, and restore that.',
    ],
    ['E_DENIED', { path: '/dev/sdb' }, 'Run Reprise in a browser, started with sudo.'],
    [
      'E_DENIED',
      { path: '/dev/sdb', into: 'file' },
      'Make an image of it instead: File ▸ New Image ▸ From Device….',
    ],
    ['E_DENIED', { path: 'pkexec' }, 'Try again, or ask who administers this computer.'],
    ['E_DENIED', { path: '/root/a' }, 'Choose another place, or have yourself given the right to use it.'],
    ['E_UNSUPPORTED', { problem: 'No.', hint: 'Add --x.', windowHint: 'Tick it.' }, 'Tick it.'],
  ])('says what to do about %s in the window: %j', (code, details, now) => {
    expect(describeError(error(code, details), { readIn: 'window' }).now).toBe(now)
    expect(describeError(error(code, details)).now).toBe(now)
  })

  it('calls what failed by its name, where its path is an end of the restore', () => {
    const ends = { ...names, sourcePath: '/images/System.dmg', targetPath: '/dev/sdb' }
    const told = (code: ErrorCode, path: string, more = {}) =>
      describeError(error(code, { path, ...more }), ends)
    expect(told('E_IO_WRITE', '/dev/sdb', { errno: 'EIO', offset: 512 })).toMatchObject({
      what: "'SanDisk Ultra' couldn't be written at byte 512.",
      why: "The system reports EIO for '/dev/sdb'.",
    })
    expect(told('E_IO_READ', '/dev/sdb')).toMatchObject({
      what: "'SanDisk Ultra' couldn't be read.",
      why: "It is '/dev/sdb'.",
    })
    expect(told('E_IO_READ', '/images/System.dmg').what).toBe("'System.dmg' couldn't be read.")
    expect(told('E_IO_READ', '/tmp/x').what).toBe("'/tmp/x' couldn't be read.")
    expect(told('E_IO_READ', '/tmp/x', { reason: 'no-answer' }).what).toBe("'/tmp/x' doesn't answer.")
  })

  it('says that an image is complete though not all of the disk could be read', () => {
    const told = (failedReads: number, badBytes: number) =>
      describeError(error('E_IO_READ', { path: '/dev/sdb', left: 'unread', failedReads, badBytes }))
    expect(told(3, 0)).toMatchObject({
      what: "'/dev/sdb' has sectors that can't be read; nothing in use lies there.",
      why: null,
    })
    expect(told(3, 8192).why).toBe("8.19 kB are marked as bad and weren't read, either.")
    expect(told(3, 0).now).toMatch(/replace it\.$/)
    expect(told(0, 8192).what).toBe("8.19 kB of '/dev/sdb' are marked as bad and weren't read.")
    // Marks stay: it may have been well for years.
    expect(told(0, 8192).now).toBe('The image is complete. If they become more, replace the disk.')
  })

  it.each<[ErrorCode, SerializedError['details'], string]>([
    [
      'E_DST_SMALL',
      { neededBytes: 14_200_000_000, availableBytes: 11_100_000_000 },
      "'SanDisk Ultra' is 3.1 GB too small.\nThe source needs 14.2 GB; the destination has 11.1 GB.\nChoose a larger destination.",
    ],
    [
      'E_DST_SMALL',
      { neededBytes: 14_200_000_512, availableBytes: 14_200_000_000 },
      "'SanDisk Ultra' is 512 bytes too small.\nThe source needs 14,200,000,512 bytes; the destination has 14,200,000,000 bytes.\nChoose a larger destination.",
    ],
    [
      'E_DST_SYSTEM',
      { path: '/dev/sda', mountPoint: '/boot' },
      "'SanDisk Ultra' runs this computer and can't be a destination.\nIt holds /boot.\nChoose another destination.",
    ],
    [
      'E_DST_SYSTEM',
      { path: '/dev/sdb', disk: '/dev/sdb', program: '/media/TOOLS/reprise' },
      "Reprise runs from 'SanDisk Ultra', so it can't be a destination.\nIt holds '/media/TOOLS/reprise'.\nChoose another destination, or start Reprise from another disk.",
    ],
    [
      'E_DST_BUSY',
      { path: '/dev/sdb', holders: ['bash (812)', 'nautilus (44)', 'vim (5)'], tried: 'unmount' },
      "'SanDisk Ultra' is in use and couldn't be unmounted.\nIt is used by bash (812), nautilus (44) and vim (5).\nClose what is using it and try again.",
    ],
    [
      'E_DST_BUSY',
      { path: '/dev/sdb', holders: ['gparted (812)'], left: 'reread' },
      "The system may still see the old partitions of 'SanDisk Ultra'.\nIt is used by gparted (812).\nDisconnect it and connect it again before you use it.",
    ],
    [
      'E_SRC_IN_USE',
      { path: '/dev/sdc1', holders: ['reprise (812)'], left: 'mount' },
      "'/dev/sdc1' wasn't mounted again.\nIt is used by reprise (812).\nMount it when nobody reads it any more.",
    ],
    [
      'E_SRC_IN_USE',
      { path: '/dev/sdc', why: 'unknown' },
      "'System.dmg' may be in use by another program.\nLooking at all that runs on this computer took too long.\nClose what may write to it, and try again when the computer has less to do.",
    ],
    [
      'E_DST_BUSY',
      { path: '/dev/sdb', why: 'unknown' },
      "'SanDisk Ultra' may be in use by another program.\nLooking at all that runs on this computer took too long.\nClose what may write to it, and try again when the computer has less to do.",
    ],
    [
      'E_DST_BUSY',
      { path: '/home/a/d.img', holders: ['/dev/loop0'] },
      "'SanDisk Ultra' is in use.\nIt is used by /dev/loop0.\nClose what is using it and try again.",
    ],
    [
      'E_AUTH_NOAGENT',
      { path: 'pkexec', missing: 'program', packages: ['pkexec', 'polkitd'] },
      "pkexec isn't installed.\nThe system asks for an administrator's password with it.\nInstall pkexec and polkitd, or run Reprise in a browser, started with sudo.",
    ],
    [
      'E_AUTH_NOAGENT',
      { path: 'pkexec', missing: 'agent', packages: ['polkit-kde-agent-1', 'mate-polkit', 'lxpolkit'] },
      "No authentication agent is running.\nWithout one the system can't ask for an administrator's password.\nStart one, for example polkit-kde-agent-1, mate-polkit or lxpolkit, or run Reprise in a browser, started with sudo.",
    ],
    [
      'E_AUTH_NOAGENT',
      { path: 'pkexec', stderr: 'Error getting authority: Could not connect: No such file or directory' },
      "The system couldn't ask for an administrator's password.\nThe system says: Error getting authority: Could not connect: No such file or directory.\nCheck that polkitd is running, or run Reprise in a browser, started with sudo.",
    ],
    [
      'E_NOT_FOUND',
      { path: '/a/b.dmg', errno: 'ENOENT' },
      "'/a/b.dmg' wasn't found.\nCheck the spelling, and that the disk is connected.",
    ],
    [
      'E_NOT_FOUND',
      { path: '/a/b.img', errno: 'ENOENT', missingFolder: '/a' },
      "'/a/b.img' wasn't found.\nThere is no folder '/a'.\nCheck the spelling, and that the disk is connected.",
    ],
    [
      'E_NOT_FOUND',
      { path: '/a/long', errno: 'ENAMETOOLONG' },
      "'/a/long' is too long for a name.\nA file's name has at most 255 bytes, with all the folders it is in 4095.\nChoose a shorter one.",
    ],
    [
      'E_DST_CHANGED',
      { path: '/dev/sdb' },
      "'SanDisk Ultra' isn't the disk that was checked.\nAnother disk answers at its place now.\nLook at the list of disks and choose the destination again.",
    ],
    [
      'E_DST_CHANGED',
      { path: '/home/a/d.img', kind: 'file' },
      "'SanDisk Ultra' isn't the file that was checked.\nIt was deleted, or another file took its place.\nLook at what is there now, and start again.",
    ],
    [
      'E_DST_CHANGED',
      { path: '/dev/sdb', kind: 'device', what: 'contents' },
      "'SanDisk Ultra' has changed since it was checked.\nSomething else is on it now: another program writes to it, or has.\nLook at what is there now, and start again.",
    ],
    [
      'E_DENIED',
      { path: '/dev/sdb', into: 'file' },
      "The system refuses access to '/dev/sdb'.\nOpening a disk needs administrator rights.\nRun the same command with sudo.",
    ],
    [
      'E_DENIED',
      { path: '/a/d.img', errno: 'EPERM' },
      "The system refuses access to '/a/d.img'.\nThe system reports EPERM.\nIf it is a file, it may be marked as one that can't be changed: see lsattr and chattr.",
    ],
    [
      'E_DST_READONLY',
      { path: '/a/d.img', errno: 'EROFS' },
      "'SanDisk Ultra' is write-protected.\nThe volume it lies on is mounted read-only.\nChoose another place, or mount that volume for writing.",
    ],
    [
      'E_DST_CHANGED',
      { path: '/home/a/d.img', kind: 'file', when: 'writing' },
      "'SanDisk Ultra' was deleted or replaced while it was being written.\nWhat was written can't be found under this name.\nLeave it alone until it is complete, and start again.",
    ],
    [
      'E_DST_CHANGED',
      { path: '/home/a/d.img', kind: 'file', when: 'writing', what: 'size' },
      "'SanDisk Ultra' was cut shorter while it was being written.\nPart of what was written is gone.\nLeave it alone until it is complete, and start again.",
    ],
    [
      'E_SRC_CORRUPT',
      { format: 'udif', field: 'koly.xmlLength', offset: 216, found: 99, expected: 'at most 80' },
      "'System.dmg' is damaged at byte 216.\nExpected koly.xmlLength to be at most 80, found 99.\nGet a fresh copy of the image and try again.",
    ],
    [
      'E_SRC_CORRUPT',
      {
        format: 'udif',
        field: 'koly',
        offset: 5000,
        found: 'compressed runs',
        expected: 'the trailer in the last 512 bytes',
        cutShort: true,
      },
      "'System.dmg' is damaged at byte 5,000.\nIts end is missing, most likely because its download wasn't completed. Expected koly to be the trailer in the last 512 bytes, found compressed runs.\nGet a fresh copy of the image and try again.",
    ],
    [
      'E_SRC_CORRUPT',
      {
        format: 'raw',
        field: 'size for gpt partition 2',
        offset: 5120,
        found: '5120 bytes',
        expected: '9216 bytes',
        cutShort: true,
      },
      "'System.dmg' is damaged at byte 5,120.\nIts end is missing, most likely because its download wasn't completed. Expected size for gpt partition 2 to be 9216 bytes, found 5120 bytes.\nGet a fresh copy of the image and try again.",
    ],
    [
      'E_SRC_CORRUPT',
      { format: 'gzip', field: 'deflate', offset: 5120, cutShort: true },
      "'System.dmg' is damaged at byte 5,120.\nIts end is missing, most likely because its download wasn't completed.\nGet a fresh copy of the image and try again.",
    ],
    [
      'E_SRC_FORMAT',
      { field: 'signature', found: '8a10', format: 'image', offset: 0, cutShort: true },
      "'System.dmg' isn't a disk image Reprise can read.\nIt begins with 8a10, and the trailer is missing that a .dmg file ends with: perhaps its download wasn't completed.\nReadable are UDIF images (.dmg), sparse images and bundles, raw images, and raw images compressed with gzip, bzip2, xz or zstd.",
    ],
    [
      'E_SRC_CORRUPT',
      {
        format: 'udif',
        field: 'checksum',
        offset: 0,
        expected: '8dd1f5c4',
        found: '00000000',
        table: 'whole disk (Apple_HFS : 2)',
        diskOffset: 0,
        diskBytes: 1_048_576,
      },
      "'System.dmg' is damaged in 'whole disk (Apple_HFS : 2)'.\nExpected checksum to be 8dd1f5c4, found 00000000.\nGet a fresh copy of the image and try again.",
    ],
    [
      'E_SRC_SEGMENT',
      { field: 'koly.segmentNumber', found: 3, expected: 1, segmentCount: 5, path: '/a/b.dmgpart' },
      "'System.dmg' is segment 3 of 5 of an image.\nName the first segment, the file that ends in .dmg.",
    ],
    [
      'E_SRC_SEGMENT',
      { field: 'koly.segmentCount', found: 'nothing', expected: 'segment 2 of 5', path: '/a/b.002.dmgpart' },
      "A segment of 'System.dmg' is missing.\n'/a/b.002.dmgpart' should be segment 2 of 5.\nPut all segments of the image into one folder, under the names they were made with.",
    ],
    [
      'E_DST_GONE',
      { path: '/dev/sdb', offset: 5_254_000_128, phase: 'restoring', percent: 43 },
      "'SanDisk Ultra' was disconnected at 43 %.\nConnect it again and restore again.",
    ],
    [
      'E_DST_GONE',
      { path: '/dev/sdb', phase: 'verifying', percent: 0 },
      "'SanDisk Ultra' was disconnected while verifying, at 0 %.\nConnect it again and restore again.",
    ],
    [
      'E_IO_WRITE',
      { path: '/dev/sdb', errno: 'EIO', offset: 5_254_000_128 },
      "'/dev/sdb' couldn't be written at byte 5,254,000,128 (5.25 GB).\nThe system reports EIO.\nUsually this is a bad cable, port, card or disk. Try another cable or port.",
    ],
    [
      'E_VERIFY',
      {
        path: '/dev/sdb',
        offset: 1_048_576,
        differingBlocks: 1,
        blockBytes: 1_048_576,
        expected: '00ff',
        found: '00fe',
      },
      "What was read back from 'SanDisk Ultra' isn't what was written: 1 block differs, the first at byte 1,048,576 (1.05 MB).\nExpected 00ff, found 00fe.\nDon't rely on this disk. Try another cable or port; if it happens again, replace the disk.",
    ],
    [
      'E_VERIFY',
      {
        path: '/dev/sdb',
        offset: 10_485_760,
        differingBlocks: 1,
        blockBytes: 1_048_576,
        expected: '00ff',
        found: '00fe',
        // One block of a small image.
        parts: `${'.'.repeat(45)}xxxxx`,
      },
      "What was read back from 'SanDisk Ultra' isn't what was written: 1 block differs, the first at byte 10,485,760 (10.5 MB).\nExpected 00ff, found 00fe.\nDon't rely on this disk. Try another cable or port; if it happens again, replace the disk.",
    ],
    [
      'E_SRC_CHANGED',
      { path: '/dev/sdc', when: 'reading', mountPoints: ['/media/a', '/media/b'] },
      "'System.dmg' was changed while it was read.\nIt was mounted meanwhile, at '/media/a' and '/media/b', and may have been written to.\nStart again when nobody writes to it.",
    ],
    [
      'E_VERIFY',
      {
        path: '/dev/sdb',
        offset: 10_485_760,
        differingBlocks: 30,
        blockBytes: 1_048_576,
        expected: '00ff',
        found: '0000',
        parts: `.. .................-${'x'.repeat(28)} `,
      },
      "What was read back from 'SanDisk Ultra' isn't what was written: 30 blocks differ, the first at byte 10,485,760 (10.5 MB).\nExpected 00ff, found 0000.\nNothing behind the first 10.5 MB is what was written, as on a disk that holds less than it says. Don't rely on it.",
    ],
    [
      'E_DEVICE_TOOL',
      { path: '/dev/sdb', tool: 'eject', package: 'eject' },
      'A program of the system that Reprise relies on is missing or failed: eject.\nA message for logs.\nInstall the package eject, and try again.',
    ],
    [
      'E_DEVICE_TOOL',
      { path: '/dev/sdb', tool: 'mkfs.ext4', stderr: 'mke2fs 1.47\nmkfs: no space' },
      'A program of the system that Reprise relies on is missing or failed: mkfs.ext4.\nThe system says: mkfs: no space.\nCheck that it is installed and works, and try again.',
    ],
    [
      'E_DEVICE_TOOL',
      {
        path: '/mnt',
        tool: 'mount',
        stderr:
          'mount: /mnt: wrong fs type, or other error.\n       dmesg(1) may have more information after failed mount system call.',
      },
      'A program of the system that Reprise relies on is missing or failed: mount.\nThe system says: mount: /mnt: wrong fs type, or other error.\nCheck that it is installed and works, and try again.',
    ],
    [
      'E_DST_BUSY',
      { path: '/dev/sdb', holders: [], tried: 'unmount', stderr: 'umount: /mnt: target is busy.' },
      "'SanDisk Ultra' is in use and couldn't be unmounted.\nThe system says: umount: /mnt: target is busy.\nClose what is using it and try again.",
    ],
    [
      'E_DST_FULL',
      { path: '/dev/sdb', offset: 4096, errno: 'ENOSPC' },
      "'SanDisk Ultra' has no room left at byte 4,096, though it should.\nWhat stores its data is full, as happens with thin and virtual disks and with disks in files; or it isn't as large as it says.\nMake room there and restore again, or choose another destination.",
    ],
    [
      'E_DST_FULL',
      { path: '/home/a/d.img', neededBytes: 2e9, availableBytes: 1e9 },
      "The disk that holds 'SanDisk Ultra' is full.\n2 GB are needed; 1 GB are free.\nFree some space, or choose another place.",
    ],
    [
      'E_DST_FULL',
      { path: '/mnt/stick/d.img', errno: 'EFBIG' },
      "'SanDisk Ultra' would be larger than a file can be there.\nThe file system it lies on has a limit: FAT32's is 4.29 GB, ext4's 17.6 TB.\nChoose a place with another file system, or a smaller size.",
    ],
    [
      'E_DST_FULL',
      { path: '/home/a/d.dmg', errno: 'EFBIG', neededBytes: 20e12 },
      "The disk that holds 'SanDisk Ultra' can't hold a file of 20 TB.\nThe volume is made in one first, and the file system there has a limit: FAT32's is 4.29 GB, ext4's 17.6 TB.\nChoose a place with another file system, or a smaller size.",
    ],
    [
      'E_DST_FULL',
      { path: 'standard output', errno: 'ENOSPC' },
      "Standard output can't take any more: the disk it goes to is full.\nFree some space there, or send the output elsewhere.",
    ],
    [
      'E_SRC_NOSCAN',
      { input: 'a.dmg', digest: 'SHA-1' },
      "'System.dmg' has no scan information with SHA-1.\nSuch a digest is only in images that older versions of asr scanned; today SHA-256 is stored.\nLeave the option out to verify by the image's own checksums, or add --noverify.",
    ],
    [
      'E_SRC_NOSCAN',
      { input: 'a.dmg', digest: 'SHA-256' },
      "'System.dmg' has no scan information with SHA-256.\nA SHA-256 digest is stored in the image when it is scanned for restore.\nLeave the option out to verify by the image's own checksums, or add --noverify.",
    ],
    [
      'E_SRC_MULTIVOL',
      { input: 'source', name: 'x', names: ['Lab', ''], partitions: [2, 3] },
      "'System.dmg' holds several volumes, and the destination is a single partition.\nThey are 'Lab' (partition 2) and partition 3.\nChoose one by its number, such as --source-partition 2, or choose a whole disk.",
    ],
    [
      'E_ENGINE_GONE',
      { exitCode: null, signal: 'SIGKILL', lastLines: ['a', 'out of memory'] },
      'The part of Reprise that does the work stopped unexpectedly.\nIt ended with signal SIGKILL; its last words: Out of memory.\nA destination that was being written is incomplete. Restore it again.',
    ],
    [
      'E_HOST_LOST',
      { exitCode: null, signal: null, lastLines: [] },
      "The connection to Reprise was lost.\nIt isn't known whether what was asked for happened.\nLook in Activity before you try again.",
    ],
    [
      'E_SRC_FORMAT',
      { field: 'size', found: 0, format: 'raw', offset: 0 },
      "'System.dmg' isn't a disk image Reprise can read.\nIt is empty.\nReadable are UDIF images (.dmg), sparse images and bundles, raw images, and raw images compressed with gzip, bzip2, xz or zstd.",
    ],
    [
      'E_USAGE',
      { input: '--buffers', problem: '--buffers takes a whole number.', hint: 'Such as 8.' },
      '--buffers takes a whole number.\nSuch as 8.',
    ],
  ])('tells %s with its numbers', (code, details, words) => {
    expect(text(describeError(error(code, details), names))).toBe(words)
  })

  it('shows only the beginning of what an image claims at length', () => {
    const told = describeError(
      error('E_SRC_CORRUPT', { field: 'name', found: 'x'.repeat(100_000), expected: 'y' }),
    )
    expect(told.why?.length).toBeLessThan(300)
  })

  it("uses the details' path where no names are given", () => {
    expect(describeError(error('E_DST_READONLY', { path: '/dev/sdb' })).what).toBe(
      "'/dev/sdb' is write-protected.",
    )
    expect(describeError(error('E_DST_READONLY')).what).toBe('The destination is write-protected.')
  })

  it('names five who hold a disk, and counts the rest', () => {
    const holders = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
    expect(describeError(error('E_DST_BUSY', { holders })).why).toBe(
      'It is used by a, b, c, d, e and 2 more.',
    )
  })
})
