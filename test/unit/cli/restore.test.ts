import { describe, expect, it } from 'vitest'
import { Interruption } from '#engine/job'
import { DeviceError, FormatError, serializeError, UsageError } from '#shared/errors'
import type { JobState } from '#shared/model'
import { disk, happyStates, image, plan, play, restoreArgs, state, summary, target } from './fakes.ts'

const noprompt = [...restoreArgs, '--noprompt']

const small = new UsageError('E_DST_SMALL', 'too small', {
  details: { input: 'target', neededBytes: 14_200_000_000, availableBytes: 11_100_000_000 },
})

const refused = plan({
  checks: [
    { step: 'target', state: 'ok', kind: 'target-ok', name: 'SanDisk Ultra', sizeBytes: 11_100_000_000 },
    { step: 'source', state: 'ok', kind: 'source-ok', name: 'a.dmg', format: 'UDZO', checksums: 'inside' },
    { step: 'sizes', state: 'failed', kind: 'error', error: serializeError(small) },
  ],
  refusal: serializeError(small),
})

describe('reprise restore', () => {
  it("tells a restore in asr's words, asking before it erases", async () => {
    const { status, out, err } = await play(restoreArgs, { answers: ['y'] })
    expect(out).toBe(
      [
        '\tValidating target...done\n',
        '\tValidating source...done\n',
        '\tValidating sizes...done\n',
        '\tErase contents of /dev/sdb (/media/anna/UNTITLED)? [ny]: ',
        '\tRestoring  ....10....20....30....40....50....60....70....80....90....100\n',
        '\tVerifying  ....10....20....30....40....50....60....70....80....90....100\n',
        '\tRestored target device is /dev/sdb.\n',
        '\tRemounting target volume...done\n',
        'Restore completed successfully.\n',
      ].join(''),
    )
    expect(err).toBe('')
    expect(status).toBe(0)
  })

  it('hands the engine what was asked for, with absolute paths', async () => {
    const argv =
      'restore -s images/a.dmg -t ../disk.img --erase --noprompt --noverify --clear-unused --changed-only --eject --buffers 4 ' +
      '--buffersize 2m --csumbuffers=2 --csumbuffersize=512k --timeout 30 --allowfragmentedcatalog'
    const { requests } = await play(argv.split(' '))
    expect(requests).toEqual([
      {
        source: '/home/anna/images/a.dmg',
        target: '/home/disk.img',
        erase: true,
        verify: false,
        clearUnused: true,
        changedOnly: true,
        afterwards: 'eject',
        timeoutMs: 30_000,
        form: 'contents',
        buffering: {
          buffers: 4,
          bufferBytes: 2 * 1024 * 1024,
          csumBuffers: 2,
          csumBufferBytes: 512 * 1024,
        },
      },
    ])
  })

  it('hands on which partition of the image was chosen', async () => {
    const { requests } = await play([...noprompt, '--source-partition', '3'])
    expect(requests[0]).toMatchObject({ sourcePartition: 3 })
  })

  it("hands on that a target's name ends as a folder's does, and leaves it to the engine whether it is one", async () => {
    for (const typed of ['newdir/', 'newdir//', 'newdir/.']) {
      const { requests } = await play(['restore', '-s', 'a.dmg', '-t', typed, '--erase', '--noprompt'])
      expect(requests[0]).toMatchObject({ target: '/home/anna/newdir/' })
    }
    const { requests } = await play(['restore', '-s', 'a.dmg', '-t', '/', '--erase', '--noprompt'])
    expect(requests[0]).toMatchObject({ target: '/' })
  })

  it('verifies, remounts and leaves buffering to the engine unless told otherwise', async () => {
    const { requests } = await play(noprompt)
    expect(requests[0]).toEqual({
      source: '/home/anna/a.dmg',
      target: '/dev/sdb',
      erase: true,
      verify: true,
      clearUnused: false,
      changedOnly: false,
      afterwards: 'remount',
      timeoutMs: 0,
      form: 'contents',
      buffering: { buffers: null, bufferBytes: null, csumBuffers: null, csumBufferBytes: null },
    })
  })

  it('saves the image of a stream itself, without Erase', async () => {
    const argv = 'restore --source asr://lab/spring --file images --timeout 5 --interface eth1'.split(' ')
    const { requests } = await play(argv)
    expect(requests[0]).toMatchObject({
      source: 'asr://lab/spring',
      target: '/home/anna/images',
      erase: false,
      timeoutMs: 5000,
      form: 'file',
      interface: 'eth1',
    })
  })

  it.each([
    ['-source', 'a.dmg', '-target', '/dev/sdb', '-erase', '-noprompt'],
    ['-restore', '-source', 'a.dmg', '-target', '/dev/sdb', '-erase', '-noprompt'],
    ['-erase', '-noprompt', '-s', 'a.dmg', '-t', '/dev/sdb'],
    ['--source=a.dmg', '--target=/dev/sdb', '--erase', '--noprompt'],
    ['restore', '-source', 'a.dmg', '-target', '/dev/sdb', '-erase', '-noprompt', '-blockonly'],
  ])('takes the older form %s %s %s %s', async (...argv) => {
    const { status, requests } = await play(argv)
    expect(status).toBe(0)
    expect(requests[0]).toMatchObject({ source: '/home/anna/a.dmg', target: '/dev/sdb', verify: true })
  })

  it('takes -nocheck as -noverify', async () => {
    const { requests } = await play([...noprompt, '-nocheck'])
    expect(requests[0]?.verify).toBe(false)
  })

  describe('the question', () => {
    it.each(['y', 'Y', 'yes', ' y '])('takes %j for yes', async (answer) => {
      expect(await play(restoreArgs, { answers: [answer] })).toMatchObject({ status: 0, startedJobs: 1 })
    })

    it.each(['n', '', 'yn', 'no', 'ja', 'y y'])('takes %j for no, and changes nothing', async (answer) => {
      const { status, err, startedJobs } = await play(restoreArgs, { answers: [answer] })
      expect(startedJobs).toBe(0)
      expect(status).toBe(1)
      expect(err).toBe("The restore wasn't confirmed. (E_NOT_CONFIRMED)\nNothing was changed.\n")
    })

    it('takes the end of the input for no, and names --noprompt', async () => {
      const { status, out, err, startedJobs } = await play(restoreArgs, { answers: [] })
      expect(startedJobs).toBe(0)
      expect(status).toBe(1)
      expect(out.endsWith('[ny]: \n')).toBe(true)
      expect(err).toContain('--noprompt')
    })

    it('names what is not mounted by name and size', async () => {
      const { out } = await play(restoreArgs, { plan: plan({ target: target({ mountPoints: [] }) }) })
      expect(out).toContain('\tErase contents of /dev/sdb (SanDisk Ultra, 64 GB)? [ny]: ')
    })

    it('says Overwrite for a file that exists', async () => {
      const file = target({
        kind: 'file',
        path: '/home/anna/d.img',
        name: 'd.img',
        mountPoints: [],
        disk: null,
      })
      const { out } = await play(restoreArgs, { plan: plan({ target: file }) })
      expect(out).toContain('\tOverwrite file /home/anna/d.img? [ny]: ')
    })

    it('names what else would be overwritten, as what lies where a stream is saved until it is complete', async () => {
      const path = '/home/anna/lab.dmg'
      const lost = (of: string) => ({
        kind: 'file' as const,
        name: 'lab.dmg',
        path: of,
        filesystem: null,
        sizeBytes: 5,
        usedBytes: null,
        mountPoints: [],
      })
      const file = target({ kind: 'file', path, mountPoints: [], disk: null })
      const only = plan({ target: file, losses: [lost(`${path}.part`)] })
      expect((await play(restoreArgs, { plan: only })).out).toContain(`\tOverwrite file ${path}.part? [ny]: `)
      const both = plan({ target: file, losses: [lost(path), lost(`${path}.part`)] })
      expect((await play(restoreArgs, { plan: both })).out).toContain(
        `\tOverwrite files ${path} and ${path}.part? [ny]: `,
      )
    })

    it('is not asked for a file that is not there yet: nothing is lost', async () => {
      const file = target({ kind: 'file', path: '/home/anna/d.img', mountPoints: [], disk: null })
      const { status, out } = await play(restoreArgs, { plan: plan({ target: file, losses: [] }) })
      expect(status).toBe(0)
      expect(out).not.toContain('[ny]')
    })

    it('cannot be rewritten by a mount point with escape sequences', async () => {
      const evil = target({ mountPoints: ['/media/\u001b[2K\rErase nothing\u202e'] })
      const { out } = await play(restoreArgs, { plan: plan({ target: evil }) })
      expect(out).toContain('(/media/?[2K?Erase nothing?)? [ny]: ')
    })

    it.each(['--puppetstrings', '--json'])('goes to standard error with %s', async (option) => {
      const { out, err, status } = await play([...restoreArgs, option], { answers: ['y'] })
      expect(out).not.toContain('[ny]')
      expect(err).toContain('Erase contents of /dev/sdb')
      expect(status).toBe(0)
    })
  })

  it('refuses what the preflight refuses, before any question', async () => {
    const { status, out, err, startedJobs } = await play(restoreArgs, { plan: refused })
    expect(out).toBe('\tValidating target...done\n\tValidating source...done\n\tValidating sizes...failed\n')
    expect(err).toBe(
      [
        "'/dev/sdb' is 3.1 GB too small. (E_DST_SMALL)\n",
        'The source needs 14.2 GB; the destination has 11.1 GB.\n',
        'Choose a larger destination.\n',
      ].join(''),
    )
    expect(status).toBe(1)
    expect(startedJobs).toBe(0)
  })

  it('names a source that could not be opened as it was typed', async () => {
    const error = serializeError(
      new FormatError('E_SRC_FORMAT', 'x', {
        details: { format: 'image', field: 'size', offset: 0, found: 0 },
      }),
    )
    const { err } = await play(noprompt, {
      plan: plan({
        source: null,
        refusal: error,
        checks: [{ step: 'source', state: 'failed', kind: 'error', error }],
      }),
    })
    expect(err).toContain(
      "'/home/anna/a.dmg' isn't a disk image Reprise can read. (E_SRC_FORMAT)\nIt is empty.\n",
    )
  })

  it('stops telling steps at the first that failed', async () => {
    const error = serializeError(
      new DeviceError('E_NOT_FOUND', 'nothing there', { details: { path: '/dev/sdx' } }),
    )
    const { out } = await play(noprompt, {
      plan: plan({
        target: null,
        refusal: error,
        checks: [
          { step: 'target', state: 'failed', kind: 'error', error },
          {
            step: 'source',
            state: 'ok',
            kind: 'source-ok',
            name: 'a.dmg',
            format: 'UDZO',
            checksums: 'inside',
          },
        ],
      }),
    })
    expect(out).toBe('\tValidating target...failed\n')
  })

  it('says that administrator rights are missing instead of trying', async () => {
    const { status, err, startedJobs } = await play([...noprompt, '--exit-codes'], {
      plan: plan({ needsPrivilege: true }),
    })
    expect(startedJobs).toBe(0)
    expect(status).toBe(12)
    expect(err).toContain("The system refuses access to '/dev/sdb'. (E_DENIED)\n")
    expect(err).toContain('sudo')
  })

  it('says when its output was cut short, and finishes the work all the same', async () => {
    const full = new DeviceError('E_DST_FULL', 'full', {
      details: { path: 'standard output', errno: 'ENOSPC' },
    })
    const { status, err, startedJobs } = await play([...noprompt, '--json'], {
      failWriting: (text) => (text.includes('"type":"outcome"') ? full : null),
    })
    expect(startedJobs).toBe(1)
    expect(err).toBe(
      "Standard output can't take any more: the disk it goes to is full. (E_DST_FULL)\nRestored and verified.\nFree some space there, or send the output elsewhere.\n",
    )
    expect(status).toBe(11)
  })

  describe('while its output goes to a full disk', () => {
    const full = new DeviceError('E_DST_FULL', 'full', {
      details: { path: 'standard output', errno: 'ENOSPC' },
    })
    const lacking = (text: string) => ({
      failWriting: (written: string) => (written.includes(text) ? full : null),
    })

    it.each([
      ['--puppetstrings', 'fail'],
      ['--puppetstrings', 'metadata'],
      ['--json', '"type":"plan"'],
    ])('says why it is refused: %s without %j', async (option, text) => {
      const { err, status } = await play([...noprompt, option, '--exit-codes'], {
        plan: refused,
        ...lacking(text),
      })
      expect(err).toContain('E_DST_SMALL')
      expect(err).not.toContain('E_DST_FULL')
      expect(status).toBe(2)
    })

    it.each([
      ['--puppetstrings', 'fail', 'metadata'],
      ['--json', '"type":"outcome"', '"type":"plan"'],
    ])('ends as what is stopped ends: %s without %j', async (option, text, interruptAfter) => {
      const { err, status } = await play([...noprompt, option], { ...lacking(text), interruptAfter })
      expect(err).toBe('Stopped. Nothing was changed.\n')
      expect(status).toBe(130)
    })

    it('says that nobody answered', async () => {
      const { err, startedJobs } = await play(restoreArgs, {
        answers: [],
        failWriting: (text) => (text === '\n' ? full : null),
      })
      expect(err).toContain('Nobody answered the question.')
      expect(startedJobs).toBe(0)
    })

    it('begins nothing where what is going to happen, or the question, is not written', async () => {
      for (const [argv, text] of [
        [[...noprompt, '--json'], '"type":"plan"'],
        [restoreArgs, 'Validating'],
        [restoreArgs, '[ny]'],
      ] as const) {
        const { err, startedJobs } = await play(argv, { answers: ['y'], ...lacking(text) })
        expect([startedJobs, err.includes('E_DST_FULL')]).toEqual([0, true])
      }
    })
  })

  it('shows what is odd, but not what erasing always means', async () => {
    const { out } = await play(noprompt, {
      plan: plan({
        checks: [
          ...plan().checks,
          { step: 'target', state: 'warning', kind: 'losses', names: ['UNTITLED'] },
          { step: 'target', state: 'warning', kind: 'unmounts', mountPoints: ['/media/anna/UNTITLED'] },
          { step: 'source', state: 'ok', kind: 'checksum-left-out', file: 'a.dmg.sha256' },
          { step: 'source', state: 'ok', kind: 'only-volume', names: ['Lab'], partition: 2 },
          { step: 'sizes', state: 'warning', kind: 'left-over', unusedBytes: 49_800_000_000 },
        ],
      }),
    })
    expect(out).not.toContain('UNTITLED')
    expect(out).toContain("\tValidating source...done\n\t\tThe SHA-256 in 'a.dmg.sha256' isn't compared here")
    expect(out).toContain("\n\t\tOnly the volume 'Lab' of the image (partition 2) is restored\n")
    expect(out).toContain(
      '\tValidating sizes...done\n\tWarning: 49.8 GB at the end will be left unused\n\tRestoring',
    )
  })

  it('tells with --verbose what was found, what will be lost, and the figures', async () => {
    const { checks } = plan()
    const { out } = await play([...noprompt, '--verbose'], {
      plan: plan({
        checks: [...checks, { step: 'target', state: 'warning', kind: 'losses', names: ['UNTITLED'] }],
      }),
    })
    expect(out).toContain(
      [
        '\tValidating target...done\n\t\tDestination: SanDisk Ultra, 64 GB\n',
        '\tValidating source...done\n\t\tSource: a.dmg, UDIF read-only compressed (zlib), with checksums\n',
        '\tValidating sizes...done\n\t\tFits: 14.2 GB of 64 GB\n',
        "\tWill be lost: Volume 'UNTITLED' on /dev/sdb1 (FAT, 12 MB used of 64 GB, mounted at /media/anna/UNTITLED)\n",
      ].join(''),
    )
    expect(out).toContain(
      [
        '\tCopied 14200000000 bytes in 100.00 seconds, 138671.88 KiB/s\n',
        '\tWritten 12,000,000,000 bytes, zeroed 2 GB, unused 200 MB\n',
        '\tVerified, CRC-32 1a2b3c4d\n',
        '\t130.00 seconds in all\n',
        '\tRestored target device is /dev/sdb.\n',
        '\tRemounting target volume...done\n',
        '\tMounted at /media/anna/System\n',
      ].join(''),
    )
  })

  it('tells how much was unchanged, where only changed blocks were written', async () => {
    const ended = (change: Partial<typeof summary>) => [
      state({ outcome: { kind: 'done', summary: { ...summary, ...change } } }),
    ]
    const { request } = plan()
    const changedOnly = { plan: plan({ request: { ...request, changedOnly: true } }) }
    const some = { unchangedBytes: 14e9, skippedBytes: 0, writtenBytes: 150e6, zeroedBytes: 50e6 }
    const { out } = await play([...noprompt, '--changed-only'], { ...changedOnly, states: ended(some) })
    expect(out).toContain(
      '\tUnchanged: 14 GB of 14.2 GB; 200 MB had to be written\n\tRestored target device is /dev/sdb.\n',
    )
    const none = { unchangedBytes: 14.2e9, skippedBytes: 0, writtenBytes: 0, zeroedBytes: 0 }
    const unchanged = await play([...noprompt, '--changed-only'], { ...changedOnly, states: ended(none) })
    expect(unchanged.out).toContain('\tNothing had changed: nothing was written.\n\tRestored target')
    expect((await play(noprompt)).out).not.toContain('changed')
  })

  it('says nothing of a verify that was not asked for, and nothing of remounting after an eject', async () => {
    const { out } = await play([...noprompt, '--noverify', '--eject'], {
      states: [
        state({ phase: 'restoring', percent: 50, skipped: ['verifying'] }),
        state({
          skipped: ['verifying', 'remounting'],
          outcome: {
            kind: 'done',
            summary: { ...summary, verified: false, checksum: null, ejected: true, mountPoints: [] },
          },
        }),
      ],
    })
    expect(out).not.toContain('Verifying')
    expect(out).not.toContain('Remounting')
    expect(out).toContain('\tEjecting target device...done\n')
  })

  it.each([
    ['eject', '--eject', '\tEjecting target device...failed\n'],
    ['remount', '--verbose', '\tRemounting target volume...failed\n'],
  ] as const)('is done, with a word on standard error, when only the %s failed', async (_, option, line) => {
    const busy = new DeviceError('E_DST_BUSY', 'busy', {
      details: { path: '/dev/sdb', holders: ['nautilus (812)'] },
    })
    const { status, err, out } = await play([...noprompt, option], {
      states: happyStates({ remounted: false, warnings: [serializeError(busy)] }),
    })
    expect(status).toBe(0)
    expect(out).toContain(line)
    expect(out).toContain('Restore completed successfully.\n')
    expect(err).toContain('It is used by nautilus (812).')
  })

  it('says that this computer cannot read what it restored, instead of that it is mounted', async () => {
    const words =
      "This computer can't read APFS, so the volume isn't shown. That is normal: the copy is complete."
    const unreadable = ['apfs']
    const { out, err } = await play(noprompt, { states: happyStates({ mountPoints: [], unreadable }) })
    expect(out).toContain(`\t${words}\nRestore completed successfully.\n`)
    expect(out).not.toContain('Remounting')
    expect(err).toBe('')
    const beside = await play(noprompt, { states: happyStates({ mountPoints: ['/mnt'], unreadable }) })
    expect(beside.out).toContain(`\tRemounting target volume...done\n\t${words}\n`)
  })

  it('has remounted the target when only the source could not be mounted again', async () => {
    const silent = new DeviceError('E_DEVICE_TOOL', 'no', { details: { path: '/mnt', device: '/dev/sdc1' } })
    const { out } = await play([...noprompt, '--verbose'], {
      states: happyStates({ warnings: [serializeError(silent)] }),
    })
    expect(out).toContain('\tRemounting target volume...done\n')
  })

  it.each([
    [
      'failed',
      {
        kind: 'failed',
        error: serializeError(new DeviceError('E_IO_WRITE', 'EIO', { details: { path: '/dev/sdb' } })),
      },
    ],
    ['stopped', { kind: 'cancelled', percent: 37 }],
  ] as const)('tells what was left undone of a restore that %s', async (_, ended) => {
    const left = new DeviceError('E_DEVICE_TOOL', 'mount ended with 32', {
      details: { path: '/dev/sdc1', tool: 'mount', stderr: 'wrong fs type' },
    })
    const outcome = { ...ended, target: 'untouched', warnings: [serializeError(left)] } as const
    const { err } = await play(noprompt, { states: [state({ outcome })] })
    expect(err).toContain('wrong fs type')
  })

  it('tells a failure with its place and the state of the target', async () => {
    const broken = new DeviceError('E_IO_WRITE', 'EIO', {
      details: { path: '/dev/sdb', errno: 'EIO', offset: 5_254_000_128 },
    })
    const { status, out, err } = await play(noprompt, {
      states: [
        state({ phase: 'restoring', percent: 37 }),
        state({
          phase: 'restoring',
          percent: 37,
          outcome: { kind: 'failed', error: serializeError(broken), target: 'empty' },
        }),
      ],
    })
    expect(status).toBe(1)
    expect(out.endsWith('\tRestoring  ....10....20....30...\n')).toBe(true)
    expect(out).not.toContain('Restored')
    expect(err).toBe(
      [
        "'/dev/sdb' couldn't be written at byte 5,254,000,128 (5.25 GB). (E_IO_WRITE)\n",
        'The system reports EIO.\n',
        "'/dev/sdb' was erased: it is empty, valid and unmounted.\n",
        'Usually this is a bad cable, port, card or disk. Try another cable or port.\n',
      ].join(''),
    )
  })

  it('says nothing about mounting a file', async () => {
    const file = target({ kind: 'file', path: '/home/anna/d.img', mountPoints: [], disk: null })
    const { out } = await play([...noprompt, '--eject'], { plan: plan({ target: file }) })
    expect(
      out.endsWith('\tRestored target file is /home/anna/d.img.\nRestore completed successfully.\n'),
    ).toBe(true)
  })

  describe('exit status', () => {
    const corrupt = serializeError(
      new FormatError('E_SRC_CORRUPT', 'crc', { details: { format: 'udif', field: 'crc', offset: 7 } }),
    )
    const failing: readonly JobState[] = [
      state({ phase: 'restoring', outcome: { kind: 'failed', error: corrupt, target: 'empty' } }),
    ]

    it.each([
      [[], 1],
      [['--exit-codes'], 10],
      [['--json'], 10],
    ])('of a damaged image with %j is %i', async (options, expected) => {
      expect((await play([...noprompt, ...options], { states: failing })).status).toBe(expected)
    })

    it('of a refusal with --exit-codes is 2', async () => {
      expect((await play([...noprompt, '--exit-codes'], { plan: refused })).status).toBe(2)
    })

    it('of a failure nobody foresaw is 1, and 70 with --exit-codes', async () => {
      const failConnecting = new TypeError('undefined is not a function')
      expect((await play(noprompt, { failConnecting })).status).toBe(1)
      const finer = await play([...noprompt, '--exit-codes'], { failConnecting })
      expect(finer.status).toBe(70)
      expect(finer.err).toContain('Something went wrong inside Reprise. (E_BUG)')
    })
  })

  describe('Ctrl-C', () => {
    it('before the job stops at once, with nothing changed', async () => {
      const { status, err, startedJobs } = await play(restoreArgs, {
        answers: ['y'],
        interruptAfter: 'Validating sizes',
      })
      expect(startedJobs).toBe(0)
      expect(status).toBe(130)
      expect(err).toBe('Stopped. Nothing was changed.\n')
    })

    it('while the preflight hangs does not wait for it', async () => {
      const puppet = play([...noprompt, '--puppetstrings'], {
        plan: () => new Promise(() => undefined),
        interruptAfter: 'XSTA\tsetup',
      })
      expect((await puppet).status).toBe(130)
      expect((await puppet).out).toBe('XSTA\tstart\t1.2.3\tclient\nXSTA\tsetup\nXSTA\tfail\n')
    })

    it('while a target hangs that an image on the web is to fit onto does not wait for it', async () => {
      const web = ['restore', '--source', 'http://lab/a.dmg', '--target', '/dev/sdb', '--erase', '--noprompt']
      const { status, out } = await play([...web, '--puppetstrings'], {
        capacityOf: () => new Promise(() => undefined),
        interruptAfter: 'XSTA\tsetup',
      })
      expect(status).toBe(130)
      expect(out).toBe('XSTA\tstart\t1.2.3\tclient\nXSTA\tsetup\nXSTA\tfail\n')
    })

    it('cancels a running job once, waits for it, and tells the state of the target', async () => {
      const { promise: ended, resolve: end } = Promise.withResolvers<JobState>()
      let cancels = 0
      const { status, all } = await play(noprompt, {
        job: ({ interrupt }) => ({
          ended,
          subscribe(listener) {
            listener(state({ phase: 'restoring', percent: 43 }))
            interrupt()
            interrupt()
          },
          cancel() {
            cancels += 1
            const final = state({
              phase: 'restoring',
              percent: 43,
              outcome: { kind: 'cancelled', target: 'empty', percent: 43 },
            })
            setImmediate(() => end(final))
            return ended
          },
        }),
      })
      expect(cancels).toBe(1)
      expect(status).toBe(130)
      expect(all).toContain(
        [
          '\tRestoring  ....10....20....30....40.! Stopping at a safe point...\n',
          '! Still stopping: the target is being left in a safe state.\n',
          "\n! Stopped at 43 %.\n'/dev/sdb' was erased: it is empty, valid and unmounted.\n",
        ].join(''),
      )
    })

    it.each([
      ['SIGINT', false],
      ['SIGTERM', true],
      ['SIGHUP', true],
    ] as const)('tells the job by %s whether what came of a stream is kept', async (signal, isKept) => {
      const { promise: ended, resolve: end } = Promise.withResolvers<JobState>()
      let why: unknown
      await play(noprompt, {
        job: ({ interrupt }) => ({
          ended,
          subscribe: () => interrupt(signal),
          cancel(reason) {
            why = reason
            end(state({ outcome: { kind: 'cancelled', target: 'empty', percent: 43 } }))
            return ended
          },
        }),
      })
      expect(why instanceof Interruption).toBe(isKept)
    })

    it('that comes too late changes nothing about a restore that is done', async () => {
      const { status, cancels } = await play(noprompt, { interruptAfter: 'Verifying' })
      expect(cancels).toBe(1)
      expect(status).toBe(0)
    })
  })

  describe('an image of unknown size', () => {
    it('is drawn as a dot for each 64 MiB', async () => {
      const bytes = 64 * 1024 * 1024
      const { out } = await play([...noprompt, '--noverify'], {
        states: [
          state({ phase: 'restoring', percent: null, doneBytes: bytes * 2 }),
          state({ phase: 'restoring', percent: null, doneBytes: bytes * 5 + 1 }),
          state({ skipped: ['verifying'], outcome: { kind: 'done', summary } }),
        ],
      })
      expect(out).toContain('\tRestoring  .....done\n')
    })
  })

  it('draws passes that came and went between two samples', async () => {
    const { out } = await play(noprompt, { states: [state({ outcome: { kind: 'done', summary } })] })
    expect(out).toContain(
      '\tRestoring  ....10....20....30....40....50....60....70....80....90....100\n\tVerifying  ....10....20....30....40....50....60....70....80....90....100\n',
    )
  })

  it('prints its log lines to standard error with --verbose, fine ones with --debug', async () => {
    const logs = [
      { level: 'info', message: 'opened target', fields: { path: '/dev/sdb', direct: true } },
      { level: 'debug', message: 'pool', fields: { buffers: 8, why: 'by default' } },
    ] as const
    const line = '03:04:05.006 info  opened target  path=/dev/sdb direct=true\n'
    expect((await play(noprompt, { logs })).err).toBe('')
    expect((await play([...noprompt, '--verbose'], { logs })).err).toBe(line)
    expect((await play([...noprompt, '--debug'], { logs })).err).toBe(
      `${line}03:04:05.006 debug pool  buffers=8 why="by default"\n`,
    )
  })

  it('prints the chain of causes with --debug', async () => {
    const cause = new Error('read: EIO')
    const failConnecting = new DeviceError('E_IO_READ', 'read a.dmg at 0: EIO', {
      details: { path: 'a.dmg', errno: 'EIO', offset: 0 },
      cause,
    })
    const { err } = await play([...noprompt, '--debug'], { failConnecting })
    expect(err).toContain(
      'Details: E_IO_READ read a.dmg at 0: EIO {"path":"a.dmg","errno":"EIO","offset":0}\n',
    )
    expect(err).toContain('Caused by: E_BUG read: EIO')
  })

  describe('--format', () => {
    const hfs = (filesystem: string) => {
      const [partition] = image().partitions
      return image({ partitions: partition === undefined ? [] : [{ ...partition, filesystem }] })
    }
    const onto = (info: ReturnType<typeof image>) => ({
      plan: plan({ source: { kind: 'image', locator: 'a.dmg', name: 'a.dmg', image: info } }),
    })

    it.each([
      ['HFS+', 'hfsplus'],
      ['hfs+', 'hfsplus'],
      ['HFSX', 'hfsx'],
    ])('%s is fine for an image with %s', async (format, filesystem) => {
      expect((await play([...noprompt, '--format', format], onto(hfs(filesystem)))).status).toBe(0)
    })

    it.each([
      ['HFSX', 'hfsplus', "'a.dmg' holds HFS+, and a block copy can't make HFSX of it."],
      ['HFS+', 'hfsx', "'a.dmg' holds HFSX, and a block copy can't make HFS+ of it."],
      ['HFS+', 'apfs', "'a.dmg' holds no HFS+ volume."],
    ])('%s is refused for an image with %s', async (format, filesystem, problem) => {
      const { status, err, startedJobs } = await play(
        [...noprompt, '--format', format],
        onto(hfs(filesystem)),
      )
      expect(status).toBe(1)
      expect(startedJobs).toBe(0)
      expect(err).toContain(problem)
    })

    it('takes either for a device, because systems tell both by one name', async () => {
      const source = {
        kind: 'volume',
        locator: '/dev/sdc1',
        name: 'System',
        disk: disk(),
        volume: { ...disk().volumes[0]!, filesystem: 'hfsplus' },
      } as const
      const status = async (format: string) =>
        (await play([...noprompt, '--format', format], { plan: plan({ source }) })).status
      expect(await status('HFSX')).toBe(0)
      expect(await status('HFS+')).toBe(0)
    })

    it('says nothing of what is saved as a file, as asr, which heeds it where a destination is erased', async () => {
      const source = 'asr://lab.local/macos'
      const held = onto(hfs('apfs')).plan.source
      const args = ['restore', '--source', source, '--file', 'out.dmg', '--noprompt', '--format', 'HFS+']
      expect((await play(args, { plan: plan({ source: held }) })).status).toBe(0)
    })

    it('takes no other formats', async () => {
      const { err } = await play([...noprompt, '--format', 'APFS'])
      expect(err).toContain("--format takes HFS+ or HFSX; 'APFS' was given.")
    })
  })

  describe('--SHA1 and --SHA256', () => {
    const scanned = (sha1: string | null, sha256: string | null) => ({
      plan: plan({
        source: {
          kind: 'image',
          locator: 'a.dmg',
          name: 'a.dmg',
          image: image({
            scan: {
              partitions: [
                {
                  partNum: 1,
                  sha1,
                  sha256,
                  blockChecksum2: null,
                  dateMs: null,
                  usedBytes: null,
                  volumes: [],
                },
              ],
              blocks: null,
              dateMs: null,
              scannedBy: null,
            },
          }),
        },
      }),
    })

    it('are fine for an image that was scanned that way', async () => {
      expect((await play([...noprompt, '--SHA256'], scanned(null, 'ab'))).status).toBe(0)
      expect((await play([...noprompt, '--SHA1'], scanned('ab', null))).status).toBe(0)
    })

    it('are refused for one that was not', async () => {
      const { status, err } = await play([...noprompt, '--SHA256'], scanned('ab', null))
      expect(status).toBe(1)
      expect(err).toContain("'a.dmg' has no scan information with SHA-256. (E_SRC_NOSCAN)")
      expect((await play([...noprompt, '--SHA1'])).err).toContain('E_SRC_NOSCAN')
    })

    it('are not looked at with --noverify', async () => {
      expect((await play([...noprompt, '--noverify', '--SHA256'])).status).toBe(0)
    })

    it("can't be given together", async () => {
      const { err, requests } = await play([...noprompt, '--SHA1', '--SHA256'])
      expect(err).toContain("--SHA1 and --SHA256 can't both be asked for.")
      expect(requests).toEqual([])
    })
  })

  it.each([
    ['-corestorageconvert'],
    ['--sourcevolumename', 'Data'],
    ['--sourcevolumeUUID=1234'],
    ['--useReplication'],
    ['--useInverter'],
    ['--toSnapshot', 'a'],
    ['--fromSnapshot', 'b'],
  ])('says plainly that %s is for a Mac, instead of leaving it out', async (...options) => {
    const { status, err, out, requests } = await play([...noprompt, ...options])
    expect(err).toMatch(
      /^--\w+ isn't available: .*\. \(E_UNSUPPORTED\)\nLeave --\w+ out, or use asr on a Mac\.\n$/,
    )
    expect({ status, out, requests }).toEqual({ status: 1, out: '', requests: [] })
  })

  it('neither lists nor suggests what only a Mac has', async () => {
    const { err } = await play([...noprompt, '--toSnapshop'])
    expect(err).toBe('There is no option --toSnapshop here. (E_USAGE)\n')
    const help = await play(['help', 'restore'])
    const json = await play(['help', 'restore', '--json'])
    expect(help.out + json.out).not.toContain('Snapshot')
  })

  it('says in its help that an image has to be scanned, unless it is not verified', async () => {
    const { out } = await play(['help', 'restore'])
    expect(out).not.toContain('need not be scanned')
    expect(out.replaceAll('\n', ' ')).toContain(
      'has to be scanned first, with reprise imagescan, unless --noverify is given.',
    )
  })

  describe('before the engine is asked', () => {
    it.each([
      [['restore'], '--source is missing.'],
      [['restore', '--source', 'a.dmg'], '--target is missing.'],
      [['restore', '--source', 'a.dmg', '--target', '/dev/sdb'], 'Erase is required.'],
      [['restore', '--source', 'a.dmg', '--file', 'b'], '--file saves a multicast stream'],
      [
        ['restore', '--source', 'asr://lab', '--file', 'b', '--source-partition', '2'],
        '--file saves the whole image, whatever is in it.',
      ],
      [
        ['restore', '--source', 'a.dmg', '--target', 'b', '--erase', '--source-partition', '0'],
        '--source-partition takes',
      ],
      [
        ['restore', '--source', 'asr://lab:0/x', '--target', 'b', '--erase'],
        "This isn't the address of a multicast stream.",
      ],
      [
        ['restore', '--source', 'asr://lab', '--file', 'b', '--target', 'c', '--erase'],
        "--target and --file can't both be given.",
      ],
      [
        ['restore', '--source', 'ftp://x/a', '--target', 'b', '--erase'],
        "Addresses that begin with ftp:// can't be read. (E_UNSUPPORTED)\nName a file, or an address that begins with http://, https:// or asr://.",
      ],
      [
        ['restore', '--source', 'afp://x/a', '--target', 'b', '--erase'],
        "Addresses that begin with afp:// can't be read. (E_UNSUPPORTED)\nMount the share, and name the file on it.",
      ],
      [
        ['restore', '--source', 'a', '--target', 'https://x/b.img', '--erase'],
        'A target lies on this computer',
      ],
      [['restore', '--source', 'asr://lab', '--file', 'smb://x/b.dmg'], 'A target lies on this computer'],
      [
        [...restoreArgs, '--interface', 'eth1'],
        '--interface is for multicast streams, and this source is none.',
      ],
      [['restore', '--source', '--target', 'b', '--erase'], '--source needs a value.'],
      [['restore', '--source', 'a', '--target', '--erase'], '--target needs a value.'],
      [['restore', '--source', 'a', '--target', '', '--erase'], '--target takes a value; nothing was given.'],
      [['restore', '--source', 'a', '--source', 'b'], '--source is given twice.'],
      [['restore', '--sorce', 'a'], 'There is no option --sorce here. (E_USAGE)\nDid you mean --source?'],
      [['restore', '-erese'], 'There is no option -erese here. (E_USAGE)\nDid you mean --erase?'],
      [['restore', '--erase=yes'], '--erase takes no value.'],
      [['restore', 'a.dmg'], "'a.dmg' isn't expected here."],
      [['restore', '--buffers', '0'], '--buffers takes a whole number from 1 to 4096'],
      [['restore', '--buffers', 'many'], "'many' was given."],
      [['restore', '--buffersize', '8x'], '--buffersize takes a size up to 268 MB, such as 512k or 8m'],
      [['restore', '--buffersize', '1g'], "'1g' was given."],
      [['restore', '--timeout', '-1'], 'If -1 is meant to be the value, write --timeout=-1'],
    ])('%j: %s', async (argv, words) => {
      const { status, err, requests, out } = await play(argv)
      expect(err).toContain(words)
      expect(status).toBe(1)
      expect(requests).toEqual([])
      expect(out).toBe('')
    })
  })
})
