import { describe, expect, it } from 'vitest'
import type { JobOutcome, JobProgress, Loss, PhaseState, PreflightCheck } from '#shared/model'
import { jobPhases } from '#shared/model'
import {
  describeBottleneck,
  describeBus,
  describeChanged,
  describeCheck,
  describeConfirmationReason,
  describeFilesystem,
  describeFormat,
  describeLeft,
  describeLoss,
  describeOutcome,
  describePartitionMap,
  describePhase,
  describeProtection,
  describeStall,
  describeTargetState,
  describeUnreadable,
} from '#shared/words'
import { practiceDisk, sandisk } from '#test/ui-fixtures'

describe('describeCheck', () => {
  const sizes = { step: 'sizes', state: 'ok' } as const
  it.each<[PreflightCheck, string]>([
    [
      { step: 'target', state: 'ok', kind: 'target-ok', name: 'SanDisk', sizeBytes: 64e9 },
      'Destination: SanDisk, 64 GB',
    ],
    [
      { step: 'target', state: 'ok', kind: 'target-ok', name: 'd.img', sizeBytes: null },
      'Destination: d.img',
    ],
    [
      { step: 'source', state: 'ok', kind: 'source-ok', name: 'a.dmg', format: 'UDBZ', checksums: 'inside' },
      'Source: a.dmg, UDIF read-only compressed (bzip2), with checksums',
    ],
    [
      { step: 'source', state: 'ok', kind: 'source-ok', name: 'a.dmg', format: 'UDBZ', checksums: 'partly' },
      'Source: a.dmg, UDIF read-only compressed (bzip2), with checksums of a part of it',
    ],
    [
      { step: 'source', state: 'ok', kind: 'source-ok', name: 'a.img', format: 'raw', checksums: 'beside' },
      "Source: a.img, Raw disk image, compared with the SHA-256 in 'a.img.sha256'",
    ],
    [
      { step: 'source', state: 'ok', kind: 'source-ok', name: 'sdb', format: 'device', checksums: 'none' },
      'Source: sdb, device',
    ],
    [{ ...sizes, kind: 'fits', neededBytes: 14.2e9, availableBytes: 64e9 }, 'Fits: 14.2 GB of 64 GB'],
    [{ ...sizes, kind: 'fits', neededBytes: 64e9, availableBytes: 64e9 }, 'Fits exactly: 64 GB'],
    [
      { ...sizes, kind: 'fits', neededBytes: 64_000_000_000, availableBytes: 64_000_000_512 },
      'Fits: 64,000,000,000 bytes of 64,000,000,512 bytes',
    ],
    [{ ...sizes, kind: 'fits', neededBytes: 64e9, availableBytes: null }, 'Needs 64 GB'],
    [
      { ...sizes, kind: 'size-unknown', availableBytes: 64e9 },
      "The size of the image isn't known before it has been read; the destination holds 64 GB.",
    ],
    [
      { ...sizes, kind: 'size-unknown', availableBytes: null },
      "The size of the image isn't known before it has been read.",
    ],
    [{ ...sizes, kind: 'left-over', unusedBytes: 49.8e9 }, '49.8 GB at the end will be left unused'],
    [{ ...sizes, kind: 'losses', names: ['UNTITLED', 'EFI'] }, '2 volumes will be lost: UNTITLED and EFI'],
    [{ ...sizes, kind: 'losses', names: ['UNTITLED'] }, 'Will be lost: UNTITLED'],
    [{ ...sizes, kind: 'losses', names: [] }, 'Will be lost: the partition map of the disk'],
    [{ ...sizes, kind: 'unmounts', mountPoints: ['/a', '/b', '/c'] }, 'Will be unmounted: /a, /b and /c'],
    [
      { ...sizes, kind: 'not-checksummed' },
      'The image holds no checksums: the copy is compared with what was read, and damage in the image itself would not be noticed.',
    ],
    [
      { ...sizes, kind: 'partly-checksummed' },
      'The image holds checksums of only a part of it: damage in the rest would not be noticed.',
    ],
    [
      { ...sizes, kind: 'checksum-left-out', file: 'a.dmg.sha256' },
      "The SHA-256 in 'a.dmg.sha256' isn't compared here: only verifying the image does that (Images ▸ Verify…).",
    ],
    [
      { ...sizes, kind: 'changed-only', by: 'hashes' },
      'Only changed blocks will be written, as the hashes in the image tell them',
    ],
    [
      { ...sizes, kind: 'changed-only', by: 'source' },
      'Only changed blocks will be written. The image holds no block hashes, so all of it has to be read to find them. Of an image that was scanned for restore, only what differs is read.',
    ],
    [
      { ...sizes, kind: 'changed-only', by: 'volume' },
      'Only changed blocks will be written. All of the volume has to be read to find them: hashes are of the blocks of a whole disk.',
    ],
    [
      { ...sizes, kind: 'only-volume', names: ['Lab'], partition: 2 },
      "Only the volume 'Lab' of the image (partition 2) is restored",
    ],
    [
      { ...sizes, kind: 'only-volume', names: ['System', 'Data'], partition: 2 },
      "Only partition 2 of the image, with the volumes 'System' and 'Data', is restored",
    ],
    [{ ...sizes, kind: 'only-volume', names: [], partition: 1 }, 'Only partition 1 of the image is restored'],
    [
      { ...sizes, kind: 'changed-only', by: 'nothing' },
      'There is nothing to compare with yet: everything will be written.',
    ],
    [
      { ...sizes, kind: 'block-size', sourceBytes: 512, diskBytes: 4096, holds: 'partitions' },
      'The source is made for blocks of 512 bytes; the destination has blocks of 4096 bytes. Its partitions may not be recognised.',
    ],
    [
      { ...sizes, kind: 'block-size', sourceBytes: 512, diskBytes: 4096, holds: 'volume' },
      'The source is made for blocks of 512 bytes; the destination has blocks of 4096 bytes. Its file system may not open there.',
    ],
    [
      {
        step: 'target',
        state: 'failed',
        kind: 'error',
        error: {
          family: 'usage',
          code: 'E_DST_KIND',
          message: '',
          details: { what: 'a folder', path: '/tmp' },
          transient: false,
          cause: null,
        },
      },
      "'/tmp' can't be restored onto. It is a folder.",
    ],
  ])('%j', (check, words) => {
    expect(describeCheck(check)).toBe(words)
  })
})

