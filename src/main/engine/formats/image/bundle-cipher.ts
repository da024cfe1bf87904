/** Encrypted sparse bundles: the `token` file is the header, the bands are the data and have no header of their own. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openFailure } from '#engine/block-io'
import {
  parseToken,
  processKeyring,
  type EncryptedHeader,
  type ImageKeys,
  type Keyring,
} from '#engine/formats/encrypted'
import type { ExtentLayout } from '#engine/formats/extents'
import { readSparseBundle, type BandCipher } from '#engine/formats/sparse'
import { corrupt, formatError } from '#engine/formats/struct'
import { bandCipher, findCounting } from './band-counting.ts'

/** A header of version 2, with what Apple's tools leave free behind it, has 120 KiB. */
const maxTokenBytes = 1024 * 1024

/**
 * The header in the bundle at `path`, whose token has `tokenBytes`, null: there is none; null when the bundle isn't encrypted. Throws FormatError
 * E_SRC_CORRUPT for a token that is none, and what `parseToken` throws; DeviceError.
 */
export async function readBundleHeader(
  path: string,
  tokenBytes: number | null,
): Promise<EncryptedHeader | null> {
  if (tokenBytes === null || tokenBytes === 0) return null
  const token = join(path, 'token')
  const problem = { format: 'sparsebundle', field: 'token', offset: 0, path: token }
  if (tokenBytes > maxTokenBytes)
    throw corrupt({ ...problem, found: tokenBytes, expected: `at most ${maxTokenBytes} bytes` })
  const bytes = await readFile(token).catch((error: unknown) => {
    throw openFailure(error, token, 'source')
  })
  const header = parseToken(bytes)
  if (header === null)
    throw corrupt({
      ...problem,
      found: `${bytes.length} bytes`,
      expected: 'nothing, or an encryption header',
    })
  return header
}

/**
 * The layout, whose parts are bands at their place on the disk, with the cipher of each. Throws FormatError E_SRC_CORRUPT where
 * bands aren't whole encrypted blocks; what reading throws; the signal's reason.
 */
export async function encryptedBands(
  layout: ExtentLayout,
  header: EncryptedHeader,
  keys: ImageKeys,
  signal?: AbortSignal,
): Promise<ExtentLayout> {
  const { blockBytes } = header
  const { parts } = layout
  for (const { path, streamOffset, lengthBytes } of parts)
    if (streamOffset % blockBytes !== 0 || lengthBytes % blockBytes !== 0)
      throw corrupt({
        format: 'sparsebundle',
        field: 'band',
        offset: lengthBytes,
        path,
        found: lengthBytes,
        expected: `whole blocks of ${blockBytes} bytes`,
      })
  const counting = await findCounting(parts, header, keys, signal)
  return {
    ...layout,
    parts: parts.map((part) => ({ ...part, cipher: bandCipher(part, header, keys, counting) })),
  }
}

/**
 * How the bands of the bundle at `path` are encrypted, those that aren't there yet, too; null: they aren't. For who changes it.
 * Throws FormatError E_SRC_ENCRYPTED when the keyring hasn't its keys; what reading the bundle throws.
 */
export async function readBandCipher(
  path: string,
  { keyring = processKeyring }: { readonly keyring?: Keyring } = {},
): Promise<BandCipher | null> {
  const { layout, bandBytes, tokenBytes } = await readSparseBundle(path)
  const header = await readBundleHeader(path, tokenBytes)
  if (header === null) return null
  const keys = keyring.find(header)
  if (keys === null) throw lockedBundle(path)
  const counting = await findCounting(layout.parts, header, keys)
  return (index) => bandCipher({ streamOffset: index * bandBytes, lengthBytes: 0 }, header, keys, counting)
}

export const lockedBundle = (path: string) =>
  formatError('E_SRC_ENCRYPTED', { format: 'sparsebundle', field: 'token', offset: 0, path })
