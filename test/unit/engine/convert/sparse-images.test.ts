import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { chmod, cp, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { convertImage } from '#engine/convert'
import { openImage } from '#engine/formats/image'
import type { WritableFormat } from '#shared/model'
import { plistOf } from '#test/build-sparse'
import { diskToConvert, mapsToConvert } from '#test/disk-to-convert'
import { expandImage } from '#test/expand-image'
import { noise } from '#test/image-of-runs'
import { quietContext } from '#test/quiet-context'
import { temporaryFolder, type TemporaryFolder } from '#test/temporary-folder'

let folder: TemporaryFolder
beforeEach(async () => {
  folder = await temporaryFolder()
})
afterEach(() => folder[Symbol.asyncDispose]())

const convert = (source: string, target: string, format: WritableFormat, context = quietContext()) =>
  convertImage(
    { source, target, format, level: null, erase: true, segmentBytes: null, encryption: null },
    context,
  )

async function expand(path: string): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of expandImage(await openImage(path))) pieces.push(piece)
  return Buffer.concat(pieces)
}

const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0
const left = () => readdirSync(folder.path).sort()
/** Of what isn't complete. */
const hiddenModes = () =>
  left()
    .filter((name) => name.endsWith('.part'))
    .map((name) => statSync(at(name)).mode & 0o777)
const at = (name: string) => join(folder.path, name)

/** Nine MiB: something in the first, the fourth and the last half of one. */
function smallDisk(seed: number): Buffer {
  const disk = Buffer.alloc(9 * 1024 * 1024 + 512 * 1024)
  disk.writeUInt16LE(0xaa55, 510)
  disk.set(noise(1000, seed), 1000)
  disk.set(noise(70_000, seed + 1), 3 * 1024 * 1024 + 500_000)
  disk.set(noise(512, seed + 2), disk.length - 512)
  return disk
}

describe('a disk', () => {
  it.each(mapsToConvert)(
    'with map %s is the same disk in a ring through every sparse format',
    async (map) => {
      const disk = await diskToConvert(map)
      let source = await folder.write('disk.img', disk)
      for (const format of ['UDSP', 'UDZO', 'UDSB', 'UDSP', 'raw'] as const) {
        const target = at(`${basename(source)}.${format}`)
        const conversion = await convert(source, target, format)
        const { info } = await openImage(target)
        expect(info).toMatchObject({ format, sizeBytes: disk.length, partitionMap: map })
        expect(conversion).toMatchObject({ sizeBytes: disk.length, storedBytes: info.storedBytes })
        source = target
      }
      expect(same(readFileSync(source), disk)).toBe(true)
      // Holes stay holes, from one to the next and in the end.
      expect(statSync(source).blocks * 512).toBeLessThan(8_000_000)
    },
  )

  it('is stored in bands of what is not zeros, as hdiutil sizes them', async () => {
    const source = await folder.write('disk.img', smallDisk(1))
    const image = await convert(source, at('disk.sparseimage'), 'UDSP')
    expect(image.storedBytes).toBe(4096 + 3 * 1024 * 1024)
    const bytes = readFileSync(at('disk.sparseimage'))
    expect(bytes).toHaveLength(image.storedBytes)
    const words = Array.from({ length: 20 }, (_, index) => bytes.readUInt32BE(index * 4))
    const sectors = 19 * 1024
    // Signature, version, sectors in a band, flags, sectors, next node (8 bytes), sectors (8 bytes)
    expect(words.slice(0, 9)).toEqual([0x73707273, 3, 2048, 1, sectors, 0, 0, 0, sectors])
    expect(words.slice(9, 16)).toEqual([0, 0, 0, 0, 0, 0, 0])
    // Bands 1, 4 and 10, and no more.
    expect(words.slice(16)).toEqual([1, 4, 10, 0])
    await convert(source, at('disk.sparsebundle'), 'UDSB')
    expect(readdirSync(at('disk.sparsebundle')).sort()).toEqual([
      'Info.bckup',
      'Info.plist',
      'bands',
      'token',
    ])
    expect(readdirSync(at('disk.sparsebundle/bands')).sort()).toEqual(['0', '1'])
    expect(statSync(at('disk.sparsebundle/token')).size).toBe(0)
    const plist = readFileSync(at('disk.sparsebundle/Info.plist'), 'utf8')
    expect(plist).toContain('<key>band-size</key>\n\t<integer>8388608</integer>')
    expect(plist).toContain(`<key>size</key>\n\t<integer>${9.5 * 1024 * 1024}</integer>`)
    expect(readFileSync(at('disk.sparsebundle/Info.bckup'), 'utf8')).toBe(plist)
  })

  it('of zeros has no band at all', async () => {
    const source = await folder.write('empty.img', Buffer.alloc(3 * 1024 * 1024))
    await convert(source, at('empty.sparseimage'), 'UDSP')
    expect(statSync(at('empty.sparseimage')).size).toBe(4096)
    await convert(source, at('empty.sparsebundle'), 'UDSB')
    expect(readdirSync(at('empty.sparsebundle/bands'))).toEqual([])
    for (const name of ['empty.sparseimage', 'empty.sparsebundle'])
      expect(same(await expand(at(name)), Buffer.alloc(3 * 1024 * 1024))).toBe(true)
  })
})

