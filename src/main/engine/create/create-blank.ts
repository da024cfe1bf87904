/** A blank disk: zeros, and on them, if wanted, a partition map and a file system by the system's own program. */
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { openFailure } from '#engine/block-io'
import { checkLevel, openImageTarget } from '#engine/convert'
import { encodeNewMap, largestMbrBytes, smallestMapBytes, type NewMap } from '#engine/formats/partition-map'
import type { JobContext } from '#engine/job'
import type { RunProgram } from '#engine/platform'
import { UsageError } from '#shared/errors'
import type { CreateRequest, CreateSource, ImagePartition } from '#shared/model'
import { composeDisk } from './compose-disk.ts'
import type { Created } from './created.ts'
import { checkFilesystem, makeFilesystem, partitionFor, toolFor } from './make-filesystem.ts'
import { openWorkshop } from './workshop.ts'
import { writeComposed } from './write-composed.ts'

const sectorBytes = 512
/** What a file can be, and a number. */
const mostBytes = 2 ** 53 - sectorBytes

/** Throws UsageError E_USAGE; DeviceError of the target, E_DEVICE_TOOL; the signal's reason. */
export async function createBlank(
  request: CreateRequest,
  from: Extract<CreateSource, { kind: 'blank' }>,
  run: RunProgram,
  context: JobContext,
): Promise<Created> {
  const { volumeName } = request
  const { partitionMap, filesystem } = from
  checkLevel(request)
  if (!(from.sizeBytes > 0 && from.sizeBytes <= mostBytes))
    throw wrong('sizeBytes', 'This is no size for a disk.')
  const sizeBytes = Math.ceil(from.sizeBytes / sectorBytes) * sectorBytes
  const map = planMap(from, sizeBytes, volumeName)
  const place = map?.partition ?? { offset: 0, sizeBytes }
  if (filesystem !== null) checkFilesystem(filesystem, place.sizeBytes, volumeName)

  await using target = await openImageTarget(request)
  await using workshop = await openWorkshop(request.target)
  const volume = filesystem === null ? null : { path: join(workshop.path, 'volume'), ...place }
  if (filesystem !== null && volume !== null) {
    context.enter('building')
    await makeSparseFile(volume.path, volume.sizeBytes)
    const startSector = volume.offset / sectorBytes
    await makeFilesystem(run, filesystem, {
      path: volume.path,
      targetPath: request.target,
      startSector,
      volumeName,
      signal: context.signal,
    })
  }
  const disk = await composeDisk(
    { sizeBytes, map: map && { path: join(workshop.path, 'map'), writes: map.writes }, volume },
    context.log,
  )
  const partitions: ImagePartition[] =
    map === null && filesystem === null
      ? []
      : [
          {
            index: map === null ? 0 : 1,
            name: volumeName,
            type: map === null ? 'whole disk' : 'partition',
            ...place,
            filesystem,
            label: volumeName,
          },
        ]
  const sizes = await writeComposed(disk, {
    contents: { partitionMap, partitions, sizeBytes },
    target,
    context,
  })
  const tool = filesystem === null ? null : toolFor(filesystem)
  return {
    ...sizes,
    usedBytes: disk.usedBytes,
    way: { kind: 'blank', partitionMap, filesystem, tool },
    warnings: [],
  }
}

function planMap(
  { partitionMap, filesystem }: Extract<CreateSource, { kind: 'blank' }>,
  sizeBytes: number,
  volumeName: string | null,
): NewMap | null {
  if (partitionMap === 'none') return null
  if (sizeBytes < smallestMapBytes[partitionMap])
    throw wrong('sizeBytes', 'A disk with a partition map needs at least 3 MiB.')
  if (partitionMap === 'mbr' && sizeBytes > largestMbrBytes)
    throw wrong('partitionMap', 'A disk with an MBR has 2 TiB at most: use a GPT.')
  return encodeNewMap(partitionMap, sizeBytes, partitionFor(filesystem, volumeName))
}

async function makeSparseFile(path: string, sizeBytes: number): Promise<void> {
  try {
    await using file = await open(path, 'wx', 0o600)
    await file.truncate(sizeBytes)
  } catch (error) {
    throw openFailure(error, path, 'destination')
  }
}

const wrong = (input: string, problem: string) =>
  new UsageError('E_USAGE', problem, { details: { input, problem } })
