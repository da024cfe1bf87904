import { describe, expect, it } from 'vitest'
import { DeviceError, FormatError, serializeError } from '#shared/errors'
import type { JobState } from '#shared/model'
import { image, noStreams, play, state } from './fakes.ts'

describe('reprise image info', () => {
  it('shows format, sizes, partitions, checksums and the lack of a scan', async () => {
    const { out, status } = await play(['image', 'info', 'a.dmg'])
    expect(out).toBe(
      [
        'Image:          a.dmg\n',
        'Path:           /home/anna/a.dmg\n',
        'Format:         UDIF read-only compressed (zlib), UDZO\n',
        'Disk size:      14.2 GB (14,200,000,000 bytes)\n',
        'Stored:         5.1 GB (5,100,000,000 bytes), 36 % of the disk\n',
        'Data:           12 GB (12,000,000,000 bytes) that are neither zero nor unused\n',
        'Modified:       2026-05-12T00:00:00.000Z\n',
        'Partition map:  GUID partition map\n',
        'Runs:           12 zero, 54,156 zlib\n',
        'In order:       yes\n',
        '\n',
        'Partitions\n',
        '#  OFFSET     SIZE  TYPE       FORMAT  LABEL   NAME\n',
        '1  20,480  14.2 GB  Apple HFS  HFS+    System  disk image\n',
        '\n',
        'Block tables\n',
        'FIRST SECTOR     SECTORS    RUNS  CHECKSUM         NAME\n',
        '          40  27,734,179  54,168  CRC-32 1a2b3c4d  disk image (Apple_HFS : 1)\n',
        '\n',
        'Data fork:      CRC-32 00c0ffee\n',
        'Master:         CRC-32 deadbeef\n',
        '\n',
        'Scan:           none, this image has not been scanned for restore\n',
      ].join(''),
    )
    expect(status).toBe(0)
  })

  it('shows what a scan stored', async () => {
    const { out } = await play(['image', 'info', 'a.dmg'], {
      image: image({
        inOrder: false,
        segmentCount: 3,
        scan: {
          partitions: [
            {
              partNum: 2,
              sha1: 'aa',
              sha256: null,
              blockChecksum2: '-5',
              dateMs: Date.UTC(2026, 4, 12, 10),
              usedBytes: 9_000_000_000,
              volumes: [],
            },
          ],
          blocks: null,
          dateMs: null,
          scannedBy: null,
        },
      }),
    })
    expect(out).toContain('Segments:       3\n')
    expect(out).toContain('In order:       no\n')
    expect(out).toContain('Scan for restore\nScanned:        at a time that was not stored\n')
    expect(out).toContain('Partition 2\n  SHA-1:          aa\n  Block checksum: -5\n  In use:         9 GB')
  })

  it('calls no image ready to be multicast that lies in several files, or was never scanned', async () => {
    const { out } = await play(['image', 'info', 'a.dmg'], { image: image({ segmentCount: 2 }) })
    expect(out).toContain('In order:       yes\n')
    const unscanned = await play(['image', 'info', 'a.dmg'], { image: image({}) })
    expect(unscanned.out).toContain('In order:       yes\n')
    const one = await play(['image', 'info', 'a.dmg'], { image: image({ inOrder: false }) })
    expect(one.out).toContain('In order:       no, a scan would put it in order\n')
  })

  it('shows an image whose file has a time that cannot be', async () => {
    const { out, status } = await play(['image', 'info', 'a.dmg'], { image: image({ modifiedMs: 1e16 }) })
    expect(status).toBe(0)
    expect(out).not.toContain('Modified')
  })

  it('shows a compressed raw image, of which little is known', async () => {
    const { out } = await play(['image', 'info', 'a.img.gz'], {
      image: image({
        format: 'raw.gz',
        sizeBytes: null,
        storedBytes: 999,
        partitionMap: 'none',
        partitions: [],
        tables: [],
        runCounts: {},
        dataBytes: null,
        dataForkChecksum: null,
        masterChecksum: null,
        inOrder: null,
      }),
    })
    expect(out).toContain('Format:         Raw disk image compressed with gzip\n')
    expect(out).toContain(
      'Disk size:      not known before all of it has been read\nStored:         999 bytes\n',
    )
    expect(out).toContain('\nChecksums:      none\n')
    // It has no place for one, so nothing is missing.
    expect(out).not.toContain('Scan')
  })

  it('shows the checksum that a compressed image carries', async () => {
    const raw = {
      format: 'raw.xz',
      tables: [],
      dataForkChecksum: null,
      masterChecksum: null,
      inOrder: null,
      streamChecksum: 'CRC-64',
    } as const
    const { out } = await play(['image', 'info', 'a.img.xz'], { image: image(raw) })
    expect(out).toContain('\nContents:       CRC-64, which the file carries and image verify compares\n')
    expect(out).not.toContain('Checksums:')
  })

  it('shows the checksum in the file beside the image', async () => {
    const fileChecksum = { algorithm: 'SHA-256', value: 'ab12' }
    const raw = {
      format: 'raw',
      tables: [],
      dataForkChecksum: null,
      masterChecksum: null,
      inOrder: null,
    } as const
    const { out } = await play(['image', 'info', 'a.img'], {
      image: image({ ...raw, name: 'a.img', fileChecksum }),
    })
    expect(out).toContain('File:           SHA-256 ab12, in a.img.sha256\n')
    expect(out).not.toContain('Checksums:')
  })

  it('of a scan is printed in one form only', async () => {
    const { err, status, out } = await play(['info', 'a.dmg', '--json', '--plist'])
    expect(err).toContain("--json and --plist can't both be given.")
    expect([status, out]).toEqual([2, expect.stringContaining('E_USAGE')])
  })

  it('lets no escape sequence of an image through', async () => {
    const { out } = await play(['image', 'info', 'a.dmg'], {
      image: image({ name: '\u001b]0;x\u0007', tables: [{ ...image().tables[0]!, name: 'a\nb' }] }),
    })
    expect(out).toContain('Image:          ?]0;x?\n')
    expect(out).toContain('a?b\n')
  })

  it('tells a file that is no image', async () => {
    const { err, status } = await play(['image', 'info', 'notes.txt'], {
      image: new FormatError('E_SRC_FORMAT', 'x', {
        details: {
          format: 'file',
          field: 'kind',
          offset: 0,
          found: 'a folder',
          path: '/home/anna/notes.txt',
        },
      }),
    })
    expect(err).toContain(
      "'notes.txt' isn't a disk image Reprise can read. (E_SRC_FORMAT)\nIt is a folder.\n",
    )
    expect(status).toBe(1)
  })

  it.each([
    [
      ['image'],
      'The verb image needs a second word. (E_USAGE)\nUse image info, image verify, image checksum, ',
    ],
    [['image', 'info'], 'IMAGE is missing.'],
    [['image', 'info', 'a.dmg', 'b.dmg'], "'b.dmg' isn't expected here."],
    [['image', 'verfy', 'a.dmg'], 'There is no image verfy. (E_USAGE)\nDid you mean image verify?'],
    [
      ['image', 'a.dmg'],
      'There is no image a.dmg. (E_USAGE)\nUse image info, image verify, image checksum, ',
    ],
  ])('%j: %s', async (argv, words) => {
    expect((await play(argv)).err).toContain(words)
  })
})