describe('a sparse bundle that is there', () => {
  it('is replaced as a whole, and nothing of it is left', async () => {
    const first = await folder.write('first.img', Buffer.concat([smallDisk(1), noise(9_000_000, 7)]))
    const second = await folder.write('second.img', smallDisk(4))
    await convert(first, at('disk.sparsebundle'), 'UDSB')
    await convert(second, at('disk.sparsebundle'), 'UDSB')
    expect(same(await expand(at('disk.sparsebundle')), smallDisk(4))).toBe(true)
    expect(left()).toEqual(['disk.sparsebundle', 'first.img', 'second.img'])
  })

  it('behind a link is replaced where it is', async () => {
    await mkdir(at('real'))
    const source = await folder.write('disk.img', smallDisk(1))
    await convert(source, at('real/disk.sparsebundle'), 'UDSB')
    await symlink(at('real/disk.sparsebundle'), at('link.sparsebundle'))
    await writeFile(source, smallDisk(5))
    await convert(source, at('link.sparsebundle'), 'UDSB')
    expect(same(await expand(at('real/disk.sparsebundle')), smallDisk(5))).toBe(true)
    expect(readdirSync(at('real'))).toEqual(['disk.sparsebundle'])
  })

  it('stays when the conversion is stopped or fails', async () => {
    const source = await folder.write('disk.img', smallDisk(1))
    await convert(source, at('disk.sparsebundle'), 'UDSB')
    const abort = new AbortController()
    const context = { ...quietContext(abort.signal), advance: () => abort.abort(new Error('enough')) }
    const other = await folder.write('other.img', smallDisk(2))
    await expect(convert(other, at('disk.sparsebundle'), 'UDSB', context)).rejects.toThrow('enough')
    expect(same(await expand(at('disk.sparsebundle')), smallDisk(1))).toBe(true)
    expect(left()).toEqual(['disk.img', 'disk.sparsebundle', 'other.img'])
  })

  it('that was being replaced when the machine stopped comes back', async () => {
    const source = await folder.write('disk.img', smallDisk(1))
    await convert(source, at('disk.sparsebundle'), 'UDSB')
    await rename(at('disk.sparsebundle'), at('.disk.sparsebundle.reprise-old'))
    const abort = new AbortController()
    const context = { ...quietContext(abort.signal), advance: () => abort.abort(new Error('enough')) }
    await expect(convert(source, at('disk.sparsebundle'), 'UDSB', context)).rejects.toThrow('enough')
    expect(same(await expand(at('disk.sparsebundle')), smallDisk(1))).toBe(true)
  })

  it('is replaced without touching what an earlier attempt left hidden', async () => {
    const source = await folder.write('disk.img', smallDisk(1))
    await convert(source, at('disk.sparsebundle'), 'UDSB')
    await cp(at('disk.sparsebundle'), at('.disk.sparsebundle.reprise-old'), { recursive: true })
    await writeFile(source, smallDisk(5))
    await convert(source, at('disk.sparsebundle'), 'UDSB')
    expect(same(await expand(at('disk.sparsebundle')), smallDisk(5))).toBe(true)
    expect(same(await expand(at('.disk.sparsebundle.reprise-old')), smallDisk(1))).toBe(true)
    expect(left()).toEqual(['.disk.sparsebundle.reprise-old', 'disk.img', 'disk.sparsebundle'])
  })

  it('that was being replaced more than once when the machine stopped comes back as it was last', async () => {
    const source = await folder.write('disk.img', smallDisk(1))
    await convert(source, at('disk.sparsebundle'), 'UDSB')
    // Of the first nothing but a part is left: it was being removed.
    await cp(at('disk.sparsebundle'), at('.disk.sparsebundle.reprise-old'), { recursive: true })
    await rm(at('.disk.sparsebundle.reprise-old/bands/0'))
    await rename(at('disk.sparsebundle'), at('.disk.sparsebundle.reprise-old-2'))
    const abort = new AbortController()
    const context = { ...quietContext(abort.signal), advance: () => abort.abort(new Error('enough')) }
    await expect(convert(source, at('disk.sparsebundle'), 'UDSB', context)).rejects.toThrow('enough')
    expect(same(await expand(at('disk.sparsebundle')), smallDisk(1))).toBe(true)
  })

  it('that was replaced and only half removed does not come back', async () => {
    const source = await folder.write('disk.img', smallDisk(1))
    await convert(source, at('disk.sparsebundle'), 'UDSB')
    // Under any longer name of the bundle, the path of its last file is too long for the system.
    const file = `._${'f'.repeat(200)}`
    const wanted = 4095 - join('/disk.sparsebundle', file).length
    let deep = at('deep')
    while (deep.length < wanted) deep = join(deep, 'd'.repeat(Math.min(200, wanted - deep.length - 1)))
    await mkdir(deep, { recursive: true })
    const bundle = join(deep, 'disk.sparsebundle')
    await rename(at('disk.sparsebundle'), bundle)
    await writeFile(join(bundle, file), '')
    await convert(source, bundle, 'UDSB')
    await rm(bundle, { recursive: true })
    const [half = ''] = readdirSync(deep)
    const abort = new AbortController()
    const context = { ...quietContext(abort.signal), advance: () => abort.abort(new Error('enough')) }
    await expect(convert(source, bundle, 'UDSB', context)).rejects.toThrow('enough')
    expect(readdirSync(deep)).toEqual([half])
    await rename(join(deep, half), at('x'))
  })

  it('is replaced with what systems put into it', async () => {
    const source = await folder.write('disk.img', smallDisk(1))
    const bundle = at('disk.sparsebundle')
    await convert(source, bundle, 'UDSB')
    await rm(join(bundle, 'Info.plist'))
    for (const name of [
      '.DS_Store',
      '._bands',
      'lock',
      '.reprise-0123456789ab.part',
      'bands/._0',
      'bands/.DS_Store',
    ])
      await writeFile(join(bundle, name), '')
    await mkdir(join(bundle, 'mapped'))
    await writeFile(join(bundle, 'mapped/1f'), '')
    await writeFile(source, smallDisk(5))
    await convert(source, bundle, 'UDSB')
    expect(same(await expand(bundle), smallDisk(5))).toBe(true)
    expect(left()).toEqual(['disk.img', 'disk.sparsebundle'])
  })

  const everything = { recursive: true, encoding: 'utf8' } as const
  const others: readonly [what: string, change: (bundle: string) => Promise<void>][] = [
    ['holds something else', (bundle) => writeFile(join(bundle, 'keep.txt'), 'mine')],
    ['holds a folder called as a file may be', (bundle) => mkdir(join(bundle, '.DS_Store'))],
    ['holds something else in bands', (bundle) => writeFile(join(bundle, 'bands/keep.txt'), 'mine')],
    ['holds a folder in bands', (bundle) => mkdir(join(bundle, 'bands/a'))],
    ['holds something else in mapped', async (bundle) => {
      await mkdir(join(bundle, 'mapped'))
      await writeFile(join(bundle, 'mapped/keep.txt'), 'mine')
    }],
    ['has no plist', async (bundle) => {
      await rm(join(bundle, 'Info.plist'))
      await rm(join(bundle, 'Info.bckup'))
    }],
    ["has another bundle's plist", async (bundle) => {
      for (const name of ['Info.plist', 'Info.bckup'])
        await writeFile(join(bundle, name), plistOf('<key>CFBundleName</key><string>Music</string>'))
    }],
    ['has a link as its plist', async (bundle) => {
      await rename(join(bundle, 'Info.plist'), at('a.plist'))
      await symlink(at('a.plist'), join(bundle, 'Info.plist'))
    }],
    ['has its bands behind a link', async (bundle) => {
      await rename(join(bundle, 'bands'), at('elsewhere'))
      await symlink(at('elsewhere'), join(bundle, 'bands'))
    }],
    ['has no bands', (bundle) => rm(join(bundle, 'bands'), { recursive: true })],
  ] // prettier-ignore

  it.each(others)('is not replaced, and nothing in it touched, when it %s', async (_, change) => {
    const source = await folder.write('disk.img', smallDisk(1))
    const bundle = at('disk.sparsebundle')
    await convert(source, bundle, 'UDSB')
    await change(bundle)
    const before = [left(), readdirSync(bundle, everything).sort()]
    await expect(convert(source, bundle, 'UDSB')).rejects.toMatchObject({ code: 'E_DST_KIND' })
    expect([left(), readdirSync(bundle, everything).sort()]).toEqual(before)
  })

  it('is not replaced when something else came into it meanwhile', async () => {
    const source = await folder.write('disk.img', smallDisk(1))
    const bundle = at('disk.sparsebundle')
    await convert(source, bundle, 'UDSB')
    const other = await folder.write('other.img', smallDisk(5))
    const context = { ...quietContext(), advance: () => writeFileSync(join(bundle, 'keep.txt'), 'mine') }
    await expect(convert(other, bundle, 'UDSB', context)).rejects.toMatchObject({ code: 'E_DST_KIND' })
    expect(readFileSync(join(bundle, 'keep.txt'), 'utf8')).toBe('mine')
    expect(same(await expand(bundle), smallDisk(1))).toBe(true)
    expect(left()).toEqual(['disk.img', 'disk.sparsebundle', 'other.img'])
  })

  it('is no folder that happens to hold one called bands', async () => {
    const source = await folder.write('disk.img', smallDisk(1))
    await mkdir(at('music/bands'), { recursive: true })
    await writeFile(at('music/keep.txt'), 'mine')
    await expect(convert(source, at('music'), 'UDSB')).rejects.toMatchObject({ code: 'E_DST_KIND' })
    expect(readFileSync(at('music/keep.txt'), 'utf8')).toBe('mine')
  })

  it("is read by nobody else while it replaces somebody's", async () => {
    const source = await folder.write('disk.img', smallDisk(1))
    await convert(source, at('disk.sparsebundle'), 'UDSB')
    await chmod(at('disk.sparsebundle'), 0o750)
    const seen = new Set<number>()
    const look = () => {
      for (const mode of hiddenModes()) seen.add(mode)
    }
    const context = { ...quietContext(), advance: look }
    await convert(source, at('disk.sparsebundle'), 'UDSB', context)
    expect([...seen]).toEqual([0o700])
    expect(statSync(at('disk.sparsebundle')).mode & 0o777).toBe(0o750)
  })

  it('is not replaced without being asked', async () => {
    const source = await folder.write('disk.img', smallDisk(1))
    await convert(source, at('disk.sparsebundle'), 'UDSB')
    const request = {
      source,
      target: at('disk.sparsebundle'),
      level: null,
      erase: false,
      segmentBytes: null,
      encryption: null,
    }
    for (const format of ['UDSB', 'UDSP'] as const)
      await expect(convertImage({ ...request, format }, quietContext())).rejects.toMatchObject({
        code: format === 'UDSB' ? 'E_DST_EXISTS' : 'E_DST_KIND',
      })
  })
})

