/** A disk that was put together, into the image. */
import { diskItems, type DiskToWrite, type ImageTarget } from '#engine/convert'
import type { JobContext } from '#engine/job'
import { defaultPool, openBlockStream } from '#engine/pipeline'
import type { ComposedDisk } from './compose-disk.ts'

export async function writeComposed(
  { layout }: Pick<ComposedDisk, 'layout'>,
  {
    contents,
    target,
    context,
  }: {
    readonly contents: DiskToWrite['contents']
    readonly target: ImageTarget
    readonly context: JobContext
  },
): Promise<{ readonly sizeBytes: number; readonly storedBytes: number }> {
  const { signal } = context
  context.enter('creating', layout.sizeBytes)
  await using stream = await openBlockStream(layout, { pool: defaultPool, alignmentBytes: 512, signal })
  return await target.write(
    { contents, items: diskItems(stream, layout, 'the new disk') },
    { signal, advance: (doneBytes) => context.advance(doneBytes) },
  )
}
