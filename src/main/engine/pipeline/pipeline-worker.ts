/** Entry of the pipeline's worker threads. Codecs are loaded at the first run that needs them: a raw image needs none. */
import { workerData } from 'node:worker_threads'
import { fillExtents } from './fill-extents.ts'
import { fillStream } from './fill-stream.ts'
import type { WorkerJob } from './worker-job.ts'

const job = workerData as WorkerJob
const codecs = () => import('#engine/formats/codecs')

if (job.kind === 'extents') await fillExtents(job, async () => (await codecs()).decodeRun)
else await fillStream(job, (await codecs()).openStreamDecoder)
