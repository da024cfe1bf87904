import { describe, expect, it } from 'vitest'
import { DeviceError, FormatError, serializeError } from '#shared/errors'
import type { JobOutcome, JobState } from '#shared/model'
import { image, play, state } from './fakes.ts'

const at = (percent: number | null, outcome: JobState['outcome'] = null, doneBytes = 0): JobState => ({
  ...state({ phase: 'converting', percent, outcome, doneBytes }),
  kind: 'convert-image',
})
const converted = {
  kind: 'converted',
  conversion: {
    target: '/home/anna/b.dmg',
    format: 'ULFO',
    sizeBytes: 14_200_000_000,
    storedBytes: 4_900_000_000,
    sourceStoredBytes: 5_100_000_000,
    durationMs: 20_000,
    bytesPerSecond: 710_000_000,
  },
} as const satisfies JobOutcome
const command = ['image', 'convert', '--source', 'a.dmg', '--target', 'b.dmg', '--format', 'ulfo']

describe('reprise image convert', () => {
  it('tells the figures of the source, draws its progress, and tells those of the target', async () => {
    const { out, err, status, tasks } = await play(command, {
      task: [at(0), at(31), at(99, converted)],
    })
    expect(out).toBe(
      [
        '\tSource: UDIF read-only compressed (zlib), a disk of 14.2 GB in 5.1 GB (36 %)\n',
        '\tTakes about 6 minutes\n',
        '\tConverting  ....10....20....30....40....50....60....70....80....90....100\n',
        '\tTarget: UDIF read-only compressed (LZFSE), a disk of 14.2 GB in 4.9 GB (35 %)\n',
        "\t96 % of the source's size\n",
        '\t14.2 GB converted in 20.00 seconds, 710 MB/s\n',
        '\tWritten to /home/anna/b.dmg\n',
        'The image was converted.\n',
      ].join(''),
    )
    expect(err).toBe('')
    expect(status).toBe(0)
    expect(tasks).toEqual([
      {
        kind: 'convert',
        source: '/home/anna/a.dmg',
        target: '/home/anna/b.dmg',
        format: 'ULFO',
        level: null,
        segmentBytes: null,
        encryption: null,
        erase: false,
      },
    ])
  })

  it.each([['--segmentsize'], ['-segmentSize']])('passes on the size of segments: %s', async (option) => {
    const { tasks } = await play([...command, option, '4g'], { task: [at(99, converted)] })
    expect(tasks).toMatchObject([{ segmentBytes: 4 * 1024 ** 3 }])
  })

  it('takes only one size of segments, whichever word is used for it', async () => {
    const { err, status, tasks } = await play([...command, '--segmentsize', '4g', '--segmentSize', '1g'])
    expect(err).toContain('--segmentsize is given twice.')
    expect({ status, tasks }).toEqual({ status: 1, tasks: [] })
  })

  it('says that a size is not known, and draws dots', async () => {
    const { out } = await play(command, {
      image: image({ sizeBytes: null, format: 'raw.gz' }),
      task: [at(null, null, 200 * 1024 * 1024), at(null, converted)],
    })
    expect(out).toContain(
      "Source: Raw disk image compressed with gzip, 5.1 GB, and how much is in it isn't known before all has been read\n",
    )
    expect(out).toContain('\tConverting  ...done\n')
    expect(out).not.toContain('Takes')
  })

  it('tells a target that is much larger as so many times the source', async () => {
    const conversion = { ...converted.conversion, storedBytes: 14_200_000_000, sourceStoredBytes: 7000 }
    const { out } = await play(command, { task: [at(99, { kind: 'converted', conversion })] })
    expect(out).toContain("\t2,028,571 times the source's size\n")
  })

  it('passes level and erase on', async () => {
    const { tasks } = await play([...command.slice(0, -1), 'UDZO', '--level', '9', '--erase'], {
      task: [at(99, converted)],
    })
    expect(tasks[0]).toMatchObject({ format: 'UDZO', level: 9, erase: true })
  })

  it('says why it failed, and that the target is as it was', async () => {
    const error = serializeError(
      new DeviceError('E_DST_FULL', 'x', { details: { path: '/home/anna/b.dmg', errno: 'ENOSPC' } }),
    )
    const { out, err, status } = await play([...command, '--exit-codes'], {
      task: [at(31), at(31, { kind: 'failed', error, target: 'untouched' })],
    })
    expect(out).toContain('\tConverting  ....10....20....30\n')
    expect(err).toBe(
      [
        "The disk that holds '/home/anna/b.dmg' is full. (E_DST_FULL)\n",
        "Nothing was written: '/home/anna/b.dmg' is as it was.\n",
        'Free some space, or choose another place.\n',
      ].join(''),
    )
    expect(status).toBe(11)
  })

  it('starts nothing when the source is no image', async () => {
    const error = new FormatError('E_SRC_FORMAT', 'x', {
      details: { format: 'pdf', field: 'signature', offset: 0 },
    })
    const { err, status, tasks } = await play(command, { image: error })
    expect(err).toContain("'a.dmg'")
    expect(err).toContain('E_SRC_FORMAT')
    expect(status).toBe(1)
    expect(tasks).toEqual([])
  })

  it('can be stopped', async () => {
    const { status, err, cancels } = await play(command, {
      interruptAfter: 'Converting',
      task: [at(5), at(5, { kind: 'cancelled', target: 'untouched', percent: 5 })],
    })
    expect(cancels).toBe(1)
    expect(status).toBe(130)
    expect(err).toBe("Stopped at 5 %.\nNothing was written: '/home/anna/b.dmg' is as it was.\n")
  })

  it('prints objects with --json', async () => {
    const { out } = await play([...command, '--json'], { task: [at(31), at(99, converted)] })
    const objects = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; words?: string; conversion?: object })
    expect(objects.map(({ type }) => type)).toEqual(['image', 'state', 'outcome'])
    expect(objects.at(-1)).toMatchObject({ ...converted, words: 'The image was converted.' })
  })

  it.each([
    [['image', 'convert'], '--source is missing.'],
    [['image', 'convert', '-s', 'a'], '--target is missing.'],
    [['image', 'convert', '-s', 'a', '-t', 'b'], '--format is missing. (E_USAGE)\nIt is one of UDRO, UDZO'],
    [['image', 'convert', '-s', 'a', '-t', 'b', '--format', 'zip'], '--format takes UDRO or UDZO'],
    [
      ['image', 'convert', '-s', 'a', '-t', 'https://x/b', '--format', 'raw'],
      'A target lies on this computer',
    ],
    [
      ['image', 'create', '-t', 'smb://x/b', '--format', 'raw', '--size', '1m'],
      'A target lies on this computer',
    ],
    [[...command, '--level', '3'], 'ULFO has no compression levels.'],
    [[...command, '--level', '0'], '--level takes a whole number from 1 to 9'],
  ])('%j: %s', async (argv, words) => {
    const { err, status, tasks } = await play(argv)
    expect(err).toContain(words)
    expect(status).toBe(1)
    expect(tasks).toEqual([])
  })
})
