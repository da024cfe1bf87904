/**
 * The bands of an encrypted sparse bundle without the keys that belong to them: the token is gone, or lies beside another
 * bundle's bands. Read all the same they are noise, and a restore would write it. Nothing in a band says so; that there is
 * nothing but noise in any that is looked at does, where nothing on the disk is known either.
 */
import { corrupt, type ReadDisk } from '#engine/formats/struct'
import type { ExtentLayout } from '#engine/formats/extents'

/** Bands that are looked at, at most, and how far into each. */
const mostBands = 8
const bytesLookedAt = 64 * 1024
/** Of less nothing can be said. */
const leastBytes = 4096
/**
 * Of the sum over all byte values of (count - expected)^2 / expected: 255 for noise, with a deviation of 23. Programs, text and
 * file systems have thousands; what is compressed well may come as low, but no disk is that from its first sector on.
 */
const mostOfNoise = 400

type NoisyLayout = Pick<ExtentLayout, 'parts' | 'sizeBytes'>

/** Whether all stored parts that are looked at are noise. Throws what `readDisk` throws. */
async function isNoise(readDisk: ReadDisk, { parts, sizeBytes }: NoisyLayout): Promise<boolean> {
  let looked = 0
  const step = Math.ceil(parts.length / mostBands)
  for (let index = 0; index < parts.length; index += step) {
    const { streamOffset = 0, lengthBytes = 0 } = parts[index] ?? {}
    const length = Math.min(lengthBytes, bytesLookedAt, sizeBytes - streamOffset)
    if (length < leastBytes) continue
    if (!looksRandom(await readDisk(streamOffset, length))) return false
    looked++
  }
  return looked > 0
}

function looksRandom(bytes: Uint8Array): boolean {
  const counts = new Uint32Array(256)
  for (const byte of bytes) counts[byte] = (counts[byte] as number) + 1
  const expected = bytes.length / 256
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0) < mostOfNoise
}

/**
 * For a bundle on whose disk nothing is known. `token`: its path, and whether it is there. Throws FormatError E_SRC_CORRUPT when
 * there is only noise.
 */
export async function refuseNoise(
  readDisk: ReadDisk,
  layout: NoisyLayout,
  token: { readonly path: string; readonly isThere: boolean },
): Promise<void> {
  if (!(await isNoise(readDisk, layout))) return
  throw corrupt({
    format: 'sparsebundle',
    field: 'token',
    offset: 0,
    path: token.path,
    found: token.isThere ? 'another' : 'nothing',
    expected: 'the one its bands were encrypted with',
  })
}
