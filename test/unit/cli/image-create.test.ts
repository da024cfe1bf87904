import { describe, expect, it } from 'vitest'
import { DeviceError, serializeError } from '#shared/errors'
import type { ImageCreation, JobOutcome, JobPhase, JobState } from '#shared/model'
import { play, state } from './fakes.ts'

const at = (phase: JobPhase, percent: number | null, outcome: JobState['outcome'] = null): JobState => ({
  ...state({ phase, percent, outcome }),
  kind: 'create-image',
})
const creation: ImageCreation = {
  target: '/home/anna/new.dmg',
  format: 'UDZO',
  sizeBytes: 64_000_000_000,
  storedBytes: 4_900_000_000,
  usedBytes: 14_200_000_000,
  durationMs: 20_000,
  bytesPerSecond: 3_200_000_000,
  warnings: [],
  way: {
    kind: 'device',
    partitionMap: 'gpt',
    parts: [
      {
        index: 1,
        offset: 1_048_576,
        sizeBytes: 60_000_000_000,
        filesystem: 'ext4',
        label: 'Lessons',
        usedBytes: 10_000_000_000,
        whole: null,
      },
      {
        index: 2,
        offset: 61e9,
        sizeBytes: 2e9,
        filesystem: null,
        label: null,
        usedBytes: 2e9,
        whole: 'unknown',
      },
      {
        index: 3,
        offset: 63e9,
        sizeBytes: 1e9,
        filesystem: 'xfs',
        label: null,
        usedBytes: 1e9,
        whole: 'unclean',
      },
      {
        index: 4,
        offset: 64e9,
        sizeBytes: 50e9,
        filesystem: 'ntfs',
        label: null,
        usedBytes: 20e9,
        whole: null,
        hasShadowCopies: true,
      },
    ],
  },
}
const created = (change: Partial<ImageCreation> = {}): JobOutcome => ({
  kind: 'created',
  creation: { ...creation, ...change },
})
const command = ['image', 'create', '--target', 'new.dmg', '--format', 'udzo']