describe('reprise image verify', () => {
  const verifying = (percent: number, outcome: JobState['outcome'] = null): JobState => ({
    ...state({ phase: 'verifying', percent, outcome }),
    kind: 'verify-image',
    phases: [
      { phase: 'validating-source', state: 'done', durationMs: 1 },
      {
        phase: 'verifying',
        state: outcome === null ? 'current' : outcome.kind === 'checked' ? 'done' : 'failed',
        durationMs: null,
      },
    ],
  })
  const checked = {
    kind: 'checked',
    verification: {
      checked: [
        { what: 'disk image (Apple_HFS : 1)', algorithm: 'CRC-32', value: '1a2b3c4d' },
        { what: 'Master', algorithm: 'CRC-32', value: 'deadbeef' },
      ],
      nothingToCheck: false,
      expandedBytes: 10_510_336,
      durationMs: 500,
    },
  } as const

  it('draws its progress and lists what was checked', async () => {
    const { out, status } = await play(['image', 'verify', 'a.dmg'], {
      task: [verifying(0), verifying(31), verifying(99, checked)],
    })
    expect(out).toBe(
      [
        '\tVerifying  ....10....20....30....40....50....60....70....80....90....100\n',
        '\tdisk image (Apple_HFS : 1): CRC-32 1a2b3c4d\n',
        '\tMaster: CRC-32 deadbeef\n',
        '\t10.5 MB read in 0.50 seconds, 21 MB/s\n',
        'The image is intact.\n',
      ].join(''),
    )
    expect(status).toBe(0)
  })

  it('does not call an image intact that holds nothing to compare', async () => {
    const { out } = await play(['image', 'verify', 'a.img'], {
      task: [
        verifying(99, {
          ...checked,
          verification: { ...checked.verification, checked: [], nothingToCheck: true },
        }),
      ],
    })
    expect(out).not.toContain('intact')
    expect(out).toContain('It holds no checksums to compare.')
  })

  it('names the first bad place', async () => {
    const error = serializeError(
      new FormatError('E_SRC_CORRUPT', 'x', {
        details: {
          format: 'udif',
          field: "the CRC-32 of 'disk image'",
          offset: 1_048_576,
          found: 'aaaaaaaa',
          expected: '1a2b3c4d',
        },
      }),
    )
    const { out, err, status } = await play(['image', 'verify', 'folder/a.dmg', '--exit-codes'], {
      task: [verifying(31), verifying(31, { kind: 'failed', error, target: 'untouched' })],
    })
    expect(out).toBe('\tVerifying  ....10....20....30\n')
    expect(err).toBe(
      [
        "'a.dmg' is damaged at byte 1,048,576 (1.05 MB). (E_SRC_CORRUPT)\n",
        "Expected the CRC-32 of 'disk image' to be 1a2b3c4d, found aaaaaaaa.\n",
        'Get a fresh copy of the image and try again.\n',
      ].join(''),
    )
    expect(status).toBe(10)
  })

  it('can be stopped', async () => {
    const { status, err, cancels } = await play(['image', 'verify', 'a.dmg'], {
      interruptAfter: 'Verifying',
      task: [verifying(5), verifying(5, { kind: 'cancelled', target: 'untouched', percent: 5 })],
    })
    expect(cancels).toBe(1)
    expect(status).toBe(130)
    expect(err).toContain('Stopped at 5 %.')
  })

  it.each(['image verify a.dmg', 'image checksum a.dmg', 'image compact a.dmg', 'imagescan a.dmg'])(
    '%s can be stopped before the engines are there',
    async (command) => {
      const { status, err, tasks } = await play([...command.split(' '), '--debug'], {
        logs: [{ level: 'info', message: 'engines are starting', fields: {} }],
        interruptAfter: 'engines are starting',
      })
      expect({ status, tasks }).toEqual({ status: 130, tasks: [] })
      expect(err).not.toContain('E_')
    },
  )

  it.each([
    ['image verify a.dmg', 'Stopped.\n'],
    ['image checksum a.dmg', 'Stopped.\nThe image is as it was.\n'],
    ['image compact a.dmg', 'Stopped.\n'],
    ['image resize a.dmg --size 1g', 'Stopped.\n'],
    ['imagescan a.dmg', 'Stopped.\nThe image is as it was.\n'],
    [
      'image convert -s a.dmg -t b.dmg --format UDZO',
      "Stopped.\nNothing was written: '/home/anna/b.dmg' is as it was.\n",
    ],
    [
      'image create -t b.dmg --format UDZO --size 1m --encryption AES-256',
      "Stopped.\nNothing was written: '/home/anna/b.dmg' is as it was.\n",
    ],
  ])('%s says so then, with --json as an outcome', async (command, words) => {
    const stage = {
      logs: [{ level: 'info', message: 'engines are starting', fields: {} }],
      typed: ['new'],
      interruptAfter: command.includes('create') ? 'New password' : 'engines are starting',
    } as const
    const text = await play([...command.split(' '), '--debug'], stage)
    expect(text.err).toMatch(new RegExp(`${RegExp.escape(words)}$`))
    const { out, status } = await play([...command.split(' '), '--json', '--debug'], stage)
    expect(status).toBe(130)
    expect(JSON.parse(out)).toEqual({
      type: 'outcome',
      kind: 'cancelled',
      target: 'untouched',
      percent: null,
      words: 'Stopped.',
    })
  })

  it('prints objects with --json', async () => {
    const { out } = await play(['image', 'verify', 'a.dmg', '--json'], {
      task: [verifying(31), verifying(99, checked)],
    })
    const types = out
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { type: string }).type)
    expect(types).toEqual(['state', 'outcome'])
    expect(JSON.parse(out.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({
      kind: 'checked',
      words: 'The image is intact.',
    })
  })

  it.each([
    ['cancelled', {}],
    [
      'failed',
      { error: serializeError(new DeviceError('E_DST_FULL', 'full', { details: { path: 'a.dmg.sha256' } })) },
    ],
  ] as const)(
    'image checksum says what is in the image where only the file beside it is missing: %s',
    async (kind, more) => {
      const ends = async (target: 'untouched' | 'changed') => {
        const outcome = { kind, target, percent: 5, ...more } as JobState['outcome']
        const { err } = await play(['image', 'checksum', 'a.dmg', '--replace'], {
          task: [state({ outcome })],
        })
        return err
      }
      const changed = "The image has its new checksums; only the file beside it wasn't written.\n"
      expect(await ends('changed')).toContain(changed)
      expect(await ends('changed')).not.toContain('as it was')
      expect(await ends('untouched')).toContain('The image is as it was.\n')
    },
  )

  it.each([
    'image verify a.dmg',
    'image checksum a.dmg',
    'imagescan a.dmg',
    'image convert -s a.dmg -t b.dmg --format UDZO',
  ])('%s says with --json how it ended, whatever the end', async (command) => {
    const ends = async (outcome: JobState['outcome']) => {
      const { out } = await play([...command.split(' '), '--json'], {
        task: [verifying(5), verifying(5, outcome)],
      })
      return out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as { type: string; kind?: string; words?: unknown })
        .slice(-2)
    }
    const stopped = await ends({ kind: 'cancelled', target: 'untouched', percent: 5 })
    expect(stopped.at(-1)).toMatchObject({ type: 'outcome', kind: 'cancelled', words: 'Stopped at 5 %.' })
    const error = serializeError(
      new FormatError('E_SRC_CORRUPT', 'x', { details: { format: 'udif', field: 'crc', offset: 7 } }),
    )
    expect(await ends({ kind: 'failed', error, target: 'untouched' })).toMatchObject([
      { type: 'outcome', kind: 'failed', words: 'Could not complete.' },
      { type: 'error', error: { code: 'E_SRC_CORRUPT' } },
    ])
  })
})

