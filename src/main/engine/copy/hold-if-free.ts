/**
 * Keeps a device that is read from being mounted, as far as others leave room for that: the readers among them are let be, who writes
 * is named. Linux lets anybody write who doesn't ask for a device alone, also to one that is held.
 */
import type { Platform } from '#engine/platform'
import { DeviceError } from '#shared/errors'
import { holdDevice, isHeldHere } from './hold-device.ts'

/**
 * Null where others read it, too: they leave it unmounted as long as it is open here (see source-volumes.ts), so `path` must be open
 * already. What is held and nobody has open is mounted somewhere, or being mounted; and who has it, or the disk that it is on, open for
 * writing is making another disk of it, runs a virtual machine from it, or has mounted it by a program. Throws DeviceError E_SRC_IN_USE,
 * the signal's reason.
 */
export async function holdIfFree(
  platform: Pick<Platform, 'openElsewhere'>,
  path: string,
  signal?: AbortSignal,
): Promise<AsyncDisposable | null> {
  await using held = new AsyncDisposableStack()
  const refusal = await holdOrRefusal(held, path)
  // With the device in hand, so that whoever asks for it alone can't come any more.
  const isComplete = await refuseWriters(platform, path, signal, refusal ?? undefined)
  // Nothing is erased here: where nobody can be named (it takes millions of open files), it is read.
  if (refusal === null) return held.move()
  if (isHeldHere(path)) return null
  if (!isComplete)
    throw new DeviceError('E_SRC_IN_USE', `who writes to ${path} could not be found out`, {
      details: { path, why: 'unknown' },
      cause: refusal,
    })
  const { programs: readers } = await platform.openElsewhere(path, { how: 'in any way', signal })
  if (readers.length > 0) return null
  throw refusal
}

/**
 * Of a device of which something is mounted read-only, and that nobody holds therefore. The program behind a file system may have opened it
 * for writing before it found that it had better not, as ntfs-3g does with a Windows that hibernates: it keeps it so, and writes nothing. That
 * nothing is mounted for writing is looked at by who reads. Throws as `refuseWriters`.
 */
export async function refuseWritersBesideMounts(
  { openElsewhere }: Pick<Platform, 'openElsewhere'>,
  path: string,
  signal?: AbortSignal,
): Promise<void> {
  const withoutFileSystems: typeof openElsewhere = async (...asked) => {
    const { programs, isComplete } = await openElsewhere(...asked)
    return { programs: programs.filter((program) => !mountedBy.test(program)), isComplete }
  }
  await refuseWriters({ openElsewhere: withoutFileSystems }, path, signal)
}

/** Programs behind file systems, as the kernel names them (15 characters at most). */
const mountedBy = /^(mount[.]|ntfs-3g|lowntfs-3g|exfat|fuse)/

/** Whether all that runs was looked through. Throws DeviceError E_SRC_IN_USE, the signal's reason. */
async function refuseWriters(
  platform: Pick<Platform, 'openElsewhere'>,
  path: string,
  signal?: AbortSignal,
  cause?: DeviceError,
): Promise<boolean> {
  const { programs: holders, isComplete } = await platform.openElsewhere(path, { how: 'for writing', signal })
  if (holders.length === 0) return isComplete
  throw new DeviceError('E_SRC_IN_USE', `${path} is open for writing in ${holders.join(', ')}`, {
    details: { path, holders },
    cause,
  })
}

/** Null: it is held now. */
async function holdOrRefusal(held: AsyncDisposableStack, path: string): Promise<DeviceError | null> {
  try {
    held.use(await holdDevice(path))
    return null
  } catch (error) {
    if (!(error instanceof DeviceError) || error.code !== 'E_SRC_IN_USE') throw error
    return error
  }
}
