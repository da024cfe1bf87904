/** What we write is the same disk to everyone who reads such images. */
import { createHash } from 'node:crypto'
import { execFile, spawn } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { WritableFormat } from '#shared/model'
import { convertForReal } from '#test/convert-for-real'
import { diskToConvert, mapsToConvert } from '#test/disk-to-convert'
import { missing, program } from '#test/needs'
import { temporaryFolder, type TemporaryFolder } from '#test/temporary-folder'

const run = promisify(execFile)
const sevenZip = program('7zz') ?? program('7z') ?? ''
const no7z = program('7zz') === null && missing('program:7z')

async function hashOf(stream: AsyncIterable<unknown>): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of stream) hash.update(piece as Buffer)
  return hash.digest('hex')
}

async function bySevenZip(path: string): Promise<string> {
  // Compares the tables' checksums, too.
  await run(sevenZip, ['t', '-tdmg', path])
  return hashOf(spawn(sevenZip, ['x', '-tdmg', '-so', path], { stdio: ['ignore', 'pipe', 'ignore'] }).stdout)
}

/** `command` writes the disk into the file that `argumentsFor` is given. */
async function byFile(command: string, path: string, argumentsFor: (out: string) => readonly string[]) {
  const out = `${path}.out`
  await run(command, [...argumentsFor(out)])
  const hash = await hashOf(createReadStream(out))
  await rm(out)
  return hash
}

describe.each(mapsToConvert)('a disk with map %s', (map) => {
  let folder: TemporaryFolder
  let wanted = ''
  beforeAll(async () => {
    folder = await temporaryFolder()
    const disk = await diskToConvert(map)
    wanted = createHash('sha256').update(disk).digest('hex')
    await folder.write('disk.img', disk)
  })
  afterAll(() => folder[Symbol.asyncDispose]())

  /** Once for all who read it. */
  const made = new Map<WritableFormat, Promise<string>>()
  const convert = (format: WritableFormat): Promise<string> => {
    const path = made.get(format) ?? make(format)
    made.set(format, path)
    return path
  }
  const make = async (format: WritableFormat) => {
    const target = join(folder.path, `${format}.dmg`)
    await convertForReal({ source: join(folder.path, 'disk.img'), target, format })
    return target
  }

  describe.skipIf(no7z)('7-Zip', () => {
    it.each(['UDRO', 'UDZO', 'UDBZ', 'ULFO', 'ULMO', 'UDCO'] as const)('reads as %s', async (format) => {
      expect(await bySevenZip(await convert(format))).toBe(wanted)
    })
  })

  describe.skipIf(missing('program:dmg2img'))('dmg2img', () => {
    it.each(['UDRO', 'UDZO', 'UDBZ'] as const)('reads as %s', async (format) => {
      const path = await convert(format)
      expect(await byFile('dmg2img', path, (out) => ['-s', path, out])).toBe(wanted)
    })
  })

  describe.skipIf(missing('program:qemu-img'))('qemu-img', () => {
    it.each(['UDRO', 'UDZO'] as const)('reads as %s', async (format) => {
      const path = await convert(format)
      const read = byFile('qemu-img', path, (out) => ['convert', '-f', 'dmg', '-O', 'raw', path, out])
      expect(await read).toBe(wanted)
    })
  })
})