describe('phases', () => {
  it("are asr's", () => {
    expect(jobPhases.map(describePhase)).toEqual([
      'Validating target',
      'Validating source',
      'Validating sizes',
      'Unmounting',
      'Erasing',
      'Building the file system',
      'Creating the image',
      'Restoring',
      'Verifying',
      'Remounting',
      'Converting',
      'Scanning',
      'Putting in order',
      'Resizing',
      'Compacting',
    ])
  })
})

it.each([
  ['add-checksum-image', "The image has its new checksums; only the file beside it wasn't written."],
  ['compact-image', 'What was compacted until then stays so. The disk inside is as it was.'],
  ['resize-image', 'The image was changed in part, and is whole. Start again to complete it.'],
] as const)('what %s left of an image that it changed', (kind, words) => {
  const stopped = { kind: 'cancelled', percent: null } as const
  expect(describeChanged(kind, { ...stopped, target: 'changed' })).toBe(words)
  expect(describeChanged(kind, { ...stopped, target: 'untouched' })).toBeNull()
})

describe('what is left of a target', () => {
  it.each([
    ['untouched', null, 'Nothing was written: the destination is as it was.'],
    ['untouched', '/dev/sdb', "Nothing was written: '/dev/sdb' is as it was."],
    ['changed', null, 'The destination was changed, and is whole.'],
    ['empty', null, 'The destination was erased: it is empty, valid and unmounted.'],
    ['wiped', '/dev/sdb', "'/dev/sdb' was erased: nothing is on it, not even a file system."],
    ['incomplete', '/dev/sdb', "'/dev/sdb' is incomplete and can't be used: restore it again."],
  ] as const)('%s of %s', (state, target, words) => {
    expect(describeTargetState(state, target && { kind: 'disk', name: target, disk: sandisk })).toBe(words)
  })

  it('says of a file that what was in it is gone, if anything was', () => {
    const file = { kind: 'file', name: '/d.img', disk: null } as const
    expect(describeTargetState('empty', { ...file, exists: true })).toBe(
      "'/d.img' was emptied: what was in it is gone, and nothing incomplete was left there.",
    )
    expect(describeTargetState('empty', file)).toBe("Nothing incomplete was left at '/d.img'.")
    // The Practice disk is a file, and stays one.
    expect(describeTargetState('empty', { kind: 'file', name: 'Practice disk', disk: practiceDisk })).toBe(
      "'Practice disk' was erased: it is empty, valid and unmounted.",
    )
  })
})

describe('outcomes', () => {
  const verification = { checked: [], nothingToCheck: false, expandedBytes: 0, durationMs: 0 }
  const resizing = {
    path: '/a.sparseimage',
    beforeBytes: 10_000_000_000,
    afterBytes: 10_000_000_000,
    storedBeforeBytes: 4_000_000_000,
    storedBytes: 4_000_000_000,
  }
  it.each<[JobOutcome, string]>([
    [{ kind: 'cancelled', target: 'empty', percent: 43 }, 'Stopped at 43 %.'],
    [{ kind: 'cancelled', target: 'empty', percent: 43, phase: 'restoring' }, 'Stopped at 43 %.'],
    [
      { kind: 'cancelled', target: 'empty', percent: 0, phase: 'verifying' },
      'Stopped while verifying, at 0 %.',
    ],
    [{ kind: 'cancelled', target: 'empty', percent: null }, 'Stopped.'],
    [{ kind: 'checked', verification }, 'The image is intact.'],
    [{ kind: 'resized', resize: resizing }, 'Nothing had to be changed.'],
    [
      { kind: 'resized', resize: { ...resizing, afterBytes: 21_474_836_480 } },
      'The image was resized from 10 GB to 21.5 GB.',
    ],
    [
      { kind: 'resized', resize: { ...resizing, storedBytes: 1_500_000_000 } },
      'The image is 2.5 GB smaller.',
    ],
    [
      { kind: 'checked', verification: { ...verification, nothingToCheck: true } },
      'The image can be read to its end. It holds no checksums to compare.',
    ],
  ])('%j', (outcome, words) => {
    expect(describeOutcome(outcome)).toBe(words)
  })
})

