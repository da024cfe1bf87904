import { createHash, randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import { mkdir, open } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import type { Disk } from '#shared/model'
import { buildUdif } from '#test/build-udif'
import { attachLoop, command, partitionLoop } from '#test/loop'
import { missing } from '#test/needs'
import { reprise, startReprise, temporaryFolder } from './run-reprise.ts'

const mebibyte = 1_048_576
const data = randomBytes(3 * mebibyte)
const { bytes: dmg } = buildUdif({
  tables: [
    {
      runs: [
        { kind: 'zlib', sectors: 2048, data: data.subarray(0, mebibyte) },
        { kind: 'raw', sectors: 4096, data: data.subarray(mebibyte) },
      ],
    },
  ],
})

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** The first bytes of a device, as they are now on the medium behind it. */
async function readHead(path: string, lengthBytes: number): Promise<Uint8Array> {
  await command('blockdev', ['--flushbufs', path])
  await using device = await open(path, 'r')
  const bytes = new Uint8Array(lengthBytes)
  await device.read(bytes, 0, lengthBytes, 0)
  return bytes
}

async function fill(path: string, byte: number, lengthBytes: number): Promise<void> {
  await using device = await open(path, 'r+')
  await device.write(Buffer.alloc(lengthBytes, byte))
  await device.sync()
}

describe.skipIf(missing('linux', 'root', 'loop'))('reprise on a loop device', () => {
  it('lists it, and where it is mounted', async () => {
    await using loop = await attachLoop({ sizeBytes: 32 * mebibyte })
    await command('mkfs.ext4', ['-q', '-L', 'CLITEST', loop.path])
    const { out, status } = await reprise(['devices', '--json'])
    expect(status).toBe(0)
    const disks = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Disk & { type: string })
    expect(disks.find(({ path }) => path === loop.path)).toMatchObject({
      type: 'disk',
      sizeBytes: 32 * mebibyte,
      bus: 'loop',
      protection: null,
      volumes: [{ filesystem: 'ext4', label: 'CLITEST' }],
    })
    const text = await reprise(['devices'])
    expect(text.out).toMatch(
      new RegExp(`^${loop.path}  +33\\.6 MB  Disk image  ext4  +reprise-loop-\\w+\\.img \\(CLITEST\\)$`, 'm'),
    )
    expect(text.out).toContain('protected: runs this computer (/')
  })

  it('writes only what changed when it is restored again, and says what was spared', async () => {
    await using folder = await temporaryFolder()
    await using loop = await attachLoop({ sizeBytes: 8 * mebibyte })
    await writeFile(folder.path('a.dmg'), dmg)
    const scan = await reprise(['imagescan', '--source', folder.path('a.dmg')])
    expect(scan.status).toBe(0)
    const restore = [
      'restore',
      '--source',
      folder.path('a.dmg'),
      '--target',
      loop.path,
      '--erase',
      '--noprompt',
    ]
    expect((await reprise(restore)).status).toBe(0)
    const none = await reprise([...restore, '--changed-only'])
    expect(none.out).toContain('\tNothing had changed: nothing was written.\n')
    await fill(loop.path, 0x55, 4096)
    const some = await reprise([...restore, '--changed-only'])
    expect(some.out).toMatch(/\tUnchanged: 2\.1 MB of 3\.15 MB; 1\.05 MB had to be written\n/)
    expect(some.status).toBe(0)
    expect(sha256(await readHead(loop.path, data.length))).toBe(sha256(data))
  })

  it('restores onto it when the answer is y', async () => {
    await using folder = await temporaryFolder()
    await using loop = await attachLoop({ sizeBytes: 8 * mebibyte })
    await writeFile(folder.path('a.dmg'), dmg)
    const { status, out, err } = await reprise(
      ['restore', '--source', folder.path('a.dmg'), '--target', loop.path, '--erase'],
      'y\n',
    )
    expect(err).toBe('')
    expect(out).toMatch(
      new RegExp(
        [
          '^\tValidating target\\.\\.\\.done\n',
          '\tValidating source\\.\\.\\.done\n',
          '\tValidating sizes\\.\\.\\.done\n',
          '\tWarning: 5\\.24 MB at the end will be left unused\n',
          `\tErase contents of ${loop.path} \\(reprise-loop-\\w+\\.img, 8\\.39 MB\\)\\? \\[ny\\]: `,
          '\tRestoring  (\\.{4}\\d0){9}\\.{4}100\n',
          '\tVerifying  (\\.{4}\\d0){9}\\.{4}100\n',
          `\tRestored target device is ${loop.path}\\.\n`,
          '\tRemounting target volume\\.\\.\\.done\n',
          'Restore completed successfully\\.\n$',
        ].join(''),
      ),
    )
    expect(status).toBe(0)
    expect(sha256(await readHead(loop.path, data.length))).toBe(sha256(data))
  })

  it('leaves it alone when the answer is n, without --erase, and when the image is too large', async () => {
    await using folder = await temporaryFolder()
    await using loop = await attachLoop({ sizeBytes: 2 * mebibyte })
    await fill(loop.path, 0x5a, 2 * mebibyte)
    const before = sha256(await readHead(loop.path, 2 * mebibyte))
    await writeFile(folder.path('a.dmg'), dmg)
    await writeFile(folder.path('small.img'), Buffer.alloc(mebibyte, 1))
    const no = await reprise(['restore', '-s', folder.path('small.img'), '-t', loop.path, '--erase'], 'n\n')
    expect(no.status).toBe(1)
    const noErase = await reprise(['restore', '-s', folder.path('small.img'), '-t', loop.path, '--noprompt'])
    expect(noErase.err).toContain('E_NEEDS_ERASE')
    const large = await reprise([
      'restore',
      '-s',
      folder.path('a.dmg'),
      '-t',
      loop.path,
      '--erase',
      '--noprompt',
      '--exit-codes',
    ])
    expect(large.status).toBe(2)
    expect(large.out).toContain('\tValidating sizes...failed\n')
    expect(large.err).toContain(`'${loop.path}' is 1.05 MB too small. (E_DST_SMALL)`)
    expect(sha256(await readHead(loop.path, 2 * mebibyte))).toBe(before)
  })

  it('names the mount point in the question, unmounts it, and restores onto a partition', async () => {
    await using folder = await temporaryFolder()
    await using loop = await attachLoop({ sizeBytes: 64 * mebibyte })
    const [first = '', second = ''] = await partitionLoop(loop.path, 'label: gpt\nsize=16M\nsize=16M\n')
    await command('mkfs.ext4', ['-q', first])
    await fill(second, 0x77, mebibyte)
    await mkdir(folder.path('mnt'))
    await command('mount', [first, folder.path('mnt')])
    await writeFile(folder.path('a.dmg'), dmg)
    const { status, out } = await reprise(
      ['restore', '-s', folder.path('a.dmg'), '-t', folder.path('mnt'), '--erase'],
      'y\n',
    )
    expect(out).toContain(`\tErase contents of ${first} (${folder.path('mnt')})? [ny]: `)
    expect(out).toContain(`\tRestored target device is ${first}.\n`)
    expect(status).toBe(0)
    expect(sha256(await readHead(first, data.length))).toBe(sha256(data))
    expect((await readHead(second, 512)).every((byte) => byte === 0x77)).toBe(true)
    expect(await readFile('/proc/self/mountinfo', 'utf8')).not.toContain(folder.path('mnt'))
  })

  it('is left empty and valid by Ctrl-C, and says so', async () => {
    await using folder = await temporaryFolder()
    await using loop = await attachLoop({ sizeBytes: 4096 * mebibyte })
    const member = gzipSync(Buffer.alloc(128 * mebibyte, 'something'), { level: 1 })
    await writeFile(folder.path('a.img.gz'), Buffer.concat(Array.from({ length: 30 }, () => member)))
    await fill(loop.path, 0x5a, mebibyte)
    const run = startReprise([
      'restore',
      '-s',
      folder.path('a.img.gz'),
      '-t',
      loop.path,
      '--erase',
      '--noprompt',
    ])
    await run.said('Restoring  .')
    run.child.kill('SIGINT')
    const { status, err } = await run.ended
    expect(status).toBe(130)
    expect(err).toContain(`'${loop.path}' was erased: it is empty, valid and unmounted.`)
    // A partition map without partitions.
    expect(await command('sfdisk', ['--json', loop.path])).toContain('"label": "gpt"')
    expect(await command('partx', ['--show', '--noheadings', loop.path]).catch(() => '')).toBe('')
  })

  it('ejects it when asked to', async () => {
    await using folder = await temporaryFolder()
    await using loop = await attachLoop({ sizeBytes: 8 * mebibyte })
    await writeFile(folder.path('a.dmg'), dmg)
    const { status, out, err } = await reprise([
      'restore',
      '-s',
      folder.path('a.dmg'),
      '-t',
      loop.path,
      '--erase',
      '--noprompt',
      '--eject',
    ])
    expect({ status, err }).toEqual({ status: 0, err: '' })
    expect(out).toContain('\tEjecting target device...done\n')
    expect(await command('losetup', ['--list', '--noheadings', '--output', 'BACK-FILE'])).not.toContain(
      loop.file,
    )
    expect(sha256((await readFile(loop.file)).subarray(0, data.length))).toBe(sha256(data))
  })

  it('copies one device onto another', async () => {
    await using from = await attachLoop({ sizeBytes: 4 * mebibyte })
    await using to = await attachLoop({ sizeBytes: 4 * mebibyte })
    {
      await using device = await open(from.path, 'r+')
      await device.write(data)
      await device.sync()
    }
    const { status, err } = await reprise([
      'restore',
      '-s',
      from.path,
      '-t',
      to.path,
      '--erase',
      '--noprompt',
    ])
    expect({ status, err }).toEqual({ status: 0, err: '' })
    expect(sha256(await readHead(to.path, data.length))).toBe(sha256(data))
  })

  it('is refused as the target of an image that is stored on it', async () => {
    await using folder = await temporaryFolder()
    await using loop = await attachLoop({ sizeBytes: 64 * mebibyte })
    await command('mkfs.ext4', ['-q', loop.path])
    await mkdir(folder.path('mnt'))
    await command('mount', [loop.path, folder.path('mnt')])
    await writeFile(folder.path('mnt/a.dmg'), dmg)
    const { status, err } = await reprise([
      'restore',
      '-s',
      folder.path('mnt/a.dmg'),
      '-t',
      loop.path,
      '--erase',
      '--noprompt',
    ])
    expect(status).toBe(1)
    expect(err).toContain(`The source is stored on '${loop.path}'. (E_DST_HOLDS_SRC)`)
    expect(sha256(await readFile(folder.path('mnt/a.dmg')))).toBe(sha256(dmg))
    await command('umount', [folder.path('mnt')])
  })
})
