import { writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { readAsRestor } from '#test/asr-callers'
import { attachFaultyDisk } from '#test/faulty-disk'
import { missing } from '#test/needs'
import { reprise, temporaryFolder } from './run-reprise.ts'

const mebibyte = 1_048_576
const image = Buffer.from(Array.from({ length: 8 * mebibyte }, (_, index) => (index >> 8) & 0xff))

describe.skipIf(missing('linux', 'root', 'loop', 'program:nbdfuse'))('reprise restore to a bad disk', () => {
  const restore = async (target: string, ...options: string[]) => {
    await using folder = await temporaryFolder()
    await writeFile(folder.path('a.img'), image)
    const source = folder.path('a.img')
    return await reprise(['restore', '-s', source, '-t', target, '--erase', '--noprompt', ...options])
  }

  it('names where it could not be written, and in what state it is left', async () => {
    await using disk = await attachFaultyDisk({ sizeBytes: 16 * mebibyte, failAtOffset: 5 * mebibyte })
    const { status, out, err } = await restore(disk.path, '--exit-codes')
    expect(err).toMatch(
      new RegExp(
        [
          `^'${disk.path}' couldn't be written at byte [45],\\d{3},\\d{3} \\([45][.\\d]* MB\\)\\. \\(E_IO_WRITE\\)\n`,
          'The system reports EIO\\.\n',
          `'${disk.path}' was erased: it is empty, valid and unmounted\\.\n`,
        ].join(''),
      ),
    )
    expect(out).not.toContain('completed')
    expect(status).toBe(11)
  })

  it('finds by reading back what the disk only claims to have written', async () => {
    await using disk = await attachFaultyDisk({ sizeBytes: 16 * mebibyte, forgetWritesFrom: 6 * mebibyte })
    const { status, out, err } = await restore(disk.path, '--exit-codes')
    expect(err).toMatch(
      /^What was read back from '\/dev\/loop\d+' isn't what was written: \d+ blocks? differs?, the first at byte 6,29\d,\d{3} \(6\.29 MB\)\. \(E_VERIFY\)\nExpected [0-9a-f]+, found 0+\.\n/,
    )
    expect(out).toContain('\tVerifying  ')
    expect(out).not.toContain('completed')
    expect(status).toBe(4)
  })

  it('takes its word for it with --noverify', async () => {
    await using disk = await attachFaultyDisk({ sizeBytes: 16 * mebibyte, forgetWritesFrom: 6 * mebibyte })
    expect((await restore(disk.path, '--noverify')).status).toBe(0)
  })

  it('gives the reason to programs that run asr', async () => {
    await using disk = await attachFaultyDisk({ sizeBytes: 16 * mebibyte, failAtOffset: 5 * mebibyte })
    const { status, all, out } = await restore(disk.path, '--puppetstrings')
    expect(status).toBe(1)
    expect(out.endsWith('XSTA\tfail\n')).toBe(true)
    expect(readAsRestor(all).unknown[0]).toContain(`'${disk.path}' couldn't be written`)
  })
})
