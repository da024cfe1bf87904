/**
 * Makes a new image: a blank one, one of a folder, one of a device. However the disk comes about, it is written by the same
 * code as a conversion's, into a hidden file that gets its name when all of it is on the medium.
 */
import type { RestoreDeps } from '#engine/copy'
import type { JobContext } from '#engine/job'
import { runProgram, type RunProgram } from '#engine/platform'
import { unreachable } from '#shared/errors'
import type { CreateRequest, ImageCreation } from '#shared/model'
import { createBlank } from './create-blank.ts'
import { createFromDevice } from './create-from-device.ts'
import { createFromFolder } from './create-from-folder.ts'
import type { Created } from './created.ts'
import { readOwner } from './read-owner.ts'

export interface CreateDeps extends RestoreDeps {
  /** Runs programs of the system. Default: really. */
  readonly run?: RunProgram
  /** The person in whose name an elevated process works: user id. Files are made with their rights and are theirs. */
  readonly onBehalfOf?: number | null
}

/**
 * Throws UsageError E_USAGE, E_DST_EXISTS, E_DST_KIND, E_SAME; DeviceError of source and target, E_DEVICE_TOOL where a program
 * is missing; the signal's reason. Whatever is thrown, the target is as it was before and nothing else is left.
 */
export async function createImage(
  request: CreateRequest,
  deps: CreateDeps,
  context: JobContext,
): Promise<ImageCreation> {
  const startMs = performance.now()
  const { target, format } = request
  const created = await make(request, deps, context)
  const durationMs = performance.now() - startMs
  return { target, format, ...created, durationMs, bytesPerSecond: (created.sizeBytes / durationMs) * 1000 }
}

function make(request: CreateRequest, deps: CreateDeps, context: JobContext): Promise<Created> {
  const { from } = request
  const run = deps.run ?? runProgram
  switch (from.kind) {
    case 'device':
      return createFromDevice(
        request,
        from.path,
        { ...deps, owner: () => readOwner(run, deps.onBehalfOf ?? null) },
        context,
      )
    case 'blank':
      return createBlank(request, from, run, context)
    case 'folder':
      return createFromFolder(request, from.path, { run, platform: deps.platform.name }, context)
    default:
      return unreachable(from)
  }
}