describe('work on an image whose output goes to a full disk', () => {
  const full = new DeviceError('E_DST_FULL', 'full', {
    details: { path: 'standard output', errno: 'ENOSPC' },
  })
  const resized = {
    kind: 'resized',
    resize: {
      path: '/home/anna/a.img',
      beforeBytes: 1e9,
      afterBytes: 2e9,
      storedBeforeBytes: 1e9,
      storedBytes: 1e9,
    },
  } as const

  it('fails as the work failed', async () => {
    const error = serializeError(
      new FormatError('E_SRC_CORRUPT', 'x', { details: { format: 'udif', field: 'crc', offset: 7 } }),
    )
    const { status, err } = await play(['image', 'verify', 'a.dmg', '--json'], {
      task: [state({ outcome: { kind: 'failed', error, target: 'untouched' } })],
      failWriting: (text) => (text.includes('"type":') ? full : null),
    })
    expect(err).toContain("'a.dmg' is damaged at byte 7. (E_SRC_CORRUPT)")
    expect(err).not.toContain('E_DST_FULL')
    expect(status).toBe(10)
  })

  it.each(['--json', '--exit-codes'])(
    'with %s says that it was cut short, and what was done',
    async (how) => {
      const { status, err } = await play(['image', 'resize', 'a.img', '--size', '2g', how], {
        task: [state({ outcome: resized })],
        failWriting: (text) => (text === '' ? null : full),
      })
      expect(err).toBe(
        "Standard output can't take any more: the disk it goes to is full. (E_DST_FULL)\nThe image was resized from 1 GB to 2 GB.\nFree some space there, or send the output elsewhere.\n",
      )
      expect(status).toBe(11)
    },
  )
})

