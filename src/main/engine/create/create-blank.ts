/** A blank disk: zeros, and on them, if wanted, a partition map and a file system by the system's own program. */
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf, openFailure } from '#engine/block-io'
import { checkLevel, openImageTarget } from '#engine/convert'
import { encodeNewMap, largestMbrBytes, smallestMapBytes, type NewMap } from '#engine/formats/partition-map'
import type { JobContext } from '#engine/job'
import type { RunProgram } from '#engine/platform'
import { DeviceError, UsageError } from '#shared/errors'
import type { CreateRequest, CreateSource, ImagePartition } from '#shared/model'
import { formatCount, sectorBytes } from '#shared/units'
import { composeDisk } from './compose-disk.ts'
import type { Created } from './created.ts'
import { checkFilesystem, makeFilesystem, partitionFor, toolFor } from './make-filesystem.ts'
import { openWorkshop } from './workshop.ts'
import { writeComposed } from './write-composed.ts'

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
    await makeSparseFile(volume.path, volume.sizeBytes, request.target)
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
  const leastBytes = smallestMapBytes[partitionMap]
  if (sizeBytes < leastBytes)
    throw wrong(
      'sizeBytes',
      `A disk with ${partitionMap === 'gpt' ? 'a GPT' : 'an MBR'} needs at least ${formatCount(leastBytes)} bytes.`,
    )
  if (partitionMap === 'mbr' && sizeBytes > largestMbrBytes)
    throw wrong('partitionMap', 'A disk with an MBR has 2 TiB at most: use a GPT.')
  return encodeNewMap(partitionMap, sizeBytes, partitionFor(filesystem, volumeName))
}

/** For an image at `targetPath`, which is what people know about. */
async function makeSparseFile(path: string, sizeBytes: number, targetPath: string): Promise<void> {
  try {
    await using file = await open(path, 'wx', 0o600)
    await file.truncate(sizeBytes)
  } catch (error) {
    if (errnoOf(error) !== 'EFBIG') throw openFailure(error, path, 'destination')
    throw new DeviceError('E_DST_FULL', `no file of ${sizeBytes} bytes beside ${targetPath}: EFBIG`, {
      details: { path: targetPath, neededBytes: sizeBytes, errno: 'EFBIG' },
      cause: error,
    })
  }
}

const wrong = (input: string, problem: string) =>
  new UsageError('E_USAGE', problem, { details: { input, problem } })
