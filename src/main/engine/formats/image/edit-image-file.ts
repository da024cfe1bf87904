/** An image's one file, open to be changed as what it holds, encrypted or not. */
import { openEditableFile, type EditableFile } from '#engine/block-io'
import {
  cipherOf,
  editEncryptedFile,
  encryptedLike,
  processKeyring,
  readEncryptedHeader,
  type Keyring,
} from '#engine/formats/encrypted'
import { invariant } from '#shared/errors'
import { lockedFile } from './image-files.ts'

/** What is written into a file that will take the place of another. */
export interface NewImageFile {
  write(bytes: Uint8Array, offset: number): Promise<void>
  /** All is there, `insideBytes` of it. Resolves to the length that the file has to have. */
  finish(insideBytes: number): Promise<number>
}

export interface EditedImageFile extends AsyncDisposable {
  /** What is inside. */
  readonly file: EditableFile
  readonly isEncrypted: boolean
  /** `target`, a new and empty file, as what is to be inside: encrypted if this one is, opened by the same password. */
  newFile(target: Pick<NewImageFile, 'write'>): Promise<NewImageFile>
}

/**
 * Throws FormatError E_SRC_ENCRYPTED when the keyring hasn't its keys; what `readEncryptedHeader` throws; DeviceError. Version 1, whose
 * header lies behind the data and has a sum over its size, isn't changed: who asks for that is wrong.
 */
export async function editImageFile(
  path: string,
  { keyring = processKeyring }: { readonly keyring?: Keyring } = {},
): Promise<EditedImageFile> {
  const stored = await openEditableFile(path)
  const close = () => stored[Symbol.asyncDispose]()
  try {
    const header = await readEncryptedHeader(stored)
    if (header === null)
      return {
        file: stored,
        isEncrypted: false,
        newFile: async (target) => ({
          write: (bytes, offset) => target.write(bytes, offset),
          finish: async (insideBytes) => insideBytes,
        }),
        [Symbol.asyncDispose]: close,
      }
    invariant(header.version === 2, 'an encrypted file of version 1 is changed')
    const keys = keyring.find(header)
    if (keys === null) throw lockedFile(header, stored)
    const cipher = cipherOf(header, keys)
    return {
      file: editEncryptedFile(stored, cipher),
      isEncrypted: true,
      newFile: (target) => encryptedLike(stored, cipher, target),
      [Symbol.asyncDispose]: close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