describe('reprise image create', () => {
  it('draws its progress, and tells what was read and what came of it', async () => {
    const { out, err, status, tasks } = await play([...command, '--source', '/dev/sdb'], {
      task: [at('creating', 0), at('creating', 31), at('creating', 99, created())],
    })
    expect(out).toContain('\tCreating the image  ....10....20....30')
    expect(out).toContain(
      [
        '\tPartition 1 (ext4, Lessons): only used blocks were read, 10 GB of 60 GB\n',
        '\tPartition 2 (no known file system): all 2 GB were read, because which of its blocks are in use is not known\n',
        "\tPartition 3 (XFS): all 1 GB were read, because it wasn't unmounted cleanly\n",
        '\tPartition 4 (NTFS): only used blocks were read, 20 GB of 50 GB; its restore points (shadow copies) may not be whole\n',
        '\tTarget: UDIF read-only compressed (zlib), a disk of 64 GB, 14.2 GB of it in use, in 4.9 GB (7.7 %)\n',
        '\tCreated in 20.00 seconds, 3.2 GB/s\n',
        '\tWritten to /home/anna/new.dmg\n',
        'The image was created.\n',
      ].join(''),
    )
    expect([err, status]).toEqual(['', 0])
    expect(tasks).toEqual([
      {
        kind: 'create',
        target: '/home/anna/new.dmg',
        format: 'UDZO',
        level: null,
        erase: false,
        encryption: null,
        volumeName: null,
        from: { kind: 'device', path: '/dev/sdb' },
      },
    ])
  })

  it.each([
    [
      ['--size', '10g'],
      { from: { kind: 'blank', sizeBytes: 10 * 1024 ** 3, partitionMap: 'none', filesystem: null } },
    ],
    [
      [
        '--size',
        '10g',
        '--map',
        'GPT',
        '--filesystem',
        'exfat',
        '--volume-name',
        'PICTURES',
        '--level',
        '9',
        '--erase',
      ],
      {
        from: { kind: 'blank', sizeBytes: 10 * 1024 ** 3, partitionMap: 'gpt', filesystem: 'exfat' },
        volumeName: 'PICTURES',
        level: 9,
        erase: true,
      },
    ],
    [['--folder', 'Lessons'], { from: { kind: 'folder', path: '/home/anna/Lessons' } }],
  ])('passes on %j', async (argv, task) => {
    const { tasks, status } = await play([...command, ...argv], { task: [at('creating', 99, created())] })
    expect(tasks).toMatchObject([task])
    expect(status).toBe(0)
  })

  it('takes the password from standard input, and says it nowhere', async () => {
    const { tasks, out, err } = await play(
      [...command, '--size', '1g', '--encryption', 'AES-256', '--stdinpass', '--debug'],
      { stdin: 'secret', task: [at('creating', 99, created())] },
    )
    expect(tasks).toMatchObject([{ encryption: { password: 'secret' } }])
    expect(out + err).not.toContain('secret')
  })

  it('warns of a volume that could not be mounted again', async () => {
    const warning = serializeError(
      new DeviceError('E_NOT_FOUND', 'x', { details: { path: '/media/anna/Lessons' } }),
    )
    const { err, status } = await play([...command, '--source', '/dev/sdb1'], {
      task: [at('creating', 99, created({ warnings: [warning] }))],
    })
    expect(err).toMatch(/^Warning: .*Lessons/)
    expect(status).toBe(0)
  })

  it('says that a device needs administrator rights, and that nothing was written', async () => {
    const error = serializeError(new DeviceError('E_DENIED', 'x', { details: { path: '/dev/sdb' } }))
    const { err, status } = await play([...command, '--source', '/dev/sdb', '--exit-codes'], {
      task: [
        at('validating-source', null),
        at('validating-source', null, { kind: 'failed', error, target: 'untouched' }),
      ],
    })
    expect(err).toContain("refuses access to '/dev/sdb'")
    expect(err).toContain('sudo')
    expect(err).toContain("Nothing was written: '/home/anna/new.dmg' is as it was.")
    expect(status).toBe(12)
  })

  it('can be stopped', async () => {
    const { status, err, cancels } = await play([...command, '--size', '1g'], {
      interruptAfter: 'Creating',
      task: [at('creating', 5), at('creating', 5, { kind: 'cancelled', target: 'untouched', percent: 5 })],
    })
    expect([cancels, status]).toEqual([1, 130])
    expect(err).toBe("Stopped at 5 %.\nNothing was written: '/home/anna/new.dmg' is as it was.\n")
  })

  it('hears a Ctrl-C that comes before the engines are there', async () => {
    const { status, cancels } = await play([...command, '--size', '1g', '--debug'], {
      logs: [{ level: 'info', message: 'engines are starting', fields: {} }],
      interruptAfter: 'engines are starting',
      task: [at('creating', null, { kind: 'cancelled', target: 'untouched', percent: null })],
    })
    expect([cancels, status]).toEqual([1, 130])
  })

  it.each([
    [['image', 'create'], '--target is missing.'],
    [[...command, '--size', '1g', '--stdinpass'], '--stdinpass is for encrypted images.'],
    [['image', 'create', '-t', 'a'], '--format is missing.'],
    [command, "What the image is made of isn't said."],
    [[...command, '--size', '1g', '--folder', 'a'], 'The image can only be made of one thing.'],
    [[...command, '--folder', 'a', '--map', 'gpt'], '--map is for blank images.'],
    [[...command, '--source', '/dev/sdb', '--filesystem', 'xfs'], '--filesystem is for blank images.'],
    [
      [...command, '--source', '/dev/sdb', '--volume-name', 'A'],
      'Only a file system that is made gets a name.',
    ],
    [
      [...command, '--source', 'asr://10.0.0.1'],
      "--source names a disk of this computer, and can't be an address.",
    ],
    [
      [...command, '--folder', 'https://a/b'],
      "--folder names a folder of this computer, and can't be an address.",
    ],
    [[...command, '--size', '1g', '--filesystem', 'zfs'], '--filesystem takes ext4 or ext3'],
    [
      ['image', 'create', '-t', 'a', '--format', 'raw', '--size', '1g', '--level', '3'],
      'raw has no compression levels.',
    ],
  ])('%j: %s', async (argv, words) => {
    const { err, status, tasks } = await play(argv)
    expect(err).toContain(words)
    expect(status).toBe(1)
    expect(tasks).toEqual([])
  })
})