describe('losses', () => {
  const volume: Loss = {
    kind: 'volume',
    name: 'UNTITLED',
    path: '/dev/sdb1',
    filesystem: 'hfsplus',
    sizeBytes: 64e9,
    usedBytes: null,
    mountPoints: [],
  }
  it.each<[Loss, string]>([
    [volume, "Volume 'UNTITLED' on /dev/sdb1 (HFS+, 64 GB)"],
    [
      { ...volume, usedBytes: 12e6, mountPoints: ['/a', '/b'] },
      "Volume 'UNTITLED' on /dev/sdb1 (HFS+, 12 MB used of 64 GB, mounted at /a and /b)",
    ],
    [{ ...volume, kind: 'partition-map', path: '/dev/sdb' }, 'The partition map of /dev/sdb'],
    [{ ...volume, kind: 'file', path: '/d.img' }, 'The file /d.img (64 GB)'],
    [{ ...volume, kind: 'contents', path: '/dev/sdb' }, 'Everything on /dev/sdb (64 GB)'],
  ])('%j', (loss, words) => {
    expect(describeLoss(loss)).toBe(words)
  })
})

describe('small words', () => {
  it('tell why a good copy is not shown', () => {
    expect(describeUnreadable()).toBeNull()
    expect(describeUnreadable(['apfs'])).toBe(
      "This computer can't read APFS, so the volume isn't shown. That is normal: the copy is complete.",
    )
    expect(describeUnreadable(['apfs', 'hfsplus'])).toBe(
      "This computer can't read APFS and HFS+, so the volumes aren't shown. That is normal: the copy is complete.",
    )
  })

  it('name formats, buses, maps and file systems as people know them', () => {
    expect(describeFormat('ULFO')).toBe('UDIF read-only compressed (LZFSE)')
    expect(describeFormat('raw.zst')).toBe('Raw disk image compressed with Zstandard')
    expect(describeFormat('toString')).toBe('toString')
    expect(describeBus('nvme')).toBe('NVMe')
    expect(describePartitionMap('apm')).toBe('Apple partition map')
    expect(describeFilesystem('hfsplus')).toBe('HFS+')
    expect(describeFilesystem('HFSX')).toBe('HFSX')
    expect(describeFilesystem('ext4')).toBe('ext4')
    expect(describeFilesystem('constructor')).toBe('constructor')
    expect(describeBottleneck('destination')).toBe('Limited by destination speed')
    expect(describeConfirmationReason('large')).toBe('It is a large disk.')
  })

  it('say why a disk is protected', () => {
    expect(describeProtection({ kind: 'system', mountPoint: '/boot' })).toBe('runs this computer (/boot)')
    expect(describeProtection({ kind: 'program', path: '/media/TOOLS' })).toBe('Reprise runs from it')
    expect(describeProtection({ kind: 'read-only' })).toBe('write-protected')
    expect(describeProtection({ kind: 'in-use', by: 'md0' })).toBe('in use by md0')
  })
})

describe('describeStall', () => {
  const names = { source: 'System.dmg', target: 'SanDisk Ultra' }

  it('says who does not answer, for how long, and what helps', () => {
    expect(describeStall({ silentMs: 60_000, awaited: 'destination' }, names)).toBe(
      "'SanDisk Ultra' hasn't answered for 60 seconds. Check the cable and the port. This goes on when it answers.",
    )
    expect(describeStall({ silentMs: 119_900, awaited: 'source' }, names)).toBe(
      "Nothing has come from 'System.dmg' for 119 seconds. Check the disk or the network that it comes from. This goes on when it answers.",
    )
  })

  it('counts minutes where seconds are too many, and does without a name', () => {
    expect(describeStall({ silentMs: 179_000, awaited: 'destination' }, {})).toMatch(
      /^The destination hasn't answered for 2 minutes\./,
    )
  })
})

describe('describeLeft', () => {
  const progress: JobProgress = {
    phase: 'restoring',
    doneBytes: 1,
    totalBytes: 2,
    percent: 50,
    bytesPerSecond: 1,
    remainingMs: 360_000,
    limitedBy: null,
    stall: null,
    stream: null,
  }
  const verifying = (state: PhaseState['state']): PhaseState => ({
    phase: 'verifying',
    state,
    durationMs: null,
  })

  it('says that the verify is still to come, whose time is not in it', () => {
    expect(describeLeft({ phases: [verifying('pending')], progress })).toBe(
      'about 6 minutes left, then verifying',
    )
    expect(describeLeft({ phases: [verifying('current')], progress })).toBe('about 6 minutes left')
    expect(describeLeft({ phases: [verifying('skipped')], progress })).toBe('about 6 minutes left')
    expect(describeLeft({ phases: [], progress: null })).toBeNull()
  })
})
