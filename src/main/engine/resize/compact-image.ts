/** A sparse image or bundle that stores no more than it must: bands of zeros go. The disk inside stays what it is. */
import { editImageFile, readBandCipher } from '#engine/formats/image'
import { SparseBundleEditor, SparseImageEditor } from '#engine/formats/sparse'
import type { JobContext } from '#engine/job'
import { UsageError } from '#shared/errors'
import type { ImageResizing } from '#shared/model'
import { examineImage, readStoredBytes, type ResizeDeps } from './examine-image.ts'
import { rewriteSparseImage } from './rewrite-sparse-image.ts'

/**
 * A bundle loses its bands of zeros one by one, which changes nothing that is read; a sparse image file is written anew beside
 * the old one, which stays whole until then, and is left alone when it wouldn't become smaller. Throws UsageError
 * E_UNSUPPORTED for other images; FormatError; DeviceError; the signal's reason.
 */
export async function compactImage(
  path: string,
  deps: ResizeDeps,
  context: JobContext,
): Promise<ImageResizing> {
  const { signal } = context
  context.enter('validating-source')
  const { kind, storedBytes: storedBeforeBytes } = await examineImage(path, deps, signal)
  if (kind === 'raw') {
    const problem = 'Only sparse images and sparse bundles can be compacted.'
    const hint = 'Convert the image to UDSP or UDSB: what is zeros takes no room there.'
    throw new UsageError('E_UNSUPPORTED', problem, { details: { input: path, path, problem, hint } })
  }
  const advance = (doneBytes: number) => context.advance(doneBytes)
  const sizeBytes = kind === 'UDSB' ? await compactBundle() : await compactFile()
  return {
    path,
    beforeBytes: sizeBytes,
    afterBytes: sizeBytes,
    storedBeforeBytes,
    storedBytes: await readStoredBytes(path),
  }

  async function compactBundle(): Promise<number> {
    const editor = await SparseBundleEditor.open(path, await readBandCipher(path))
    const { sizeBytes } = editor.geometry
    context.enter('compacting', sizeBytes)
    await editor.compact({ signal, advance, changed: () => context.changed() })
    return sizeBytes
  }

  async function compactFile(): Promise<number> {
    await using image = await editImageFile(path)
    const editor = await SparseImageEditor.open(image.file)
    const { sizeBytes } = editor.geometry
    context.enter('compacting', sizeBytes)
    await rewriteSparseImage(editor, image, { sizeBytes, writes: [], signal, advance, keep: 'smaller' })
    return sizeBytes
  }
}
