/** Entry of the pipeline's worker threads. Codecs are loaded while the first stored bytes are read, not before. */
import { workerData } from 'node:worker_threads'
import { openFileSource } from '#engine/block-io'
import { wrongChecksum } from '#engine/formats/extents'
import { fillExtents } from './fill-extents.ts'
import { fillStream } from './fill-stream.ts'
import { HashedSource } from './hashed-source.ts'
import { PartFiles } from './part-files.ts'
import { partSource, readStored } from './stored-reader.ts'
import type { WorkerFailure, WorkerJob } from './worker-job.ts'

const { job, failures } = workerData as WorkerJob
const codecs = () => import('#engine/formats/codecs')
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port of worker_threads has no origin
const postFailure = (failure: WorkerFailure) => failures.postMessage(failure)

if (job.kind === 'extents') {
  using files = new PartFiles()
  await fillExtents(job, {
    read: (parts, streamOffset, into) => readStored(parts, streamOffset, into, files),
    waitForRoom: (ring, block) => ring.waitForRoom(block),
    loadDecoder: async () => (await codecs()).decodeRun,
    postFailure,
  })
} else {
  const { decodeStream, usualPieceBytes } = await codecs()
  const { layout, part } = job
  await fillStream(
    job,
    async function* ({ signal }) {
      await using file = part === null ? await openFileSource(layout.path) : partSource(part)
      const { fileCheck } = layout
      const hashed = fileCheck === undefined ? null : new HashedSource(file)
      yield* decodeStream(layout.codec, hashed ?? file, { signal, pieceBytes: usualPieceBytes })
      // The decoder says first what is wrong, and where.
      const found = await hashed?.digest(signal)
      if (fileCheck !== undefined && found !== undefined && found !== fileCheck.sha256)
        throw wrongChecksum(layout.path, fileCheck.sha256, found)
    },
    postFailure,
  )
}