describe('an image that is an address', () => {
  it.each([
    ['image', 'info'],
    ['image', 'verify'],
    ['image', 'checksum'],
    ['image', 'compact'],
    ['image', 'resize', '--size', '1g'],
    ['image', 'convert', '-t', 'b', '--format', 'raw', '-s'],
    ['imagescan'],
    ['info'],
  ])('of a stream is called that by %s %s', async (...argv) => {
    const { err, status, tasks } = await play([...argv, 'asr://lab/spring'])
    expect(err).toContain(
      "'asr://lab/spring' is a multicast stream, and an image is asked for here. (E_USAGE)\n",
    )
    expect(err).toContain('reprise restore --source asr://HOST --file FILE')
    expect({ status, tasks }).toEqual({ status: 1, tasks: [] })
  })

  it.each([['image', 'info'], ['image', 'verify'], ['imagescan'], ['info'], ['image', 'compact']])(
    'of another kind is not taken for a path by %s %s',
    async (...argv) => {
      const { err, status, tasks } = await play([...argv, 'smb://host/a.dmg'])
      expect(err).toBe(
        "Addresses that begin with smb:// can't be read. (E_UNSUPPORTED)\nMount the share, and name the file on it.\n",
      )
      expect({ status, tasks }).toEqual({ status: 1, tasks: [] })
    },
  )

  it.each([['image', 'checksum'], ['image', 'compact'], ['image', 'resize', '--size', '1g'], ['imagescan']])(
    'on a web server cannot be changed by %s %s, and is not taken for a path',
    async (...argv) => {
      const { err, status, tasks } = await play([...argv, 'https://anna:secret@host/a.dmg'])
      expect(err).toContain("'a.dmg' is on a web server and can't be changed there. (E_USAGE)\n")
      expect(err).not.toContain('secret')
      expect({ status, tasks }).toEqual({ status: 1, tasks: [] })
    },
  )

  const address = 'https://anna:secret@host/a.dmg'
  const typed: readonly (readonly string[])[] = [
    ['info', address],
    ['info', '--source', 'b.dmg', address],
    ['info', `--source=${address}`, `--source=${address}`],
    ['info', address, address],
    ['info', `-source${address}`],
    ['info', `--json=${address}`],
    ['info', 'asr://anna:secret@host/a'],
    ['image', 'info', 'b.dmg', address],
    ['image', 'verify', 'ftp://anna:secret@host/a.dmg'],
    ['image', 'convert', '-s', 'b.dmg', '-t', address, '--format', 'raw'],
    ['image', 'create', '-t', 'b.dmg', '--format', address, '--size', '1g'],
    ['imagescan', '--source', 'b.dmg', address],
    ['imagescan', address],
    ['server', '--source', 'a.dmg', '--config', 'a.plist', address],
    ['restore', '--source', address, address],
    ['session', 'list', '--server', address],
    ['session', address],
    [address],
  ]
  it.each(typed.map((argv) => [argv]))('keeps its password to itself: %j', async (argv) => {
    for (const flags of [[], ['--json'], ['--json', '--debug']]) {
      const { all, status } = await play([...argv, ...flags], { streams: noStreams })
      expect(all).not.toMatch(/secret|anna:/)
      expect(status).not.toBe(0)
    }
  })

  it('is shown by info without its password', async () => {
    const scan = { partitions: [], blocks: null, dateMs: null, scannedBy: null }
    const { out } = await play(['info', address, '--json'], { image: image({ scan }) })
    expect(JSON.parse(out)).toMatchObject({ type: 'scan', path: 'https://host/a.dmg' })
  })
})