describe('a name with a / at its end', () => {
  it('is as good as any for a sparse bundle, which is a folder', async () => {
    const source = await folder.write('disk.img', smallDisk(1))
    await convert(source, `${at('disk.sparsebundle')}/`, 'UDSB')
    await convert(source, `${at('disk.sparsebundle')}/`, 'UDSB')
    expect(left()).toEqual(['disk.img', 'disk.sparsebundle'])
    await folder.write('file', 'x')
    await expect(convert(source, `${at('file')}/`, 'UDSB')).rejects.toMatchObject({ code: 'E_DST_KIND' })
  })
})

describe('what is not replaced by a sparse bundle', () => {
  it.each(['a folder of papers', 'a file'])('is %s', async (what) => {
    const source = await folder.write('disk.img', smallDisk(1))
    if (what === 'a file') await folder.write('target', 'x')
    else {
      await mkdir(at('target'))
      await folder.write('target/papers.txt', 'x')
    }
    await expect(convert(source, at('target'), 'UDSB')).rejects.toMatchObject({ code: 'E_DST_KIND' })
    expect(existsSync(what === 'a file' ? at('target') : at('target/papers.txt'))).toBe(true)
    expect(left()).toEqual(['disk.img', 'target'])
  })

  it('is the source, a file in it, or what holds the source', async () => {
    const source = await folder.write('disk.img', smallDisk(1))
    const bundle = at('disk.sparsebundle')
    await convert(source, bundle, 'UDSB')
    await writeFile(join(bundle, 'inner.img'), smallDisk(2))
    for (const [from, to, format] of [
      [bundle, bundle, 'UDSB'],
      [bundle, join(bundle, 'bands/1'), 'raw'],
      [bundle, join(bundle, 'new.dmg'), 'UDZO'],
      [join(bundle, 'inner.img'), bundle, 'UDSB'],
    ] as const)
      await expect(convert(from, to, format)).rejects.toMatchObject({ code: 'E_SAME' })
    expect(same(await expand(bundle), smallDisk(1))).toBe(true)
  })
})
