/** Puts what a scan computed into the image: behind its data, or into a file written anew, in order. */
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { openFailure, openFileSource, openReplacementFile, writeFailure } from '#engine/block-io'
import type { ExtentLayout } from '#engine/formats/extents'
import {
  kolyBytes,
  openEditableList,
  parseKoly,
  readUdif,
  replaceTail,
  writeReordered,
  type Koly,
  type ListEdit,
  type TailFile,
} from '#engine/formats/udif'
import { FormatError } from '#shared/errors'

export interface Stored {
  readonly fileBytes: number
  /** The file had a code signature, which is gone. */
  readonly signatureRemoved: boolean
}

/** Throws what reading and writing throw; the file is as it was then, or complete. */
export async function storeBehindData(
  path: string,
  edit: ListEdit,
  options: {
    readonly layout: ExtentLayout
    readonly change: Partial<Koly>
    readonly signal: AbortSignal
  },
): Promise<Stored> {
  const { layout, change, signal } = options
  await using source = await openFileSource(path)
  const koly = await readKoly(source)
  const list = await openEditableList(source, koly, edit.remove, signal)
  signal.throwIfAborted()
  await using file = await openTail(path)
  // From here on it is seconds, and nothing stops it.
  const fileBytes = await replaceTail(file, {
    source,
    koly,
    list: () => list.edited(edit),
    change,
    async check(staged) {
      const trailer = new Uint8Array(kolyBytes)
      await staged.read(trailer, staged.sizeBytes - kolyBytes)
      const read = await readUdif(staged, parseKoly(trailer, staged.sizeBytes), openFileSource)
      checkSameRuns(read.layout, layout, path)
    },
  })
  return { fileBytes, signatureRemoved: koly.codeSignatureLength > 0 }
}

/**
 * Write the image anew, in order, under its own name. `check` looks at the complete file before it takes the name. Throws
 * what reading and writing throw; the old file is as it was then.
 */
export async function storeInOrder(
  path: string,
  edit: Pick<ListEdit, 'remove' | 'add'>,
  options: {
    readonly layout: ExtentLayout
    readonly signal: AbortSignal
    readonly advance: (doneBytes: number) => void
    readonly check: (path: string) => Promise<void>
  },
): Promise<Stored> {
  const { layout } = options
  await using source = await openFileSource(path)
  const koly = await readKoly(source)
  await using file = await openReplacementFile(path, { mode: 'replace' })
  const fileBytes = await writeReordered(file, { ...options, source, koly, extents: layout.extents, edit })
  await file.commit(fileBytes, options.check)
  return { fileBytes, signatureRemoved: koly.codeSignatureLength > 0 }
}

/** Throws FormatError E_SRC_CORRUPT when the two don't list the same runs. */
function checkSameRuns(
  { extents: found }: ExtentLayout,
  { extents: expected }: ExtentLayout,
  path: string,
): void {
  const columns = ['diskOffset', 'diskBytes', 'kind', 'storedOffset', 'storedBytes'] as const
  const same = columns.every(
    (column) => Buffer.compare(bytesOf(found[column]), bytesOf(expected[column])) === 0,
  )
  if (found.count === expected.count && same) return
  throw new FormatError('E_SRC_CORRUPT', `${path}: what was written doesn't list the same runs`, {
    details: { format: 'udif', field: 'plist', offset: 0, path },
  })
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ExtentLayout['extents']['kind' | 'diskOffset']) =>
  new Uint8Array(buffer, byteOffset, byteLength)

async function readKoly(source: Awaited<ReturnType<typeof openFileSource>>): Promise<Koly> {
  const trailer = new Uint8Array(kolyBytes)
  await source.read(trailer, source.sizeBytes - kolyBytes)
  return parseKoly(trailer, source.sizeBytes)
}

async function openTail(path: string): Promise<TailFile & AsyncDisposable> {
  const handle = await open(path, constants.O_RDWR | constants.O_NONBLOCK).catch((error: unknown) => {
    throw openFailure(error, path, 'destination')
  })
  const called = async <T>(work: Promise<T>, offset?: number): Promise<T> =>
    await work.catch((error: unknown) => {
      throw writeFailure(error, path, offset)
    })
  return {
    async write(bytes, offset) {
      for (let done = 0; done < bytes.length;) {
        const { bytesWritten } = await called(
          handle.write(bytes, done, bytes.length - done, offset + done),
          offset + done,
        )
        done += bytesWritten
      }
    },
    truncate: async (sizeBytes) => await called(handle.truncate(sizeBytes), sizeBytes),
    sync: async () => await called(handle.sync()),
    size: async () => (await called(handle.stat())).size,
    async [Symbol.asyncDispose]() {
      await handle.close()
    },
  }
}
