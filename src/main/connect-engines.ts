/**
 * The engines, connected: the one place that says which implementation stands behind which interface. Loaded by
 * `reprise.ts` when a verb needs it, because it loads everything.
 */
import { randomUUID } from 'node:crypto'
import {
  createPlanRegistry,
  createStreamDoor,
  createSystemIo,
  disksRead,
  inspectSource,
  planRestore,
  readStreamImage,
  runRestore,
} from '#engine/copy'
import { isImageLocked, openImage, unlockImage, watchChecksum } from '#engine/formats/image'
import {
  describeImageTask,
  describeRestore,
  outcomeOfError,
  startGuardedJob,
  type JobContext,
} from '#engine/job'
import { createKeepAwake, createPlatform, type Platform } from '#engine/platform'
import { sharedWebClient, tellFetches, watchFetches } from '#engine/web-source'
import type { Engines as CliEngines } from '#main/cli'
import { ownFiles, productVersion } from '#main/product'
import type { CreateEngines } from '#main/engine-host'
import { AppError, unreachable } from '#shared/errors'
import type { Logger } from '#shared/log'
import {
  imageTaskWritten,
  isWebLocator,
  parseStreamLocator,
  type ImageTask,
  type JobOutcome,
} from '#shared/model'
import { connectMulticast } from './connect-multicast.ts'

/** The way to multicast sessions, with the passwords this process was given. Only who receives a stream pays for what receives it. */
const streams = createStreamDoor(async (locator, options) => {
  const { connectStream } = await import('#engine/multicast/client')
  return await connectStream(locator, options)
})

/** For the engine host. */
export const createEngines: CreateEngines = ({ log, onBehalfOf = null }) => {
  const platform = createPlatform({ log, ownFiles: ownFiles() })
  const keepAwake = createKeepAwake({ log })
  const io = createSystemIo(platform, streams)
  const plans = createPlanRegistry()
  sharedWebClient().log = log
  return {
    platform,
    keepAwake,
    inspectSource: async (locator, platform, signal) => {
      sharedWebClient().lookAnew(locator)
      return await inspectSource(locator, { platform, io }, signal)
    },
    imageInfo: async (path, signal) => {
      sharedWebClient().lookAnew(path)
      return (await openImage(path, { signal })).info
    },
    unlockImage: unlockSource,
    watchFetches: (listener) => tellFetches(sharedWebClient(), listener),
    runImageTask: (task, platform, context) =>
      changing(imageTaskWritten(task), context, () => runImageTask(task, { platform, onBehalfOf }, context)),
    async planRestore(request, platform, signal) {
      const plan =
        request.form === 'file'
          ? await (await fileEngine()).planFile(request, { ...streams, readImage: readStreamImage, signal })
          : await planRestore(request, { platform, io, signal })
      plans.add(plan)
      return plan
    },
    takePlan: (planId, typed) => plans.take(planId, typed),
    disksRead,
    runRestore: (plan, platform, context) =>
      changing(plan.target?.kind === 'file' ? plan.target.path : null, context, async () =>
        plan.request.form === 'file'
          ? (await fileEngine()).receiveFile(plan, streams, context)
          : runRestore(plan, { platform, io }, context),
      ),
    multicast: connectMulticast({ log, keepAwake }),
  }
}

const fileEngine = () => import('#engine/multicast/file')

/** For the command line: the same engines, in this process. */
export function connectCommandLine(log: Logger): CliEngines {
  const { platform, keepAwake, runImageTask, planRestore, runRestore } = createEngines({ log })
  return {
    supported: platform.supported,
    listDisks: () => platform.list(),
    // Whether it is locked was looked at before, by the same command.
    imageInfo: async (path) => (await openImage(path)).info,
    async isLocked(locator, signal) {
      const stream = parseStreamLocator(locator)
      return stream === null ? await isImageLocked(locator) : await streams.isLocked(stream, signal)
    },
    unlockImage: unlockSource,
    watchFetch: (watch) => watchFetches(sharedWebClient(), watch),
    async capacityOf(target, signal) {
      const found = await platform.resolve(target, signal).catch((error: unknown) => {
        AppError.accept(error)
        return null
      })
      if (found?.kind === 'disk') return found.disk.sizeBytes
      // Of an image with a map a partition gets one volume, and how large that is the image has to tell first.
      return found?.kind === 'volume' && found.volume.path === found.disk.path ? found.disk.sizeBytes : null
    },
    startImageTask: (task) =>
      startGuardedJob(
        { jobId: randomUUID(), ...describeImageTask(task) },
        (context) => runImageTask(task, platform, context),
        { log, keepAwake, events: process },
      ),
    planRestore: (request, signal) => planRestore(request, platform, signal),
    startRestore: (plan) =>
      startGuardedJob(
        { jobId: randomUUID(), ...describeRestore(plan) },
        (context) => runRestore(plan, platform, context),
        { log, keepAwake, events: process },
      ),
  }
}

/** An image, or a multicast session. */
async function unlockSource(locator: string, password: string, signal: AbortSignal): Promise<void> {
  const stream = parseStreamLocator(locator)
  if (stream === null) await unlockImage(locator, password, { signal })
  else await streams.unlock(stream, password, signal)
}

/** `work` that may change the image at `path`, whose outcome tells of a checksum that doesn't fit it any more: also of work that failed. */
async function changing(
  path: string | null,
  { signal }: JobContext,
  work: () => Promise<JobOutcome>,
): Promise<JobOutcome> {
  if (path === null || isWebLocator(path)) return await work()
  const findOutdated = await watchChecksum(path)
  try {
    const outcome = await work()
    const outdated = await findOutdated()
    return outdated === null || outcome.kind === 'checked' ? outcome : { ...outcome, outdated }
  } catch (error) {
    const outdated = await findOutdated()
    if (outdated === null) throw error
    return { ...outcomeOfError(error, signal), outdated }
  }
}

/** Which engine does which task. Loaded when it is asked for: a restore needs none of them, and starts sooner without. */
async function runImageTask(
  task: ImageTask,
  { platform, onBehalfOf }: { readonly platform: Platform; readonly onBehalfOf: number | null },
  context: JobContext,
): Promise<JobOutcome> {
  switch (task.kind) {
    case 'verify': {
      const { verifyImage } = await import('#engine/scan')
      // It reads the disk inside, and then the bytes as they are stored.
      using _kept = isWebLocator(task.path) ? sharedWebClient().keepParts(task.path) : null
      return { kind: 'checked', verification: await verifyImage(task.path, context) }
    }
    case 'convert': {
      const { convertImage } = await import('#engine/convert')
      return { kind: 'converted', conversion: await convertImage(task, context) }
    }
    case 'resize': {
      const { resizeImage } = await import('#engine/resize')
      return { kind: 'resized', resize: await resizeImage(task, { platform }, context) }
    }
    case 'compact': {
      const { compactImage } = await import('#engine/resize')
      return { kind: 'resized', resize: await compactImage(task.path, { platform }, context) }
    }
    case 'scan': {
      const { scanImage } = await import('#engine/scan')
      const scannedBy = `Reprise ${productVersion()}`
      return { kind: 'scanned', scan: await scanImage(task, context, { scannedBy }) }
    }
    case 'add-checksum': {
      const { addChecksums } = await import('#engine/scan')
      return { kind: 'checksummed', checksums: await addChecksums(task, context) }
    }
    case 'create': {
      const { createImage } = await import('#engine/create')
      const deps = { platform, io: createSystemIo(platform), onBehalfOf }
      return { kind: 'created', creation: await createImage(task, deps, context) }
    }
    default:
      return unreachable(task)
  }
}
