import { describe, expect, it } from 'vitest'
import { EngineGoneError, serializeError, UsageError } from '#shared/errors'
import type { RestoreBlock } from '#src/renderer/store/index.ts'
import {
  confirmTitle,
  confirmYes,
  describeBlock,
  destinationFacts,
  phaseNote,
  sourceFacts,
  verifyNote,
  volumeOption,
  stoppedVerifyWords,
  whereNow,
} from '#src/renderer/features/restore/text.ts'
import {
  aJob,
  anImage,
  aRequest,
  ended,
  planFor,
  practiceDisk,
  sandisk,
  systemImage,
  unscannedImage,
} from '#test/ui-fixtures'

describe('the words of the wells', () => {
  const source = {
    locator: systemImage.path,
    name: 'ModularSystem.dmg',
    state: 'ready',
    error: null,
    info: { kind: 'image', locator: systemImage.path, name: 'ModularSystem.dmg', image: systemImage },
  } as const

  it('tell size and format of an image', () => {
    expect(sourceFacts(source)).toBe('14.2 GB · UDIF read-only compressed (LZFSE)')
  })

  it('tell what is in a partition of an image, which it is, and how much of it is used', () => {
    const [efi, main] = systemImage.partitions
    expect(volumeOption(main!, systemImage)).toEqual({
      key: '2',
      label: 'System',
      description: 'Partition 2 · HFS+ · 9.6 GB of 13.9 GB used',
    })
    expect(volumeOption(efi!, systemImage).description).toBe('Partition 1 · FAT · 209 MB')
    // An image that says something impossible, and one of which only parts were scanned.
    const wrong = { ...main!, sizeBytes: 9 * 1e9 }
    expect(volumeOption(wrong, systemImage).description).toBe('Partition 2 · HFS+ · 9 GB')
    const all = { ...main!, offset: 0 }
    const [scanned] = systemImage.scan!.partitions
    const scan = { ...systemImage.scan!, partitions: [scanned!, { ...scanned!, partNum: 0 }] }
    expect(volumeOption(all, { ...systemImage, scan }).description).toBe('Partition 2 · HFS+ · 13.9 GB')
    expect(volumeOption(main!, unscannedImage)).toEqual({
      key: '2',
      label: 'System',
      description: 'Partition 2 · HFS+ · 13.9 GB',
    })
    const volumes = [
      { name: 'Macintosh HD', uuid: '1', role: 'System' },
      { name: 'Data', uuid: '2', role: 'Data' },
      { name: 'Extra', uuid: '3', role: null },
    ]
    expect(volumeOption({ ...main!, label: null, volumes }, systemImage).label).toBe(
      'Macintosh HD (System), Data (Data), Extra',
    )
    const blank = { ...main!, label: null, name: null, filesystem: null }
    expect(volumeOption(blank, unscannedImage)).toMatchObject({
      label: 'Apple_HFS',
      description: 'Partition 2 · Apple_HFS · 13.9 GB',
    })
  })

  it('tell that a raw image will be compared with the checksum beside it', () => {
    const fileChecksum = { algorithm: 'SHA-256', value: 'ab12' }
    const image = anImage({ path: '/disk.img', format: 'raw', tables: [], fileChecksum })
    expect(sourceFacts({ ...source, info: { ...source.info, image } })).toBe(
      '14.2 GB · Raw disk image · SHA-256 beside it',
    )
  })

  it('tell the compressed size while the real one is not known', () => {
    const image = anImage({ path: '/a.gz', format: 'raw.gz', sizeBytes: null, storedBytes: 5e8 })
    expect(sourceFacts({ ...source, info: { ...source.info, image } })).toBe(
      '500 MB compressed · Raw disk image compressed with gzip',
    )
  })

  it('tell size, bus and node of a disk, and whose volume it is', () => {
    const disk = { kind: 'disk', locator: '/dev/sdb', name: 'x', state: 'ready', disk: sandisk } as const
    expect(destinationFacts({ ...disk, volume: null })).toBe('61.5 GB · USB · /dev/sdb')
    expect(
      destinationFacts({ ...disk, kind: 'volume', locator: '/dev/sdb2', volume: sandisk.volumes[1]! }),
    ).toBe('61.2 GB · exFAT · on SanDisk Ultra · /dev/sdb2')
  })

  it('tell that it was disconnected', () => {
    expect(
      destinationFacts({
        kind: 'disk',
        locator: 'x',
        name: 'x',
        state: 'gone',
        disk: practiceDisk,
        volume: null,
      }),
    ).toContain('Disconnected')
  })

  it('say for every block what is to be done', () => {
    const error = serializeError(new UsageError('E_SAME', 'x', { details: { input: 'x' } }))
    const lost = serializeError(
      new EngineGoneError('E_ENGINE_GONE', 'x', {
        details: { exitCode: null, signal: 'SIGKILL', lastLines: [] },
      }),
    )
    const blocks: readonly RestoreBlock[] = [
      { kind: 'offline' },
      { kind: 'engine-gone' },
      { kind: 'unsupported' },
      { kind: 'job-shown' },
      { kind: 'no-source' },
      { kind: 'source-reading' },
      { kind: 'source-gone' },
      { kind: 'source-failed', error },
      { kind: 'source-failed', error: lost },
      { kind: 'no-destination' },
      { kind: 'destination-gone' },
      { kind: 'no-volume' },
      { kind: 'no-erase' },
      { kind: 'checking' },
      { kind: 'refused', error },
    ]
    const said = blocks.map(describeBlock)
    expect(new Set(said).size).toBe(blocks.length)
  })
})

