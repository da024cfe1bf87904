/**
 * Hostile images: right ones, damaged in every way that chance thinks of, and what must hold whatever comes: a layout
 * that is whole, or a FormatError, soon and without much memory. `test/property` runs a few hundred with a fixed seed,
 * `scripts/fuzz.ts` as many as there is time for.
 */
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { writeFile } from 'node:fs/promises'
import { Keyring } from '#engine/formats/encrypted'
import type { ExtentLayout } from '#engine/formats/extents'
import { openImage, unlockImage } from '#engine/formats/image'
import { kolyBytes } from '#engine/formats/udif'
import { FormatError } from '#shared/errors'
import { runKinds } from '#shared/model'
import { buildFat16, buildMbrDisk } from '#test/build-fat'
import { buildSprs } from '#test/build-sparse'
import { buildUdif, runsOf, type BuiltUdif, type UdifSpec } from '#test/build-udif'
import { encryptedV1, encryptedV2 } from '#test/encrypted-file'
import { expandImage } from '#test/expand-image'

/** Whole numbers from 0 to below `end`. */
export type Chance = (end: number) => number

/** The same numbers for the same seed (xorshift32). */
export function chance(seed: number): Chance {
  let state = seed | 0 || 1
  return (end) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return Math.floor(((state >>> 0) / 2 ** 32) * end)
  }
}

export interface Seed {
  readonly name: string
  readonly files: BuiltUdif['files']
}

/** Of the encrypted ones. */
const password = 'fuzz'

const { volume } = buildFat16({
  sectors: 4300,
  clusterSectors: 1,
  label: 'FUZZ',
  files: [{ name: 'a.txt', shortName: 'A       TXT', data: Buffer.alloc(5000, 'some words ') }],
})
const disk = buildMbrDisk({ sectors: 4400, firstSector: 64, type: 0x06, volume })

function sparseImage(disk: Uint8Array): Uint8Array {
  const bandBytes = 64 * 512
  return buildSprs({
    sizeBytes: disk.length,
    sectorsPerBand: 64,
    slots: [2, 1, 3],
    data: (number) => disk.subarray((number - 1) * bandBytes, number * bandBytes),
  })
}

/** Right images, one of each kind. `more`: such as need an encoder of someone else. */
export function seeds(more: readonly Seed[] = []): readonly Seed[] {
  const used = disk.subarray(0, 160 * 512)
  const tables = (kind: 'raw' | 'zlib' | 'adc' | 'lzfse', chunkSectors: number) => [
    { name: 'Master Boot Record (MBR : 0)', runs: runsOf(used.subarray(0, 512), { kind }) },
    { name: ' (Apple_Free : 1)', runs: [{ kind: 'ignore' as const, sectors: 63 }] },
    {
      name: ' (Windows_FAT_16 : 2)',
      runs: [
        ...runsOf(used.subarray(64 * 512), { kind, chunkSectors }),
        { kind: 'zero' as const, sectors: 4240 },
      ],
      comments: true,
    },
  ]
  const udif = (name: string, spec: UdifSpec): Seed => ({ name, files: buildUdif(spec).files })
  const file = (suffix: string, bytes: Uint8Array): Seed => ({
    name: suffix,
    files: [{ suffix, bytes: Uint8Array.from(bytes) }],
  })
  return [
    udif('zlib', { tables: tables('zlib', 16) }),
    udif('raw', { tables: tables('raw', 8) }),
    udif('adc', { tables: tables('adc', 64) }),
    udif('lzfse', { tables: tables('lzfse', 32) }),
    udif('fork', { tables: tables('zlib', 16), list: 'fork' }),
    udif('both', { tables: tables('zlib', 16), list: 'both', dataForkOffset: 99, deadBytes: 3 }),
    udif('segmented', { tables: tables('zlib', 16), segments: 3 }),
    udif('scanned', {
      tables: tables('zlib', 64),
      resources: [
        { type: 'cSum', id: 2, data: Buffer.from('010002000000fbffffff', 'hex') },
        {
          type: 'nsiz',
          id: 2,
          data: Buffer.from('<plist><dict><key>part-num</key><integer>2</integer></dict></plist>'),
        },
        { type: 'size', id: 2, data: new Uint8Array(286) },
      ],
    }),
    file('.img', disk),
    file('.sparseimage', sparseImage(disk)),
    file('.v2.dmg', encryptedV2(buildUdif({ tables: tables('zlib', 16) }).bytes, { password })),
    file('.v1.dmg', encryptedV1(buildUdif({ tables: tables('raw', 8) }).bytes, { password })),
    file('.img.gz', gzipSync(disk)),
    file('.img.zst', zstdCompressSync(disk, { pledgedSrcSize: disk.length })),
    ...more,
  ]
}

