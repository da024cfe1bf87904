/** The block hashes of an image, for whoever checks a part of it alone or looks for what changed. */
import { processKeyring, type Keyring } from '#engine/formats/encrypted'
import { readBlockHashesFrom, type BlockHashes } from '#engine/formats/udif'
import type { WebClient } from '#engine/web-source'
import { DeviceError } from '#shared/errors'
import { publicLocator, type ImageInfo } from '#shared/model'
import { ImageFiles } from './image-files.ts'

/**
 * SHA-256 of every block of the disk inside, unused space as zeros (docs/formats/asr-scan.md). Null when `info` says there are
 * none. Throws DeviceError E_SRC_CHANGED when they aren't what `info` says of them any more: another image is in its place;
 * `FormatError` E_SRC_CORRUPT when they contradict themselves; what opening and reading throw; the signal's reason.
 */
export async function readBlockHashes(
  info: Pick<ImageInfo, 'path' | 'sizeBytes' | 'scan'>,
  options: {
    readonly keyring?: Keyring
    readonly signal?: AbortSignal
    /** For images on servers. Default: the process's. */
    readonly web?: WebClient
  } = {},
): Promise<BlockHashes | null> {
  const { path, sizeBytes, scan } = info
  if (sizeBytes === null || scan === null || scan.blocks === null) return null
  const { keyring = processKeyring, signal, web } = options
  await using source = await new ImageFiles({ keyring, signal, web, again: true }).open(path)
  const found = await readBlockHashesFrom(source, sizeBytes, signal)
  if (found?.root === scan.blocks.root) return found
  const shown = publicLocator(path)
  throw new DeviceError('E_SRC_CHANGED', `${shown} isn't what it was when it was opened`, {
    details: { path: shown, expected: scan.blocks.root, found: found?.root ?? 'no hashes' },
  })
}
