/** Whatever is written into a sparse image, in whatever stretches, is what is read from it. */
import * as fc from 'fast-check'
import { mkdir, open, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Keyring, newEncryption } from '#engine/formats/encrypted'
import { openImage, unlockImage } from '#engine/formats/image'
import { SparseBundleWriter, SparseImageWriter } from '#engine/formats/sparse'
import { FormatError } from '#shared/errors'
import { buildBundle, bundleDict, plistOf } from '#test/build-sparse'
import { checkWhole } from '#test/fuzz-image'
import { expandImage } from '#test/expand-image'
import { temporaryFolder } from '#test/temporary-folder'

const sector = 512

/** Stretches that ascend: sectors to leave out, sectors to write, what to write (0: zeros). */
const stretches = fc.array(
  fc.record({
    gap: fc.nat(40),
    sectors: fc.integer({ min: 1, max: 300 }),
    value: fc.integer({ min: 0, max: 3 }),
  }),
  { maxLength: 12 },
)

const plan = fc.record({ stretches, tail: fc.nat(50), bandSectors: fc.constantFrom(1, 3, 8, 128, 256) })

type Plan = typeof plan extends fc.Arbitrary<infer P> ? P : never

interface Writer {
  write(bytes: Uint8Array, offset: number): Promise<void>
}

/** Writes it, and resolves to the whole disk. */
async function writeTo(writer: Writer, { stretches, tail }: Plan): Promise<Buffer> {
  const sectors = stretches.reduce((sum, { gap, sectors }) => sum + gap + sectors, 0) + tail + 1
  const disk = Buffer.alloc(sectors * sector)
  let at = 0
  for (const { gap, sectors, value } of stretches) {
    at += gap * sector
    const bytes = disk.subarray(at, at + sectors * sector)
    // Zeros among the rest, too.
    for (let place = 0; place < bytes.length; place += sector) bytes[place + value] = (place / sector) % 5 === 0 ? 0 : value // prettier-ignore
    await writer.write(bytes, at)
    at += bytes.length
  }
  return disk
}

async function expand(path: string, keyring = new Keyring()): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of expandImage(await openImage(path, { keyring }))) pieces.push(piece)
  return Buffer.concat(pieces)
}

describe('what was written', () => {
  it('into a sparse image is what is read from it', async () => {
    await using folder = await temporaryFolder()
    await fc.assert(
      fc.asyncProperty(plan, async (plan) => {
        const path = join(folder.path, 'disk.sparseimage')
        await using file = await open(path, 'w')
        const sink = { write: async (bytes: Uint8Array, offset: number) => void (await file.write(bytes, 0, bytes.length, offset)) } // prettier-ignore
        const writer = new SparseImageWriter(sink, plan.bandSectors * sector)
        const disk = await writeTo(writer, plan)
        await file.truncate(await writer.finish(disk.length))
        expect(Buffer.compare(await expand(path), disk)).toBe(0)
      }),
      { numRuns: 60 },
    )
  })

  it.each([null, 'sesame'])('into a sparse bundle is what is read from it, password %s', async (password) => {
    await using folder = await temporaryFolder()
    let count = 0
    const encryption = password === null ? null : await newEncryption(password, { iterations: 1 })
    await fc.assert(
      fc.asyncProperty(plan, async (plan) => {
        const path = join(folder.path, `disk ${count++}.sparsebundle`)
        await mkdir(path)
        // A file for each band: not for each sector.
        const bandSectors = Math.max(64, plan.bandSectors)
        await using writer = new SparseBundleWriter(path, bandSectors * sector, { encryption })
        await writer.begin()
        const disk = await writeTo(writer, plan)
        await writer.finish(disk.length)
        const keyring = new Keyring()
        if (password !== null) await unlockImage(path, password, { keyring })
        expect(Buffer.compare(await expand(path, keyring), disk)).toBe(0)
      }),
      { numRuns: 30 },
    )
  })
})

describe('a damaged bundle', () => {
  it('is read, or refused with what is wrong with it', async () => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'disk.sparsebundle')
    await buildBundle(path, { sizeBytes: 5 * 4096, bandBytes: 4096, bands: { 1: Buffer.alloc(4096, 7) } })
    const plist = Buffer.from(plistOf(bundleDict(5 * 4096, 4096)))
    const damage = fc.record({
      at: fc.nat(plist.length - 1),
      byte: fc.nat(255),
      cut: fc.nat(plist.length),
      more: fc.constantFrom('', '9', '<dict>', '</plist>', '<integer>'),
    })
    await rm(join(path, 'Info.bckup'))
    let refused = 0
    await fc.assert(
      fc.asyncProperty(damage, async ({ at, byte, cut, more }) => {
        const bytes = Buffer.from(plist)
        bytes[at] = byte
        await writeFile(
          join(path, 'Info.plist'),
          Buffer.concat([bytes.subarray(0, cut), Buffer.from(more), bytes.subarray(cut)]),
        )
        try {
          const { layout } = await openImage(path)
          if (layout.kind === 'extents') checkWhole(layout)
        } catch (error) {
          FormatError.accept(error)
          refused++
        }
      }),
      { numRuns: 300 },
    )
    expect(refused).toBeGreaterThan(20)
  })
})
