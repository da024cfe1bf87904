/** Entry of the pipeline's worker threads. Codecs are loaded while the first stored bytes are read, not before. */
import { workerData } from 'node:worker_threads'
import { fillExtents } from './fill-extents.ts'
import { fillStream } from './fill-stream.ts'
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
  const { part } = job
  const { decodeStream, openStreamDecoder, usualPieceBytes } = await codecs()
  await fillStream(
    job,
    part === null
      ? openStreamDecoder
      : (codec, _, { signal }) =>
          decodeStream(codec, partSource(part), { signal, pieceBytes: usualPieceBytes }),
    postFailure,
  )
}
