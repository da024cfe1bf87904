/** What we build is read alike by other people's readers: the builder of our tests isn't only right in our own eyes. */
import { createHash } from 'node:crypto'
import { execFile, spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { openImage } from '#engine/formats/image'
import { expandImage } from '#test/expand-image'
import { missing, program } from '#test/needs'
import { temporaryFolder } from '#test/temporary-folder'
import type { GoodVector } from '#test/vector-lists'

const root = join(dirname(import.meta.dirname), '../../..')
const folder = join(root, 'test/vectors/good')
const vectors = JSON.parse(await readFile(join(folder, 'vectors.json'), 'utf8')) as GoodVector[]
const run = promisify(execFile)

const sevenZip = program('7zz') ?? program('7z') ?? ''
const no7z = program('7zz') === null && missing('program:7z')

async function hashOfStdout(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  const hash = createHash('sha256')
  for await (const piece of child.stdout) hash.update(piece as Buffer)
  return hash.digest('hex')
}

async function hashOfFile(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex')
}

describe.skipIf(no7z)('7-Zip', () => {
  // It reads neither resource forks without plist nor segments, nor runs out of order, nor gaps within a table.
  for (const { file, sha256 } of vectors.filter(
    ({ file }) => file.endsWith('.dmg') && !/fork|segmented|wrongly|backwards|gaps/.test(file),
  ))
    it(`makes the same disk of ${file} and finds its checksums right`, async () => {
      await run(sevenZip, ['t', '-tdmg', join(folder, file)])
      expect(await hashOfStdout(sevenZip, ['x', '-tdmg', '-so', join(folder, file)])).toBe(sha256)
    })

  it('makes the same disk of the Practice image, and a file system with three files', async () => {
    const path = join(root, 'assets/practice.dmg')
    const hash = createHash('sha256')
    for await (const piece of expandImage(await openImage(path))) hash.update(piece)
    expect(await hashOfStdout(sevenZip, ['x', '-tdmg', '-so', path])).toBe(hash.digest('hex'))
    const { stdout } = await run(sevenZip, ['l', path])
    expect(stdout).toContain('READ ME.txt')
    expect(stdout).toContain('3 files')
    expect((await readFile(path)).length).toBeLessThan(100_000)
  })
})

describe.skipIf(missing('program:dmg2img'))('dmg2img', () => {
  for (const name of ['udro', 'udzo', 'udbz'])
    it(`makes the same disk of ${name}.dmg`, async () => {
      await using work = await temporaryFolder()
      const out = join(work.path, 'disk')
      await run('dmg2img', ['-s', join(folder, `${name}.dmg`), out])
      expect(await hashOfFile(out)).toBe(vectors.find(({ file }) => file === `${name}.dmg`)?.sha256)
    })
})

describe.skipIf(missing('program:qemu-img'))('qemu-img', () => {
  for (const name of ['udro', 'udzo'])
    it(`makes the same disk of ${name}.dmg`, async () => {
      await using work = await temporaryFolder()
      const out = join(work.path, 'disk')
      await run('qemu-img', ['convert', '-f', 'dmg', '-O', 'raw', join(folder, `${name}.dmg`), out])
      expect(await hashOfFile(out)).toBe(vectors.find(({ file }) => file === `${name}.dmg`)?.sha256)
    })
})

describe.skipIf(missing('program:fsck.vfat'))('fsck.vfat', () => {
  it('finds nothing wrong with the volume of the Practice image', async () => {
    await using work = await temporaryFolder()
    const image = await openImage(join(root, 'assets/practice.dmg'))
    const pieces: Uint8Array[] = []
    for await (const piece of expandImage(image)) pieces.push(piece)
    const offset = image.info.partitions[0]?.offset ?? 0
    const path = await work.write('volume', Buffer.concat(pieces).subarray(offset))
    const { stdout } = await run(program('fsck.vfat') ?? '', ['-n', path])
    expect(stdout).toContain('4 files')
  })
})
