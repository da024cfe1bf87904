/** Finds out whether a file is encrypted. */
import type { BlockSource } from '#engine/block-io'
import { headerV1Bytes, isHeaderV1, parseHeaderV1 } from './header-v1.ts'
import { headerV2Bytes, isHeaderV2, parseHeaderV2 } from './header-v2.ts'
import type { EncryptedHeader } from './header.ts'

/** Smaller files have no room for a header. */
const signatureBytes = 8

/**
 * The header of the file in `source`; null when it isn't encrypted. Apple's tools, too, look for version 1 first. Throws
 * FormatError E_SRC_CORRUPT, E_SRC_FORMAT (see `parseHeaderV2`); what `source` throws; the signal's reason.
 */
export async function readEncryptedHeader(
  source: BlockSource,
  signal?: AbortSignal,
): Promise<EncryptedHeader | null> {
  const { sizeBytes } = source
  if (sizeBytes < signatureBytes) return null
  const read = async (offset: number, lengthBytes: number) => {
    const bytes = new Uint8Array(lengthBytes)
    await source.read(bytes, offset, signal)
    return bytes
  }
  if (sizeBytes >= headerV1Bytes && isHeaderV1(await read(sizeBytes - signatureBytes, signatureBytes)))
    return parseHeaderV1(await read(sizeBytes - headerV1Bytes, headerV1Bytes), sizeBytes)
  if (!isHeaderV2(await read(0, signatureBytes))) return null
  return parseHeaderV2(await read(0, Math.min(headerV2Bytes, sizeBytes)), sizeBytes)
}

/** Whether a file that begins and ends so is encrypted. */
export const isEncrypted = (head: Uint8Array, tail: Uint8Array): boolean =>
  isHeaderV2(head) || (tail.length >= headerV1Bytes && isHeaderV1(tail))

/** The header in a bundle's `token` file, whole: it has the header and none of the data. Null: the bundle isn't encrypted. */
export function parseToken(token: Uint8Array): EncryptedHeader | null {
  if (token.length >= headerV1Bytes && isHeaderV1(token))
    return parseHeaderV1(token.subarray(-headerV1Bytes), null)
  return isHeaderV2(token) ? parseHeaderV2(token.subarray(0, headerV2Bytes), null) : null
}