describe('the confirmation', () => {
  const noteOf = (verify: boolean) => verifyNote(planFor(aRequest({ verify }), [sandisk], [systemImage]))

  it('says that the copy will not be verified, where it will not', () => {
    expect(noteOf(false)).toBe('The copy will not be verified.')
    expect(noteOf(true)).toBeNull()
  })

  it('says of the image of a stream that it is saved', () => {
    const plan = { ...planFor(aRequest({ form: 'file' }), [sandisk], [systemImage]), losses: [] }
    const file = plan.target && { ...plan.target, kind: 'file' as const, disk: null }
    const saving = { ...plan, target: file }
    expect(confirmTitle(saving, 'Lab.dmg')).toBe(`Save '${systemImage.name}' as 'Lab.dmg'?`)
    expect(confirmYes(saving)).toBe('Save')
    const [loss] = planFor(aRequest(), [sandisk], [systemImage]).losses
    const replacing = { ...saving, losses: loss ? [loss] : [] }
    expect(confirmTitle(replacing, 'Lab.dmg')).toBe(`Replace 'Lab.dmg' with '${systemImage.name}'?`)
    expect(confirmYes(replacing)).toBe('Replace')
  })

  it('speaks of erasing only where there is something to erase', () => {
    const plan = planFor(aRequest(), [sandisk], [systemImage])
    const file = plan.target && { ...plan.target, kind: 'file' as const, disk: null, name: 'Lab.img' }
    const titleOf = (target: typeof file) => confirmTitle({ ...plan, losses: [], target }, 'Lab.img')
    expect(titleOf(file)).toBe(`Restore '${systemImage.name}' to the new file 'Lab.img'?`)
    expect(titleOf(file && { ...file, exists: true })).toBe(
      `Erase 'Lab.img' and restore '${systemImage.name}' to it?`,
    )
  })
})

describe('in the summary', () => {
  const plan = planFor(aRequest({ afterwards: 'eject' }), [sandisk], [systemImage])
  const left = { ejected: false, mountPoints: [] }

  it('stands whether the disk was ejected, where that was asked for', () => {
    expect(whereNow(left, plan).value).toBe("It couldn't be ejected. Don't unplug it yet.")
    expect(whereNow({ ...left, ejected: true }, plan).value).toBe('Ejected. It can be unplugged.')
    const builtIn = planFor(
      aRequest({ afterwards: 'eject' }),
      [{ ...sandisk, internal: true }],
      [systemImage],
    )
    expect(whereNow({ ...left, ejected: true }, builtIn).value).toBe('Unmounted. It stays connected.')
    const remounted = { ...plan, request: aRequest() }
    expect(whereNow({ ...left, mountPoints: ['/a', '/b'] }, remounted).value).toBe('/a, /b')
  })

  it('stands that nothing is mounted, and why, where this computer cannot read it', () => {
    const remounted = { ...plan, request: aRequest() }
    const valueOf = (unreadable: readonly string[]) => whereNow({ ...left, unreadable }, remounted).value
    expect(valueOf([])).toBe('Not mounted')
    expect(valueOf(['apfs', 'hfsplus'])).toBe("Not mounted: this computer can't read APFS and HFS+")
    expect(whereNow({ ...left, mountPoints: ['/a'], unreadable: ['apfs'] }, remounted).value).toBe('/a')
  })

  it('stands where the file is, which nobody can eject or mount', () => {
    const { target } = plan
    const path = '/home/ann/Lab.img'
    const toFile = { ...plan, target: target && { ...target, kind: 'file' as const, disk: null, path } }
    expect(whereNow(left, toFile)).toEqual({ name: 'File', value: path })
  })
})

describe('beside a phase', () => {
  const plan = planFor(aRequest(), [sandisk], [systemImage])
  const running = aJob(plan, { phase: 'restoring', percent: 72 })
  const notes = (job: typeof running) =>
    Object.fromEntries(job.phases.map((phase) => [phase.phase, phaseNote(phase, job)]))

  it('stands where it is while it runs, and what those before it took', () => {
    expect(notes(running)).toMatchObject({ unmounting: '0:02', erasing: 'skipped', restoring: '72 %' })
  })

  it('stands that it was stopped, not that it was skipped', () => {
    const stopped = (percent: number | null) =>
      ended(running, { kind: 'cancelled', target: 'empty', percent, phase: 'restoring' })
    expect(notes(stopped(72))).toMatchObject({ restoring: 'stopped at 72 %', verifying: 'skipped' })
    expect(notes(stopped(null))).toMatchObject({ restoring: 'stopped' })
  })
})

describe('a verify that was stopped', () => {
  it('says that the copy was complete, and that it was erased all the same', () => {
    expect(stoppedVerifyWords('empty')).toContain("It wasn't kept.")
    expect(stoppedVerifyWords('wiped')).toContain("It wasn't kept.")
    expect(stoppedVerifyWords('incomplete')).toContain('nobody knows that it is right')
  })
})
