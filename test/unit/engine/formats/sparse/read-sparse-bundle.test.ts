import { readdirSync, readlinkSync } from 'node:fs'
import { mkdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openImage } from '#engine/formats/image'
import { readBundleFiles, readSparseBundle } from '#engine/formats/sparse'
import { buildBundle, bundleDict, plistOf, type BundlePlan } from '#test/build-sparse'
import { expandImage } from '#test/expand-image'
import { rejectionOf } from '#test/format-errors'
import { temporaryFolder, type TemporaryFolder } from '#test/temporary-folder'
import { defaultPool, openBlockStream } from '#engine/pipeline'

let folder: TemporaryFolder
let bundle: string
beforeEach(async () => {
  folder = await temporaryFolder()
  bundle = join(folder.path, 'Disk.sparsebundle')
})
afterEach(() => folder[Symbol.asyncDispose]())

const band = (value: number, lengthBytes = 4096) => new Uint8Array(lengthBytes).fill(value)

/** Descriptors of this process that lead into the bundle. */
const openBands = () =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(bundle)
    } catch {
      return false
    }
  }).length

/** Four bands and a half. */
const plan: BundlePlan = {
  sizeBytes: 4 * 4096 + 2048,
  bandBytes: 4096,
  bands: { 0: band(1), 2: band(3, 1000), 4: band(5) },
}
const expected = Buffer.concat([band(1), band(0), band(3, 1000), band(0, 3096), band(0), band(5, 2048)])

const expand = async (path: string) => {
  const pieces: Uint8Array[] = []
  for await (const piece of expandImage(await openImage(path))) pieces.push(piece)
  return Buffer.concat(pieces)
}

describe('a sparse bundle', () => {
  it('has zeros where a band is missing or short', async () => {
    await buildBundle(bundle, plan)
    expect(Buffer.compare(await expand(bundle), expected)).toBe(0)
    expect((await openImage(bundle)).info).toMatchObject({
      format: 'UDSB',
      name: 'Disk.sparsebundle',
      sizeBytes: plan.sizeBytes,
      dataBytes: 4096 + 1000 + 2048,
    })
  })

  it('is the same disk by way of the pipeline', async () => {
    await buildBundle(bundle, plan)
    const { layout } = await openImage(bundle)
    const { signal } = new AbortController()
    await using stream = await openBlockStream(layout, { pool: defaultPool, alignmentBytes: 512, signal })
    const disk = Buffer.alloc(plan.sizeBytes)
    for (let item = await stream.next(); item !== null; item = await stream.next())
      if (item.kind === 'data') {
        disk.set(item.bytes, item.offset)
        item.release()
      }
    expect(Buffer.compare(disk, expected)).toBe(0)
  })

  it('is read by its backup where Info.plist is missing or damaged', async () => {
    await buildBundle(bundle, plan)
    await writeFile(join(bundle, 'Info.plist'), '<plist><dict>')
    expect((await openImage(bundle)).info.sizeBytes).toBe(plan.sizeBytes)
    await rm(join(bundle, 'Info.plist'))
    expect((await openImage(bundle)).info.sizeBytes).toBe(plan.sizeBytes)
    await rm(join(bundle, 'Info.bckup'))
    expect(await rejectionOf(openImage(bundle))).toMatchObject({ code: 'E_SRC_CORRUPT', field: 'Info.plist' })
  })

  it('leaves out what lies behind its end and what is no band', async () => {
    await buildBundle(bundle, { ...plan, bands: { ...plan.bands, ff: band(9) } })
    await writeFile(join(bundle, 'bands', '.DS_Store'), 'x')
    await mkdir(join(bundle, 'bands', 'Notes'))
    const { layout, bandCount } = await readSparseBundle(bundle)
    expect(bandCount).toBe(3)
    expect(layout.parts).toHaveLength(3)
  })

  it('needs no more than a few open files, however many bands it has', async () => {
    const bands = Object.fromEntries(
      Array.from({ length: 2000 }, (_, index) => [index.toString(16), band((index % 250) + 1, 512)]),
    )
    await buildBundle(bundle, { sizeBytes: 2000 * 512, bandBytes: 512, bands })
    const { layout } = await openImage(bundle)
    // Enough of one: the whole is one row.
    expect(layout.kind === 'extents' && layout.extents.count).toBe(1)
    const { signal } = new AbortController()
    await using stream = await openBlockStream(layout, { pool: { buffers: 4, bufferBytes: 65_536 }, alignmentBytes: 512, signal }) // prettier-ignore
    let good = 0
    let most = 0
    for (let item = await stream.next(); item !== null; item = await stream.next()) {
      if (item.kind !== 'data') continue
      for (let at = 0; at < item.bytes.length; at += 512)
        if (item.bytes[at] === (((item.offset + at) / 512) % 250) + 1) good++
      item.release()
      most = Math.max(most, openBands())
    }
    expect(good).toBe(2000)
    expect(most).toBeLessThan(20)
  })
})

