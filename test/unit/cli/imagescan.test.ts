import { describe, expect, it } from 'vitest'
import type { ImageScan, JobOutcome, JobState, ScanInfo } from '#shared/model'
import { image, play, state } from './fakes.ts'

const digest = 'ab'.repeat(32)
const scan: ScanInfo = {
  partitions: [
    {
      partNum: 2,
      sha1: null,
      sha256: digest,
      blockChecksum2: 'd1016e13',
      dateMs: Date.UTC(2026, 4, 12, 10),
      usedBytes: 9_000_000_000,
      volumes: [{ name: 'System & Co', uuid: 'U-1' }],
    },
  ],
  blocks: { blockBytes: 1_048_576, count: 13_543, root: 'cd'.repeat(32) },
  dateMs: Date.UTC(2026, 10, 21, 3),
  scannedBy: 'Reprise 0.1.0',
}
const result: ImageScan = {
  path: '/home/anna/a.dmg',
  scan,
  stored: 'added',
  inOrder: true,
  signatureRemoved: false,
  sizeBytes: 14_200_000_000,
  beforeBytes: 5_100_000_000,
  storedBytes: 5_100_600_000,
  durationMs: 10_000,
  bytesPerSecond: 1_420_000_000,
}
const scanned = (change: Partial<ImageScan> = {}): JobOutcome => ({
  kind: 'scanned',
  scan: { ...result, ...change },
})
const at = (percent: number | null, outcome: JobOutcome | null = null): JobState => ({
  ...state({ phase: 'scanning', percent, outcome }),
  kind: 'scan-image',
  phases: [
    { phase: 'scanning', state: outcome === null ? 'current' : 'done', durationMs: null },
    { phase: 'reordering', state: outcome === null ? 'pending' : 'skipped', durationMs: null },
  ],
})

describe('reprise imagescan', () => {
  it('refuses an encrypted image without asking for its password', async () => {
    for (const how of [{ typed: ['sesame'] }, { stdin: 'sesame' }]) {
      const argv = ['imagescan', 'a.dmg', ...('stdin' in how ? ['--stdinpass'] : [])]
      const { err, status, tasks, unlocks } = await play(argv, { password: 'sesame', ...how })
      expect({ status, tasks, unlocks }).toEqual({ status: 1, tasks: [], unlocks: [] })
      expect(err).toBe(
        "'a.dmg' is encrypted and can't be scanned. (E_UNSUPPORTED)\nConvert it to an image without encryption, and scan that.\n",
      )
    }
    expect((await play(['imagescan', '--help'])).out).not.toContain('stdinpass')
  })

  it("scans, in asr's words", async () => {
    const { out, status, tasks } = await play(['imagescan', '--source', 'a.dmg'], {
      task: [at(0), at(50), at(100, scanned())],
    })
    expect(status).toBe(0)
    expect(tasks).toEqual([
      { kind: 'scan', path: '/home/anna/a.dmg', reorder: true, allowFragmentedCatalog: false },
    ])
    expect(out).toContain('Block checksum: ....10....20....30....40....50....60....70....80....90....100\n')
    expect(out).toMatch(/successfully scanned image "\/home\/anna\/a\.dmg"\n$/)
  })

  it.each([
    ['imagescan', 'a.dmg', '--nostream', '--allowfragmentedcatalog'],
    ['-imagescan', '-nostream', '-allowfragmentedcatalog', 'a.dmg'],
    ['-nostream', '-imagescan', '-allowfragmentedcatalog', 'a.dmg'],
    ['-source', 'a.dmg', '-imagescan', '-nostream', '-allowfragmentedcatalog'],
  ])('takes the older forms: %s %s %s %s', async (...argv) => {
    const { tasks } = await play(argv, { task: [at(100, scanned())] })
    expect(tasks).toEqual([
      { kind: 'scan', path: '/home/anna/a.dmg', reorder: false, allowFragmentedCatalog: true },
    ])
  })

  it("takes what old scripts give besides, asr's buffers included, and does the same", async () => {
    const argv = '-imagescan -blockonly -buffers 4 -buffersize 1m -csumbuffers 1 -csumbuffersize 1m a.dmg'
    const { tasks, err } = await play(argv.split(' '), { task: [at(100, scanned())] })
    expect(err).toBe('')
    expect(tasks).toEqual([
      { kind: 'scan', path: '/home/anna/a.dmg', reorder: true, allowFragmentedCatalog: false },
    ])
    expect((await play(['help', 'imagescan'])).out).not.toMatch(/buffers|blockonly/)
  })

  it('tells before what reordering takes, and afterwards what it came to', async () => {
    const { out } = await play(['imagescan', 'a.dmg'], {
      image: image({ inOrder: false }),
      task: [at(100, scanned({ stored: 'reordered' }))],
    })
    expect(out).toMatch(
      /^'a.dmg' isn't in order for multicasting and will be rewritten, which takes 5\.1 GB of free space/,
    )
    expect(out).toContain('The image is in order now: 5.1 GB before, 5.1 GB now.\n')
  })

  it('tells nothing of the kind of an image that will not be rewritten', async () => {
    for (const change of [{ encrypted: { bits: 128, version: 2 } }, { segmentCount: 2 }] as const) {
      const { out } = await play(['imagescan', 'a.dmg'], {
        image: image({ inOrder: false, ...change }),
        task: [at(100, scanned())],
      })
      expect(out).not.toContain('will be rewritten')
    }
  })

  it('says when an image can not be multicast, has lost its signature, or was scanned before', async () => {
    const play1 = async (change: Partial<ImageScan>) =>
      (await play(['imagescan', '--nostream', 'a.dmg'], { task: [at(100, scanned(change))] })).out
    expect(await play1({ inOrder: false })).toContain("isn't in order, so it can't be multicast")
    expect(await play1({ signatureRemoved: true })).toContain('code signature')
    expect(await play1({ stored: 'kept' })).toContain('nothing was written')
  })

  it('wants an image, and one only', async () => {
    expect((await play(['imagescan'])).err).toContain('--source is missing.')
    expect((await play(['imagescan', '--source', 'a.dmg', 'b.dmg'])).err).toContain('named twice')
  })

  it('says that a failure left the image as it was', async () => {
    const error = {
      family: 'device',
      code: 'E_DST_FULL',
      message: '',
      details: { path: 'a.dmg', neededBytes: 5_000_000_000, availableBytes: 1_000_000_000 },
      transient: false,
      cause: null,
    } as const
    const { err, status } = await play(['imagescan', 'a.dmg'], {
      task: [at(30, { kind: 'failed', error, target: 'untouched' })],
    })
    expect(status).toBe(1)
    expect(err).toContain('5 GB are needed; 1 GB are free.')
    expect(err).toContain('The image is as it was.\n')
  })

  it('prints JSON a line each', async () => {
    const { out } = await play(['imagescan', 'a.dmg', '--json'], { task: [at(50), at(100, scanned())] })
    const types = out
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { type: string }).type)
    expect(types[0]).toBe('image')
    expect(types.at(-1)).toBe('outcome')
  })
})

