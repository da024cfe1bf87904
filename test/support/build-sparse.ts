/** Sparse images and bundles put together by hand, byte by byte from their description, with every place to lie in. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface SprsPlan {
  readonly sizeBytes: number
  readonly sectorsPerBand: number
  /** Band numbers, from 1, by slot; 0: an empty slot. Those past the 1008th go into index nodes of 1010. */
  readonly slots: readonly number[]
  /** The bytes of a slot. */
  readonly data: (number: number) => Uint8Array
  /** Fields of the header to write instead, by offset. */
  readonly lies?: { readonly [offset: number]: number }
}

export function buildSprs({ sizeBytes, sectorsPerBand, slots, data, lies = {} }: SprsPlan): Buffer {
  const bandBytes = sectorsPerBand * 512
  const pieces: Buffer[] = []
  let at = 0
  const add = (bytes: Buffer) => {
    pieces.push(bytes)
    at += bytes.length
  }
  const nodes = [slots.slice(0, 1008)]
  for (let first = 1008; first < slots.length; first += 1010) nodes.push(slots.slice(first, first + 1010))
  for (const [index, numbers] of nodes.entries()) {
    const node = Buffer.alloc(4096)
    node.write('sprs', 0, 'latin1')
    const next = index + 1 < nodes.length ? at + 4096 + numbers.length * bandBytes : 0
    if (index === 0) {
      node.writeUInt32BE(3, 4)
      node.writeUInt32BE(sectorsPerBand, 8)
      node.writeUInt32BE(1, 12)
      node.writeUInt32BE((sizeBytes / 512) % 2 ** 32, 16)
      node.writeBigUInt64BE(BigInt(next), 20)
      node.writeBigUInt64BE(BigInt(sizeBytes / 512), 28)
      for (const [offset, value] of Object.entries(lies)) node.writeUInt32BE(value, Number(offset))
    } else {
      node.writeUInt32BE(index - 1, 4)
      node.writeUInt32BE(1, 8)
      node.writeBigUInt64BE(BigInt(next), 12)
    }
    for (const [slot, number] of numbers.entries())
      node.writeUInt32BE(number, (index === 0 ? 64 : 56) + slot * 4)
    add(node)
    for (const number of numbers) {
      const band = Buffer.alloc(bandBytes)
      if (number > 0) band.set(data(number))
      add(band)
    }
  }
  return Buffer.concat(pieces)
}

export interface BundlePlan {
  readonly sizeBytes: number
  readonly bandBytes: number
  /** Contents by name, `a` for band 10. */
  readonly bands: { readonly [name: string]: Uint8Array }
  /** The text between `<dict>` and `</dict>` instead. */
  readonly dict?: string
  readonly token?: Uint8Array
}

export const bundleDict = (sizeBytes: number | string, bandBytes: number | string) => `
<key>CFBundleInfoDictionaryVersion</key><string>6.0</string>
<key>band-size</key><integer>${bandBytes}</integer>
<key>bundle-backingstore-version</key><integer>1</integer>
<key>diskimage-bundle-type</key><string>com.apple.diskimage.sparsebundle</string>
<key>size</key><integer>${sizeBytes}</integer>`

export const plistOf = (dict: string) =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<plist version="1.0">\n<dict>${dict}\n</dict>\n</plist>\n`

/** Writes the folder `path` and what is in it. */
export async function buildBundle(path: string, plan: BundlePlan): Promise<void> {
  await mkdir(join(path, 'bands'), { recursive: true })
  const plist = plistOf(plan.dict ?? bundleDict(plan.sizeBytes, plan.bandBytes))
  await writeFile(join(path, 'Info.plist'), plist)
  await writeFile(join(path, 'Info.bckup'), plist)
  await writeFile(join(path, 'token'), plan.token ?? new Uint8Array(0))
  for (const [name, bytes] of Object.entries(plan.bands)) await writeFile(join(path, 'bands', name), bytes)
}
