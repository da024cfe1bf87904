/**
 * The volumes on a device that is read. They are unmounted as long as anybody of this process reads their disk, and who is the last to
 * read it mounts them again: mounted for writing, they would change under the others. Where another program reads it still, as a second
 * restore from the same stick does, they stay unmounted, and that is told.
 */
import type { MountedVolume, Openers } from '#engine/platform'
import { AppError, DeviceError, serializeError, type SerializedError } from '#shared/errors'
import { isMountedReadOnly, type DeviceSource, type ExaminedSource } from './examine-source.ts'
import { lookAtMounts } from './mounted-meanwhile.ts'
import type { RestoreDeps } from './restore-deps.ts'

/** Mounts again what was unmounted, or leaves that to who reads the disk still. Tells what didn't work; the second call does nothing. */
export type GiveBack = (signal?: AbortSignal) => Promise<readonly SerializedError[]>

export interface ReleasedSource {
  readonly giveBack: GiveBack
  /** A device of which nothing is mounted any more: who reads it can hold it for himself. */
  readonly canBeHeld: boolean
}

/** The disks that are read, wholly or in part, by whatever it is of this process. */
export interface DisksRead {
  /** Their paths. */
  now(): ReadonlySet<string>
  /** Called when there is another one, or one less. */
  onChange(listener: () => void): Disposable
}

interface Reading {
  readers: number
  /** What each of them unmounted. */
  readonly unmounted: { readonly path: string; readonly volumes: readonly MountedVolume[] }[]
  /** Nobody unmounts while somebody else mounts. */
  turn: Promise<unknown>
}

/** By the path of the disk. */
const readings = new Map<string, Reading>()

const listeners = new Set<() => void>()
const changed = () => {
  for (const listener of listeners) listener()
}

export const disksRead: DisksRead = {
  now: () => new Set(readings.keys()),
  onChange(listener) {
    listeners.add(listener)
    return { [Symbol.dispose]: () => void listeners.delete(listener) }
  },
}

/** Unmount what is mounted for writing on a source device. Throws DeviceError E_SRC_IN_USE, and `tellLeft` is called with what can't be mounted again then. */
export async function unmountSource(
  examined: ExaminedSource,
  { platform }: RestoreDeps,
  signal: AbortSignal,
  tellLeft?: (errors: readonly SerializedError[]) => void,
): Promise<ReleasedSource> {
  if (examined.kind !== 'device') return { giveBack: async () => [], canBeHeld: false }
  const disk = examined.disk.path
  const others = readings.get(disk)
  const reading: Reading = others ?? { readers: 0, unmounted: [], turn: Promise.resolve() }
  reading.readers += 1
  if (others === undefined) {
    readings.set(disk, reading)
    changed()
  }
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const done = reading.turn.then(work)
    reading.turn = done.catch(() => undefined)
    return done
  }
  let isReading = true
  const giveBack: GiveBack = (until) => {
    if (!isReading) return Promise.resolve([])
    isReading = false
    reading.readers -= 1
    return inTurn(async () => {
      const errors: SerializedError[] = []
      while (reading.readers === 0) {
        const last = reading.unmounted.pop()
        if (last === undefined) {
          if (readings.get(disk) === reading) readings.delete(disk)
          changed()
          break
        }
        errors.push(...(await mountAgain(platform, last, until)))
      }
      return errors
    })
  }
  try {
    return await inTurn(async () => {
      // Since it was examined who read the disk until now may have mounted it, or a desktop; of a whole disk all is unmounted anyhow.
      const isAllUnmounted = examined.volume === null && examined.mountPoints.length > 0
      const seen = isAllUnmounted ? examined : ((await lookAtMounts(examined, platform, signal)) ?? examined)
      if (seen.mountPoints.length > 0) {
        const volumes = await unmount(examined, platform, signal, tellLeft)
        if (volumes.length > 0) reading.unmounted.push({ path: examined.path, volumes })
      }
      return { giveBack, canBeHeld: !isMountedReadOnly(seen) }
    })
  } catch (error) {
    const errors = await giveBack()
    tellLeft?.(errors)
    throw error
  }
}

async function unmount(
  { path }: DeviceSource,
  platform: RestoreDeps['platform'],
  signal: AbortSignal,
  tellLeft: ((errors: readonly SerializedError[]) => void) | undefined,
): Promise<readonly MountedVolume[]> {
  try {
    return await platform.unmount(path, signal, (errors) =>
      tellLeft?.(errors.map((error) => serializeError(error))),
    )
  } catch (error) {
    AppError.accept(error)
    if (error.code !== 'E_DST_BUSY' && error.code !== 'E_DST_SYSTEM') throw error
    const holders = error instanceof DeviceError ? error.details.holders : ['the system']
    throw new DeviceError('E_SRC_IN_USE', `${path} is in use and can't be unmounted`, {
      details: { path, ...(holders === undefined ? {} : { holders }) },
      cause: error,
    })
  }
}

async function mountAgain(
  platform: RestoreDeps['platform'],
  { path, volumes }: Reading['unmounted'][number],
  signal: AbortSignal | undefined,
): Promise<readonly SerializedError[]> {
  try {
    // It would change under them: another restore reads on, and brings together what never was on the disk at one time.
    const { programs, isComplete } = await readersElsewhere(platform, path, signal)
    if (programs.length > 0 || !isComplete) return leftUnmounted(volumes, programs)
    const { errors } = await platform.remount(path, volumes, signal)
    return errors.map((error) => serializeError(error))
  } catch (error) {
    // Whatever it is: what was read stays read.
    return [serializeError(error)]
  }
}

async function readersElsewhere(
  platform: RestoreDeps['platform'],
  path: string,
  signal: AbortSignal | undefined,
): Promise<Openers> {
  try {
    return await platform.openElsewhere(path, { how: 'in any way', signal })
  } catch (error) {
    // It was pulled out; or mounting it says that it was stopped.
    if (signal?.aborted !== true) AppError.accept(error)
    return { programs: [], isComplete: true }
  }
}

const leftUnmounted = (
  volumes: readonly MountedVolume[],
  holders: readonly string[],
): readonly SerializedError[] =>
  [...new Set(volumes.map(({ devicePath }) => devicePath))].map((path) =>
    serializeError(
      new DeviceError('E_SRC_IN_USE', `${path} was not mounted again: others read its disk`, {
        details: { path, holders, left: 'mount' },
      }),
    ),
  )