describe('reprise info', () => {
  it('tells what was stored, when and by what', async () => {
    const { out, status } = await play(['info', '--source', 'a.dmg'], { image: image({ scan }) })
    expect(status).toBe(0)
    expect(out).toBe(
      [
        'Image:          a.dmg',
        'Scanned:        2026-11-21T03:00:00.000Z',
        'By:             Reprise 0.1.0',
        'Stream-ready:   yes',
        'Blocks:         13,543 of 1.05 MB, SHA-256 each',
        `Root:           ${'cd'.repeat(32)}`,
        'Partition 2',
        `  SHA-256:        ${digest}`,
        '  Block checksum: d1016e13',
        '  In use:         9 GB (9,000,000,000 bytes)',
        '  Changed:        2026-05-12T10:00:00.000Z',
        '  Volume:         System & Co (U-1)',
        '',
      ].join('\n'),
    )
  })

  it('tells what the volumes of an APFS container are for', async () => {
    const [about] = image({}).partitions
    if (about === undefined) throw new Error('the fixture has a partition')
    const volumes = [{ name: 'System & Co', uuid: 'u-1', role: 'System' }]
    const stage = { image: image({ scan, partitions: [{ ...about, volumes }] }) }
    const { out } = await play(['info', '--source', 'a.dmg'], stage)
    expect(out).toContain('  Volume:         System & Co (System, U-1)\n')
  })

  it.each([
    [{ inOrder: false }, {}, 'no, its data is not in order'],
    [{ segmentCount: 3 }, {}, 'no, it lies in several files'],
    [{}, { blocks: null }, 'no, no hashes of its blocks were stored'],
  ])(
    'calls an image stream-ready only where the server would take it: %j %j',
    async (about, stored, words) => {
      const stage = { image: image({ scan: { ...scan, ...stored }, ...about }) }
      const { out } = await play(['info', '--source', 'a.dmg'], stage)
      expect(out).toContain(`Stream-ready:   ${words}\n`)
      const plist = await play(['info', '--source', 'a.dmg', '--plist'], stage)
      expect(plist.out).toContain('<key>stream-ready</key>\n\t<false/>\n')
    },
  )

  it('leaves out times that cannot be', async () => {
    const [partition] = scan.partitions
    const wild = { ...scan, dateMs: 2 ** 53 - 1, partitions: [{ ...partition!, dateMs: -1e300 }] }
    const stage = { image: image({ scan: wild }) }
    const { out, status } = await play(['info', '--source', 'a.dmg'], stage)
    expect(status).toBe(0)
    expect(out).toContain('Scanned:        at a time that was not stored\n')
    expect(out).not.toContain('Changed:')
    const plist = await play(['info', '--source', 'a.dmg', '--plist'], stage)
    expect(plist.status).toBe(0)
    expect(plist.out).not.toContain('date>')
  })

  it('keeps the line breaks of a path in a property list', async () => {
    const { out } = await play(['info', '--source', 'a.dmg', '--plist'], {
      image: image({ scan, path: '/tmp/a\nb\tc\rd\u0007.dmg' }),
    })
    expect(out).toContain('<string>/tmp/a\nb\tc&#13;d\ufffd.dmg</string>')
  })

  it('prints a property list that escapes what has to be', async () => {
    const { out } = await play(['info', '--source', 'a.dmg', '--plist'], { image: image({ scan }) })
    expect(out).toContain('<key>stream-ready</key>\n\t<true/>\n')
    expect(out).toContain('<string>System &amp; Co</string>')
    expect(out).toContain('<key>block-checksum-2</key>\n\t\t\t<integer>-788435437</integer>')
    expect(out).toContain('<date>2026-11-21T03:00:00Z</date>')
    expect(out).toContain(
      `<key>SHA-256-digest</key>\n\t\t\t<data>${Buffer.from(digest, 'hex').toString('base64')}</data>`,
    )
  })

  it('fails plainly for an image that was never scanned', async () => {
    const { err, status } = await play(['info', '--source', 'a.dmg'], { image: image({ scan: null }) })
    expect(status).toBe(1)
    expect(err).toContain("'a.dmg' hasn't been scanned for restore. (E_SRC_NOSCAN)")
  })

  it.each([
    ['a raw image', { format: 'raw', tables: [] }, 'Only UDIF images (.dmg) have a place for a scan.'],
    [
      'an encrypted image',
      { encrypted: { version: 2, bits: 256 } },
      'Nothing can be added to an encrypted image.',
    ],
  ] as const)('says of %s that it has to be converted, not scanned', async (_, change, why) => {
    const { err } = await play(['info', '--source', 'a.dmg'], { image: image({ scan: null, ...change }) })
    expect(err).toBe(
      `'a.dmg' hasn't been scanned for restore, and can't be. (E_SRC_NOSCAN)\n${why}\nConvert it first: reprise image convert --format UDZO. Then scan what it makes.\n`,
    )
  })
})