describe('what became of a bundle since it was opened', () => {
  const drain = async () => {
    const bands = Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => [index.toString(16), band(index + 1)]),
    )
    await buildBundle(bundle, { sizeBytes: 40 * 4096, bandBytes: 4096, bands })
    const { layout } = await openImage(bundle)
    return async () => {
      const { signal } = new AbortController()
      await using stream = await openBlockStream(layout, { pool: { buffers: 2, bufferBytes: 4096 }, alignmentBytes: 512, signal }) // prettier-ignore
      for (let item = await stream.next(); item !== null; item = await stream.next())
        if (item.kind === 'data') item.release()
    }
  }

  it('is noticed when a band is gone', async () => {
    const read = await drain()
    await rm(join(bundle, 'bands/1f'))
    await expect(read()).rejects.toMatchObject({ code: 'E_SRC_GONE' })
  })

  it('is noticed when a band is another file', async () => {
    const read = await drain()
    await writeFile(join(folder.path, 'other'), band(7))
    await rename(join(folder.path, 'other'), join(bundle, 'bands/20'))
    await expect(read()).rejects.toMatchObject({ code: 'E_SRC_CHANGED' })
  })

  it('is one fact: the state of all its files', async () => {
    await buildBundle(bundle, plan)
    const { state } = await readBundleFiles(bundle)
    expect((await readBundleFiles(bundle)).state).toBe(state)
    const changes = [
      () => utimes(join(bundle, 'bands/2'), 1, 1),
      () => writeFile(join(bundle, 'bands/3'), band(4)),
      () => rm(join(bundle, 'bands/3')),
      () => writeFile(join(bundle, 'Info.plist'), ''),
      () => writeFile(join(bundle, 'token'), 'x'),
    ]
    let last = state
    for (const change of changes) {
      await change()
      const { state } = await readBundleFiles(bundle)
      expect(state).not.toBe(last)
      last = state
    }
  })
})

describe('a hostile bundle', () => {
  it.each<[string, Partial<BundlePlan>, object]>([
    ['a band that is too long', { bands: { 0: band(1, 4608) } }, { field: 'band' }],
    ['a band number in capitals', { bands: { '0A': band(1) } }, { field: 'bands' }],
    ['a band number with a leading zero', { bands: { '01': band(1) } }, { field: 'bands' }],
    ['a band number beyond all numbers', { bands: { fffffffffffffff: band(1) } }, { field: 'bands' }],
    ['no size', { dict: bundleDict('', 4096) }, { field: 'size' }],
    ['a size of nothing', { dict: bundleDict(0, 4096) }, { field: 'size' }],
    ['half a sector', { dict: bundleDict(4097, 4096) }, { field: 'size' }],
    ['a size beyond all numbers', { dict: bundleDict('9223372036854775807', 4096) }, { field: 'size' }],
    ['bands of nothing', { dict: bundleDict(4096, 0) }, { field: 'band-size' }],
    ['a negative band size', { dict: bundleDict(4096, -512) }, { field: 'band-size' }],
    ['a bomb for a plist', { dict: '<dict>'.repeat(5000) }, {}],
  ])('with %s is refused', async (_, change, failure) => {
    await buildBundle(bundle, { ...plan, ...change })
    expect(await rejectionOf(openImage(bundle))).toMatchObject({
      code: 'E_SRC_CORRUPT',
      format: 'sparsebundle',
      ...failure,
    })
  })

  it('costs nothing for a size that no disk has', async () => {
    await buildBundle(bundle, { ...plan, dict: bundleDict(2 ** 52, 4096) })
    const { layout } = await readSparseBundle(bundle)
    expect(layout.extents.count).toBeLessThan(8)
  })

  it('with a plist that is too long to be one is refused', async () => {
    await buildBundle(bundle, plan)
    for (const name of ['Info.plist', 'Info.bckup'])
      await writeFile(join(bundle, name), plistOf(bundleDict(4096, 4096)) + ' '.repeat(2_000_000))
    expect(await rejectionOf(openImage(bundle))).toMatchObject({ field: 'Info.plist' })
  })

  it('of another kind is one we cannot read', async () => {
    await buildBundle(bundle, { ...plan, dict: bundleDict(4096, 4096).replace('sparsebundle', 'other') })
    expect(await rejectionOf(openImage(bundle))).toMatchObject({
      code: 'E_SRC_FORMAT',
      field: 'diskimage-bundle-type',
    })
  })

  it.each(['bands/1', 'Info.plist', 'token'])('in which %s is a symbolic link is refused', async (name) => {
    await buildBundle(bundle, plan)
    await rm(join(bundle, name), { force: true })
    await symlink('/etc/hostname', join(bundle, name))
    expect(await rejectionOf(openImage(bundle))).toMatchObject({ code: 'E_SRC_CORRUPT', field: 'kind' })
  })

  it('in which the bands are elsewhere, or a band is a folder, is refused', async () => {
    await buildBundle(bundle, plan)
    await mkdir(join(bundle, 'bands/1'))
    expect(await rejectionOf(openImage(bundle))).toMatchObject({ code: 'E_SRC_CORRUPT', field: 'kind' })
    await rename(join(bundle, 'bands'), join(folder.path, 'bands'))
    await symlink(join(folder.path, 'bands'), join(bundle, 'bands'))
    expect(await rejectionOf(openImage(bundle))).toMatchObject({ code: 'E_SRC_FORMAT', format: 'folder' })
  })

  it('is told apart from a folder', async () => {
    expect(await rejectionOf(openImage(folder.path))).toMatchObject({
      code: 'E_SRC_FORMAT',
      format: 'folder',
    })
  })
})
