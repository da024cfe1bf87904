/**
 * What is left of a segmented image whose first file is replaced: files that belong to nothing any more. They are deleted, so a
 * file counts only where what is inside says so: the same segment ID as the first, and the number that its name has. Where they
 * are encrypted that can be read with the password of the image, if it was unlocked here, or with the new one; of others nobody
 * knows what they are, and they stay. Nor does an image take the names of files that are another's.
 */
import { realpath } from 'node:fs/promises'
import { openFileSource, type BlockSource } from '#engine/block-io'
import {
  cipherOf,
  Keyring,
  openDecrypted,
  processKeyring,
  readEncryptedHeader,
  type EncryptedHeader,
} from '#engine/formats/encrypted'
import { isKoly, kolyBytes, parseKoly, segmentPath, type Koly } from '#engine/formats/udif'
import { AppError, UsageError } from '#shared/errors'
import { mostSegments } from './segmented-file.ts'

export interface OldSegmentsOptions {
  /** Of the image that is written; null: it isn't encrypted. */
  readonly password: string | null
  readonly signal: AbortSignal
}

/** The files behind the first of the segmented image at `target`; none where it is something else. Throws the signal's reason. */
export async function findOldSegments(
  target: string,
  { password, signal }: OldSegmentsOptions,
): Promise<readonly string[]> {
  const place = await realpath(target).catch(() => null)
  if (place === null) return []
  const old = new OldImage(password, signal)
  const first = await old.read(place)
  if (first === null || first.segmentCount <= 1 || first.segmentNumber !== 1) return []
  if (isNobodys(first)) return []
  const paths: string[] = []
  for (let number = 2; number <= mostSegments; number++) {
    const path = segmentPath(place, number)
    const found = await old.read(path)
    if (found === null || found.segmentID !== first.segmentID || found.segmentNumber !== number) break
    paths.push(path)
  }
  return paths
}

/**
 * Whether an image at `target` may take the name of the file at `path`, asked for one path after another. Throws UsageError E_DST_KIND where that proves to be a
 * segment of another image than the one at `target`. `password`: of the image that is written; null: it isn't encrypted.
 */
export function refuseOthersSegments(
  password: string | null,
): (path: string, target: string) => Promise<void> {
  const old = new OldImage(password, new AbortController().signal)
  let first: Promise<Koly | null> | null = null
  return async (path, target) => {
    first ??= old.read(target)
    const own = await first
    const found = await old.read(path)
    if (found === null || found.segmentCount <= 1 || isNobodys(found)) return
    if (found.segmentID === own?.segmentID) return
    const problem = `'${path}' is a segment of another image.`
    const hint = 'Choose another name or another folder for the image, or move that file away.'
    throw new UsageError('E_DST_KIND', problem, { details: { input: path, path, problem, hint } })
  }
}

/** An ID that nobody gave is everybody's. */
const isNobodys = ({ segmentID }: Koly) => /^[0-]*$/.test(segmentID)

class OldImage {
  readonly #password: string | null
  readonly #signal: AbortSignal
  /** Apart from the process's: whoever guessed the password of an old image hasn't unlocked it. */
  readonly #ring = new Keyring()
  #first: EncryptedHeader | null = null

  constructor(password: string | null, signal: AbortSignal) {
    this.#password = password
    this.#signal = signal
  }

  /** The trailer of the file at `path`; null where it has none, or none that can be read. Throws the signal's reason. */
  async read(path: string): Promise<Koly | null> {
    try {
      await using source = await openFileSource(path)
      const inside = await this.#openInside(source)
      if (inside === null || inside.sizeBytes < kolyBytes) return null
      const trailer = new Uint8Array(kolyBytes)
      await inside.read(trailer, inside.sizeBytes - kolyBytes, this.#signal)
      return isKoly(trailer) ? parseKoly(trailer, inside.sizeBytes) : null
    } catch (error) {
      this.#signal.throwIfAborted()
      AppError.accept(error)
      return null
    }
  }

  async #openInside(source: BlockSource): Promise<BlockSource | null> {
    const header = await readEncryptedHeader(source, this.#signal)
    if (header === null) return source
    this.#first ??= header
    const keys =
      (await processKeyring.unlockLike(header, this.#first, this.#signal)) ??
      (this.#password === null ? null : await this.#ring.unlock(header, this.#password, this.#signal))
    return keys === null ? null : openDecrypted(source, cipherOf(header, keys))
  }
}
