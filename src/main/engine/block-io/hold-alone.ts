/**
 * One writer at a time for one file: two that restore or receive into the same would each take it from under the other's hands, as
 * nobody can with a device. Linux has names for sockets that are nobody's files and vanish with their process, however it ends;
 * elsewhere nobody is kept out.
 */
import { createServer } from 'node:net'
import type { Stats } from 'node:fs'
import { DeviceError } from '#shared/errors'

/** Throws DeviceError E_DST_BUSY while somebody else holds it. */
export async function holdAlone(
  path: string,
  { dev, ino }: Pick<Stats, 'dev' | 'ino'>,
): Promise<AsyncDisposable> {
  if (process.platform !== 'linux') return { [Symbol.asyncDispose]: async () => undefined }
  const server = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new DeviceError('E_DST_BUSY', `${path} is being written already`, {
          details: { path, holders: ['another Reprise'] },
          cause,
        }),
      ),
    )
    server.listen(`\0reprise-file-${dev}-${ino}`, resolve)
  })
  return {
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => void server.close(() => resolve())),
  }
}
