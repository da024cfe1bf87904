/** Gives an image's password to the keyring, so that every later look at the image finds it. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import {
  processKeyring,
  readEncryptedHeader,
  type EncryptedHeader,
  type Keyring,
} from '#engine/formats/encrypted'
import { openStored } from '#engine/formats/stored'
import { formatError } from '#engine/formats/struct'
import { AppError } from '#shared/errors'
import { readBundleHeader } from './bundle-cipher.ts'

/**
 * Unlock the image at `path`. Throws FormatError E_SRC_PASSWORD when the password is wrong, E_SRC_FORMAT when the image isn't
 * encrypted or not with a password, E_SRC_CORRUPT when its header is damaged; what opening throws; the signal's reason.
 */
export async function unlockImage(
  path: string,
  password: string,
  options: { readonly keyring?: Keyring; readonly signal?: AbortSignal } = {},
): Promise<void> {
  const { keyring = processKeyring, signal } = options
  signal?.throwIfAborted()
  const header = await readHeader(path, signal)
  if (header === null)
    throw formatError('E_SRC_FORMAT', {
      format: 'encrcdsa',
      field: 'kind',
      offset: 0,
      found: 'not encrypted',
      expected: 'an encrypted image',
      path,
    })
  await keyring.unlock(header, password, signal)
}

/**
 * Whether the image at `path` is encrypted and its keys aren't known. What can't be opened, or isn't an image, isn't locked: who
 * opens it will tell.
 */
export async function isImageLocked(
  path: string,
  { keyring = processKeyring }: { readonly keyring?: Keyring } = {},
): Promise<boolean> {
  try {
    const header = await readHeader(path)
    return header !== null && keyring.find(header) === null
  } catch (error) {
    AppError.accept(error)
    return false
  }
}

/** Of a file, or of a sparse bundle. */
async function readHeader(path: string, signal?: AbortSignal): Promise<EncryptedHeader | null> {
  const token = await stat(join(path, 'token')).catch(() => null)
  if (token?.isFile() === true) return await readBundleHeader(path, token.size)
  await using source = await openStored(path, { look: true, ...(signal === undefined ? {} : { signal }) })
  return await readEncryptedHeader(source, signal)
}
