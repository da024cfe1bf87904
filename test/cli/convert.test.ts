import { randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { diskToConvert } from '#test/disk-to-convert'
import { attachLoop, command } from '#test/loop'
import { missing } from '#test/needs'
import { reprise, startReprise, temporaryFolder } from './run-reprise.ts'

/** 96 MiB that take a while to compress, with a boot record's signature. */
function slowDisk(): Buffer {
  const disk = randomBytes(96 * 1024 * 1024)
  disk.writeUInt16LE(0xaa55, 510)
  return disk
}

/** `--format` and what follows it. */
const convert = (source: string, target: string, ...format: string[]) => [
  'image',
  'convert',
  '--source',
  source,
  '--target',
  target,
  '--format',
  ...format,
]

describe('reprise image convert', () => {
  it('goes there and back, and tells what it did', async () => {
    await using folder = await temporaryFolder()
    const disk = await diskToConvert('mbr')
    await writeFile(folder.path('a.img'), disk)
    const there = await reprise(convert(folder.path('a.img'), folder.path('b.dmg'), 'ulfo'))
    expect(there.err).toBe('')
    expect(there.status).toBe(0)
    expect(there.out).toContain('\tSource: Raw disk image, a disk of 25.2 MB in 25.2 MB (100 %)\n')
    expect(there.out).toContain('\tConverting  ....10....20')
    expect(there.out).toContain('....100\n\tTarget: UDIF read-only compressed (LZFSE), a disk of 25.2 MB in ')
    expect(there.out).toContain(`\tWritten to ${folder.path('b.dmg')}\nThe image was converted.\n`)

    const verified = await reprise(['image', 'verify', folder.path('b.dmg')])
    expect(verified.out).toContain('The image is intact.')

    await writeFile(folder.path('c.img'), 'old')
    const back = await reprise(
      convert(folder.path('b.dmg'), folder.path('c.img'), 'raw', '--erase', '--json'),
    )
    expect(back.status).toBe(0)
    expect(JSON.parse(back.out.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({
      type: 'outcome',
      kind: 'converted',
      conversion: { format: 'raw', sizeBytes: disk.length, storedBytes: disk.length },
    })
    expect(Buffer.compare(await readFile(folder.path('c.img')), disk)).toBe(0)
  })

  it.each(['SIGINT', 'SIGTERM'] as const)('%s stops it and leaves the old file', async (signal) => {
    await using folder = await temporaryFolder()
    await writeFile(folder.path('a.img'), slowDisk())
    await writeFile(folder.path('b.dmg'), 'precious')
    const running = startReprise(
      convert(folder.path('a.img'), folder.path('b.dmg'), 'ULMO', '--level', '9', '--erase'),
    )
    await running.said('Converting  ....10')
    running.child.kill(signal)
    const { status, err } = await running.ended
    expect(status).toBe(130)
    expect(err).toMatch(/^Stopped at \d+ %\.\nNothing was written: .* is as it was\.\n$/)
    expect(await readFile(folder.path('b.dmg'), 'utf8')).toBe('precious')
    expect((await readdir(folder.path('.'))).toSorted()).toEqual(['a.img', 'b.dmg'])
  })

  it.skipIf(missing('root', 'loop', 'program:mkfs.ext4')).each(['UDZO', 'raw'] as const)(
    'says in words that the disk is full, and leaves the old file: %s',
    async (format) => {
      await using folder = await temporaryFolder()
      await writeFile(folder.path('a.img'), slowDisk())
      await using loop = await attachLoop({ sizeBytes: 32 * 1024 * 1024 })
      await command('mkfs.ext4', ['-q', '-m', '0', loop.path])
      const mountPoint = folder.path('small')
      await mkdir(mountPoint)
      await command('mount', [loop.path, mountPoint])
      try {
        const target = join(mountPoint, 'b.dmg')
        await writeFile(target, 'precious')
        const { status, err } = await reprise(
          convert(folder.path('a.img'), target, format, '--erase', '--exit-codes'),
        )
        expect(err).toContain(`The disk that holds '${target}' is full. (E_DST_FULL)\n`)
        expect(err).toContain(`Nothing was written: '${target}' is as it was.\n`)
        expect(err).toContain('Free some space, or choose another place.\n')
        expect(status).toBe(11)
        expect(await readFile(target, 'utf8')).toBe('precious')
        expect((await readdir(mountPoint)).toSorted()).toEqual(['b.dmg', 'lost+found'])
      } finally {
        await command('umount', [mountPoint])
      }
    },
  )

  it('does not take the place of a file unless told to', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.path('a.img'), await diskToConvert('mbr'))
    await writeFile(folder.path('b.dmg'), 'precious')
    const { status, err } = await reprise(convert(folder.path('a.img'), folder.path('b.dmg'), 'UDZO'))
    expect(status).toBe(1)
    expect(err).toContain('already exists. (E_DST_EXISTS)')
    expect((await stat(folder.path('b.dmg'))).size).toBe(8)
  })
})