describe('reprise image checksum', () => {
  const checksums = {
    path: '/home/anna/a.img',
    added: [{ what: 'a.img', algorithm: 'SHA-256', value: digest }],
    besides: '/home/anna/a.img.sha256',
    signatureRemoved: false,
    durationMs: 5,
  }
  const done = (change: Partial<typeof checksums> = {}): JobState => ({
    ...state({
      phase: 'scanning',
      percent: 100,
      outcome: { kind: 'checksummed', checksums: { ...checksums, ...change } },
    }),
    kind: 'add-checksum-image',
  })

  it('says what was added, and where', async () => {
    const { out, status, tasks } = await play(['image', 'checksum', 'a.img'], { task: [done()] })
    expect(status).toBe(0)
    expect(tasks).toEqual([{ kind: 'add-checksum', path: '/home/anna/a.img', replace: false }])
    expect(out).toContain(`\ta.img: SHA-256 ${digest}\n\tstored in /home/anna/a.img.sha256\n`)
  })

  it('writes the one beside it anew where that is asked for', async () => {
    const { tasks } = await play(['image', 'checksum', 'a.img', '--replace'], { task: [done()] })
    expect(tasks).toMatchObject([{ replace: true }])
  })

  it('says that nothing was lacking', async () => {
    const { out } = await play(['image', 'checksum', 'a.img'], { task: [done({ added: [] })] })
    expect(out).toMatch(/The image lacked no checksum\.\n$/)
  })
})