const nasty = [
  0n,
  1n,
  2n,
  0x7fn,
  0xffn,
  0x7fffn,
  0xffffn,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  1n << 32n,
  1n << 44n,
  1n << 52n,
  1n << 53n,
  1n << 62n,
  1n << 63n,
  (1n << 64n) - 1n,
]

/** One damage to `bytes`. */
function damage(bytes: Buffer, random: Chance): Buffer {
  // Half of all damage strikes where the structure is: the trailer and the list in front of it, or an encrypted file's header.
  const isHeaded = bytes.toString('latin1', 0, 8) === 'encrcdsa'
  const place = () =>
    random(2) === 0
      ? random(isHeaded ? Math.min(712, bytes.length) : bytes.length)
      : Math.max(0, bytes.length - 1 - random(random(2) === 0 ? kolyBytes : 6000))
  const copy = Buffer.from(bytes)
  switch (random(9)) {
    case 0:
      return copy.subarray(0, random(copy.length + 1))
    case 1:
      return copy.subarray(0, place())
    case 2:
      for (let count = 1 + random(8); count > 0; count--) copy[place()] = random(256)
      return copy
    case 3: {
      const at = place()
      copy[at] = (copy[at] ?? 0) ^ (1 << random(8))
      return copy
    }
    case 4: {
      // A number that lies, where numbers may be.
      const width = random(2) === 0 ? 4 : 8
      const at = Math.min(place() & ~3, copy.length - width)
      const value = nasty[random(nasty.length)] ?? 0n
      if (at < 0) return copy
      if (width === 8) copy.writeBigUInt64BE(value, at)
      else copy.writeUInt32BE(Number(value & 0xffffffffn), at)
      return copy
    }
    case 5: {
      const from = place()
      const length = random(2000)
      return Buffer.concat([copy.subarray(0, from), copy.subarray(from + length)])
    }
    case 6: {
      const from = place()
      const piece = copy.subarray(from, from + random(2000))
      const to = place()
      return Buffer.concat([copy.subarray(0, to), piece, copy.subarray(to)])
    }
    case 7:
      return damageTable(copy, random)
    default:
      return damagePlist(copy, random)
  }
}

/** In a table itself: base64 hides its fields from blind damage. */
function damageTable(bytes: Buffer, random: Chance): Buffer {
  return editPlist(bytes, (xml) => {
    const all = [...xml.matchAll(/<data>([^<]*)<\/data>/g)]
    const chosen = all[random(all.length)]
    if (chosen === undefined) return xml
    const data = Buffer.from(chosen[1] ?? '', 'base64')
    for (let count = 1 + random(3); count > 0 && data.length >= 8; count--) {
      const at = random(data.length - 7) & ~3
      const value = nasty[random(nasty.length)] ?? 0n
      if (random(2) === 0) data.writeBigUInt64BE(value, at)
      else data.writeUInt32BE(Number(value & 0xffffffffn), at)
    }
    const start = chosen.index + '<data>'.length
    return xml.slice(0, start) + data.toString('base64') + xml.slice(start + (chosen[1] ?? '').length)
  })
}

const fragments = [
  '<dict>',
  '</dict>',
  '<array>',
  '</array>',
  '<key>blkx</key>',
  '<data>',
  '</data>',
  '<data/>',
  '<string/>',
  '<!--',
  '-->',
  '&amp;',
  '&x;',
  '<!DOCTYPE plist [',
  '<?x?>',
  '=',
  '<key>Data</key>',
  '\0',
  '>',
  '"',
]

function damagePlist(bytes: Buffer, random: Chance): Buffer {
  return editPlist(bytes, (xml) => {
    const at = random(xml.length)
    const fragment = (fragments[random(fragments.length)] ?? '').repeat(random(20) === 0 ? 200 : 1)
    return xml.slice(0, at) + fragment + xml.slice(at + (random(2) === 0 ? fragment.length : 0))
  })
}

