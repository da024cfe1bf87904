import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Keyring } from '#engine/formats/encrypted'
import { openImage, unlockImage } from '#engine/formats/image'
import { convertForReal } from '#test/convert-for-real'
import { buildFat16, buildMbrDisk } from '#test/build-fat'
import { decryptPlainly } from '#test/encrypted-file'
import { expandImage } from '#test/expand-image'
import { noise } from '#test/image-of-runs'
import { missing, program } from '#test/needs'
import { temporaryFolder } from '#test/temporary-folder'

const sevenZip = program('7zz') ?? program('7z') ?? ''
const no7z = program('7zz') === null && missing('program:7z')
const password = 'pass wörd'
const encryption = { password }
const { volume } = buildFat16({ sectors: 4300, clusterSectors: 1, label: 'LABEL', files: [] })
const disk = buildMbrDisk({ sectors: 4400, firstSector: 64, type: 0x06, volume })
disk.set(noise(300_000, 5), 1_000_448)
/** One of each way to write; the other codecs differ in nothing that matters here. */
const formats = ['UDRO', 'UDZO', 'UDRW', 'UDSP', 'raw'] as const

async function expand(path: string, keyring = new Keyring()): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of expandImage(await openImage(path, { keyring }))) pieces.push(piece)
  return Buffer.concat(pieces)
}

describe('an image that is written encrypted', () => {
  it.each(formats)('as %s is the one that is written without, behind a password', async (format) => {
    await using folder = await temporaryFolder()
    const source = await folder.write('disk.img', disk)
    const target = join(folder.path, `a.${format === 'UDSP' ? 'sparseimage' : 'dmg'}`)
    const { storedBytes } = await convertForReal({ source, target, format, encryption })
    const file = readFileSync(target)
    expect(storedBytes).toBe(file.length)
    expect(file.includes(disk.subarray(1_000_448, 1_000_960))).toBe(false)

    const keyring = new Keyring()
    await unlockImage(target, password, { keyring })
    const { info } = await openImage(target, { keyring })
    expect(info).toMatchObject({
      format: format === 'raw' ? 'UDRW' : format,
      encrypted: { version: 2, bits: 256 },
      storedBytes,
    })
    expect(Buffer.compare(await expand(target, keyring), disk)).toBe(0)

    // By the format's description alone, and then without any of it.
    const plain = await folder.write(
      `plain${target.slice(target.lastIndexOf('.'))}`,
      decryptPlainly(file, password),
    )
    expect(Buffer.compare(await expand(plain), disk)).toBe(0)
  })

  it.skipIf(no7z)('is, decrypted, what other programs read', async () => {
    await using folder = await temporaryFolder()
    const source = await folder.write('disk.img', disk)
    const target = join(folder.path, 'a.dmg')
    await convertForReal({ source, target, format: 'UDZO', encryption })
    const plain = await folder.write('plain.dmg', decryptPlainly(readFileSync(target), password))
    expect(execFileSync(sevenZip, ['t', '-tdmg', plain], { encoding: 'utf8' })).toContain('Everything is Ok')
  })

  it('is made of an encrypted one, which has other keys then', async () => {
    await using folder = await temporaryFolder()
    const source = await folder.write('disk.img', disk)
    const [first, second] = [join(folder.path, 'a.dmg'), join(folder.path, 'b.dmg')]
    await convertForReal({ source, target: first, format: 'raw', encryption })
    await unlockImage(first, password)
    await convertForReal({ source: first, target: second, format: 'raw', encryption: { password: 'other' } })
    expect(Buffer.compare(decryptPlainly(readFileSync(second), 'other'), disk)).toBe(0)
    expect(
      Buffer.compare(readFileSync(first).subarray(122_368), readFileSync(second).subarray(122_368)),
    ).not.toBe(0)
    expect(() => decryptPlainly(readFileSync(second), password)).toThrow()
  })
})
