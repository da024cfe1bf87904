import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { everySecondPercent, readAsImagr, readAsRestor } from '#test/asr-callers'
import { buildUdif } from '#test/build-udif'
import { missing } from '#test/needs'
import { realImageList, realImagePath } from '#test/real-images'
import { scannedCopy } from '#test/scanned-copy'
import { reprise, startReprise, temporaryFolder } from './run-reprise.ts'

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** 1 MiB of data, 1 MiB of zeros and 1 MiB unused. */
const data = Buffer.from(Array.from({ length: 1_048_576 }, (_, index) => (index * 7 + (index >> 9)) & 0xff))
const expanded = Buffer.concat([data, Buffer.alloc(2_097_152)])
const { bytes: dmg } = buildUdif({
  tables: [
    {
      name: 'disk image (Apple_HFS : 1)',
      runs: [
        { kind: 'zlib', sectors: 1024, data: data.subarray(0, 524_288) },
        { kind: 'raw', sectors: 1024, data: data.subarray(524_288) },
        { kind: 'zero', sectors: 2048 },
        { kind: 'ignore', sectors: 2048 },
      ],
    },
  ],
})

describe('reprise restore to a file', () => {
  it('makes a disk of an image, verified', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.path('a.dmg'), dmg)
    const { status, out, err } = await reprise([
      'restore',
      '--source',
      folder.path('a.dmg'),
      '--target',
      folder.path('d.img'),
      '--erase',
    ])
    expect(err).toBe('')
    expect(out).toBe(
      [
        '\tValidating target...done\n',
        '\tValidating source...done\n',
        '\tValidating sizes...done\n',
        '\tRestoring  ....10....20....30....40....50....60....70....80....90....100\n',
        '\tVerifying  ....10....20....30....40....50....60....70....80....90....100\n',
        `\tRestored target file is ${folder.path('d.img')}.\n`,
        'Restore completed successfully.\n',
      ].join(''),
    )
    expect(status).toBe(0)
    expect(sha256(await readFile(folder.path('d.img')))).toBe(sha256(expanded))
  })

  it('leaves a file alone without --erase, and when the answer is no', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.path('a.dmg'), dmg)
    await writeFile(folder.path('d.img'), 'precious')
    const argv = ['restore', '-s', folder.path('a.dmg'), '-t', folder.path('d.img')]
    expect(await reprise(argv)).toMatchObject({ status: 1, out: '' })
    const no = await reprise([...argv, '--erase'], 'n\n')
    expect(no.out).toContain(`\tOverwrite file ${folder.path('d.img')}? [ny]: `)
    expect(no.err).toContain('E_NOT_CONFIRMED')
    expect(no.status).toBe(1)
    const nobody = await reprise([...argv, '--erase'])
    expect(nobody.err).toContain('Nobody answered the question.')
    expect(await readFile(folder.path('d.img'), 'utf8')).toBe('precious')
  })

  it('overwrites it when the answer is y', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.path('a.dmg'), dmg)
    await writeFile(folder.path('d.img'), Buffer.alloc(5_000_000, 1))
    const argv = ['-source', folder.path('a.dmg'), '-target', folder.path('d.img'), '-erase']
    expect(await reprise(argv, 'y\n')).toMatchObject({ status: 0, err: '' })
    expect(sha256(await readFile(folder.path('d.img')))).toBe(sha256(expanded))
  })

  it('refuses to overwrite the image it reads', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.path('a.dmg'), dmg)
    const path = folder.path('a.dmg')
    const { status, err } = await reprise(['restore', '-s', path, '-t', path, '--erase', '--noprompt'])
    expect(err).toContain('E_SAME')
    expect(status).toBe(1)
    expect(sha256(await readFile(path))).toBe(sha256(dmg))
  })

  it('does not make a file of a device that is not there', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.path('a.dmg'), dmg)
    const target = '/dev/reprise-no-such-disk'
    const { status } = await reprise([
      'restore',
      '-s',
      folder.path('a.dmg'),
      '-t',
      target,
      '--erase',
      '--noprompt',
    ])
    expect(status).toBe(1)
    expect(existsSync(target)).toBe(false)
  })

  it('tells a damaged image, and leaves no file behind that looks whole', async () => {
    await using folder = await temporaryFolder()
    const bad = Buffer.from(dmg)
    // In the raw run, so that only the checksum can tell.
    bad[bad.indexOf(data.subarray(700_000, 700_032))]! ^= 1
    await writeFile(folder.path('bad.dmg'), bad)
    const { status, out, err } = await reprise([
      'restore',
      '-s',
      folder.path('bad.dmg'),
      '-t',
      folder.path('d.img'),
      '--erase',
      '--noprompt',
      '--exit-codes',
    ])
    expect(err).toContain('(E_SRC_CORRUPT)')
    expect(err).toContain(`Nothing incomplete was left at '${folder.path('d.img')}'.`)
    expect(out).not.toContain('completed')
    expect(status).toBe(10)
    expect(existsSync(folder.path('d.img'))).toBe(false)
  })

  it('gives programs that run asr every step, on one pipe', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.path('a.dmg'), dmg)
    const { status, all, out } = await reprise([
      'restore',
      '--buffersize',
      '16m',
      '--source',
      folder.path('a.dmg'),
      '--target',
      folder.path('d.img'),
      '--erase',
      '--noprompt',
      '--puppetstrings',
    ])
    expect(status).toBe(0)
    expect(readAsRestor(all)).toEqual({
      imaging: everySecondPercent,
      verified: everySecondPercent,
      unknown: [],
    })
    expect(readAsImagr(out)).toHaveLength(100)
    expect(out.startsWith('XSTA\tstart\t')).toBe(true)
    expect(out.endsWith('XSTA\tfinish\n')).toBe(true)
  })

  it('gives them the reason of a failure, and never calls an unverified restore verified', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.path('a.dmg'), dmg)
    const argv = [
      'restore',
      '--erase',
      '--noprompt',
      '--puppetstrings',
      '--noverify',
      '-s',
      folder.path('a.dmg'),
    ]
    const good = await reprise([...argv, '-t', folder.path('d.img')])
    expect(readAsRestor(good.all)).toEqual({ imaging: everySecondPercent, verified: [], unknown: [] })
    const failed = await reprise([...argv, '-t', folder.path('a.dmg')])
    expect(failed.out.endsWith('XSTA\tfail\n')).toBe(true)
    expect(readAsRestor(failed.all).unknown[0]).toContain('overlap')
    expect(failed.status).toBe(1)
  })

  it('prints JSON that holds the outcome', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.path('a.dmg'), dmg)
    const { out, status } = await reprise([
      'restore',
      '-s',
      folder.path('a.dmg'),
      '-t',
      folder.path('d.img'),
      '--erase',
      '--json',
    ])
    const objects = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; kind?: string; summary?: object })
    expect(objects.at(-1)).toMatchObject({
      type: 'outcome',
      kind: 'done',
      summary: { restoredBytes: 3_145_728, verified: true },
    })
    expect(status).toBe(0)
  })

  describe('Ctrl-C', () => {
    // 8 GiB of zeros in 8 MB of gzip members: nobody gets to the end of it during a test.
    const member = gzipSync(Buffer.alloc(256 * 1024 * 1024), { level: 1 })
    const long = Buffer.concat(Array.from({ length: 32 }, () => member))

    it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
      '(%s) stops, and removes the file it made',
      async (signal) => {
        await using folder = await temporaryFolder()
        await writeFile(folder.path('a.img.gz'), long)
        const run = startReprise([
          'restore',
          '-s',
          folder.path('a.img.gz'),
          '-t',
          folder.path('d.img'),
          '--erase',
          '--noprompt',
        ])
        await run.said('Restoring  .')
        run.child.kill(signal)
        const { status, err, out } = await run.ended
        expect(status).toBe(130)
        expect(err).toContain('Stopping at a safe point...\nStopped.')
        expect(err).toContain('Nothing incomplete was left')
        expect(out).not.toContain('completed')
        expect(existsSync(folder.path('d.img'))).toBe(false)
      },
    )

    it('pressed twice does not kill it uncleanly', async () => {
      await using folder = await temporaryFolder()
      await writeFile(folder.path('a.img.gz'), long)
      await writeFile(folder.path('d.img'), 'there before')
      const run = startReprise([
        'restore',
        '-s',
        folder.path('a.img.gz'),
        '-t',
        folder.path('d.img'),
        '--erase',
        '--noprompt',
      ])
      await run.said('Restoring  .')
      run.child.kill('SIGINT')
      run.child.kill('SIGINT')
      const { status, signal } = await run.ended
      expect({ status, signal }).toEqual({ status: 130, signal: null })
      expect((await stat(folder.path('d.img'))).size).toBe(0)
    })

    it('that comes when all is done does not make it an interrupted one', async () => {
      await using folder = await temporaryFolder()
      await writeFile(folder.path('a.img'), Buffer.from([...Buffer.alloc(510), 0x55, 0xaa]))
      const ends = await Promise.all(
        [1, 2, 3, 4].map(async (count) => {
          const target = folder.path(`d${count}.img`)
          const run = startReprise(['restore', '-s', folder.path('a.img'), '-t', target, '--erase'])
          await run.said('Restore completed successfully.')
          run.child.kill('SIGINT')
          const { status, signal } = await run.ended
          return { status, signal }
        }),
      )
      expect(ends).toEqual(ends.map(() => ({ status: 0, signal: null })))
    })

    it('at the question changes nothing', async () => {
      await using folder = await temporaryFolder()
      await writeFile(folder.path('a.dmg'), dmg)
      await writeFile(folder.path('d.img'), 'precious')
      const run = startReprise(
        ['restore', '-s', folder.path('a.dmg'), '-t', folder.path('d.img'), '--erase'],
        null,
      )
      await run.said('[ny]: ')
      run.child.kill('SIGINT')
      const { status, err } = await run.ended
      expect(status).toBe(130)
      expect(err).toBe('Stopped. Nothing was changed.\n')
      expect(await readFile(folder.path('d.img'), 'utf8')).toBe('precious')
    })
  })
})

describe.skipIf(missing('images'))('reprise restore of real images', () => {
  const rows = realImageList.filter(
    (row) =>
      row.expandedSha256 !== undefined &&
      row.password === undefined &&
      (row.expandedBytes ?? Infinity) < 200e6 &&
      /^(UDRW|UDRO|UDCO|UDZO|UDBZ|ULFO|ULMO)/.test(row.kind),
  )

  it.each(rows.map((row) => [row.kind, row.file, row] as const))('%s %s', async (_, file, row) => {
    await using folder = await temporaryFolder()
    const { status, err } = await reprise([
      'restore',
      '-s',
      await scannedCopy(realImagePath(file), folder.path('')),
      '-t',
      folder.path('d.img'),
      '--erase',
    ])
    expect({ status, err }).toEqual({ status: 0, err: '' })
    expect(sha256(await readFile(folder.path('d.img')))).toBe(row.expandedSha256)
  })
})