/** Replace the plist and correct the trailer, so that what is damaged is the plist alone. */
function editPlist(bytes: Buffer, edit: (xml: string) => string): Buffer {
  const at = bytes.length - kolyBytes
  if (at < 0 || bytes.toString('latin1', at, at + 4) !== 'koly') return bytes
  const offset = Number(bytes.readBigUInt64BE(at + 216))
  const length = Number(bytes.readBigUInt64BE(at + 224))
  if (length === 0 || offset + length > at) return bytes
  const xml = Buffer.from(edit(bytes.toString('latin1', offset, offset + length)), 'latin1')
  const koly = Buffer.from(bytes.subarray(at))
  koly.writeBigUInt64BE(BigInt(xml.length), 224)
  return Buffer.concat([bytes.subarray(0, offset), xml, bytes.subarray(offset + length, at), koly])
}

/** A damaged image: its files, one of them with one damage or a few. */
export function damaged(seed: Seed, random: Chance): Seed {
  const victim = random(seed.files.length)
  return {
    ...seed,
    files: seed.files.map((file, index) => {
      if (index !== victim) return file
      let bytes: Buffer = Buffer.from(file.bytes)
      for (let count = random(4) === 0 ? 3 : 1; count > 0; count--) bytes = damage(bytes, random)
      return { ...file, bytes: Uint8Array.from(bytes) }
    }),
  }
}

/** What became of it: `opened` (and expanded), or the code and field it was refused with. */
export type Outcome = { readonly kind: 'opened' } | { readonly kind: 'refused'; readonly error: FormatError }

/** As far as an image that opens is expanded too. */
const expandBytes = 4 * 1024 * 1024

/** Open it from `folder` and expand it. Throws whatever isn't a FormatError, or when what it opened as isn't whole. */
export async function tryImage({ files }: Seed, folder: string): Promise<Outcome> {
  let path = ''
  for (const { suffix, bytes } of files) {
    await writeFile(join(folder, `fuzz${suffix}`), bytes)
    if (path === '') path = join(folder, `fuzz${suffix}`)
  }
  try {
    const keyring = new Keyring()
    await unlockImage(path, password, { keyring }).catch((error: unknown) => FormatError.accept(error))
    const image = await openImage(path, { keyring })
    if (image.layout.kind === 'extents') checkWhole(image.layout)
    let expanded = 0
    for await (const piece of expandImage(image)) {
      expanded += piece.length
      if (expanded > expandBytes) break
    }
    return { kind: 'opened' }
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    return { kind: 'refused', error }
  }
}

/** What every layout promises to those who read it. */
export function checkWhole({ sizeBytes, parts, extents, checks }: ExtentLayout): void {
  const fail = (what: string) => {
    throw new Error(`the layout isn't whole: ${what}`)
  }
  const streamBytes = parts.reduce((end, part) => Math.max(end, part.streamOffset + part.lengthBytes), 0)
  let end = 0
  for (let row = 0; row < extents.count; row++) {
    const diskBytes = extents.diskBytes[row] ?? NaN
    const storedBytes = extents.storedBytes[row] ?? NaN
    const kind = runKinds[extents.kind[row] ?? 99]
    if (extents.diskOffset[row] !== end || !(diskBytes > 0)) fail(`row ${row}`)
    if (kind === undefined) fail(`kind of row ${row}`)
    end += diskBytes
    if (kind === 'zero' || kind === 'ignore') continue
    if (!((extents.storedOffset[row] ?? NaN) + storedBytes <= streamBytes && storedBytes > 0))
      fail(`run ${row}`)
    if (kind === 'raw' ? storedBytes > diskBytes || diskBytes - storedBytes >= 512 : diskBytes > 2 ** 26)
      fail(`length of row ${row}`)
  }
  if (end !== sizeBytes || !Number.isSafeInteger(end)) fail('size')
  let checked = 0
  for (const { diskOffset, diskBytes } of checks) {
    if (diskOffset < checked || diskOffset + diskBytes > sizeBytes) fail('checks')
    checked = diskOffset + diskBytes
  }
}
