/** A disk whose image was resized is sound to those who make partition maps. */
import { execFile } from 'node:child_process'
import { truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { resizeImage } from '#engine/resize'
import { convertForReal } from '#test/convert-for-real'
import { missing } from '#test/needs'
import { quietContext } from '#test/quiet-context'
import { temporaryFolder } from '#test/temporary-folder'

const run = promisify(execFile)
const mebibyte = 1024 * 1024
const deps = { platform: { list: async () => [] } }

describe.skipIf(missing('program:sgdisk'))('GPT fdisk', () => {
  it.each(['raw', 'UDSP', 'UDSB'] as const)('finds nothing wrong with a resized %s image', async (format) => {
    await using folder = await temporaryFolder()
    const source = join(folder.path, 'disk.img')
    await writeFile(source, '')
    await truncate(source, 64 * mebibyte)
    await run('sgdisk', ['-n', '1:2048:+10M', '-n', '2:0:+5M', source])
    const path = join(folder.path, `image.${format}`)
    await convertForReal({ source, target: path, format })
    for (const sizeBytes of [300 * mebibyte, 70 * mebibyte + 512, 17 * mebibyte]) {
      await resizeImage({ path, sizeBytes }, deps, quietContext())
      const raw = join(folder.path, 'raw.img')
      await convertForReal({ source: path, target: raw, format: 'raw' })
      const { stdout } = await run('sgdisk', ['-v', '-p', raw])
      expect(stdout).toContain('No problems found')
      expect(stdout).toContain(`${sizeBytes / 512} sectors`)
      expect(stdout.match(/^ +\d+ +\d+ +\d+/gm)).toHaveLength(2)
    }
  })
})
