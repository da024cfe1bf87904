/** The bytes that are streamed, opened for reading at any place: an image's file here or on a web server, or a device. */
import { open } from 'node:fs/promises'
import { openStoredAgain } from '#engine/formats/stored'
import { readFailure, openFailure } from '#engine/block-io'
import { DeviceError } from '#shared/errors'
import type { StreamBytes } from './orders.ts'

export interface OpenBytes extends AsyncDisposable {
  /** What keeps reading waiting for some seconds already; null, or none: nothing. */
  readonly trouble?: unknown
  /** Fill `into` from `offset`, all of it. Throws what reading throws, DeviceError E_SRC_CHANGED when it ends before. */
  read(into: Uint8Array, offset: number, signal?: AbortSignal): Promise<void>
}

/** Throws what opening throws; DeviceError E_SRC_CHANGED when it isn't what was looked at. */
export async function openStreamBytes({ locator, stamp, kind, sizeBytes }: StreamBytes): Promise<OpenBytes> {
  if (kind === 'device') return await openDevice(locator)
  const source = await openStoredAgain({ path: locator, ...(stamp === null ? {} : { stamp }) })
  if (source.sizeBytes === sizeBytes) return source
  await source[Symbol.asyncDispose]()
  throw new DeviceError('E_SRC_CHANGED', `${locator} has another size than before`, {
    details: { path: locator },
  })
}

/** A read that has no answer keeps it open: then nobody waits for that. */
const closingMs = 1000

/** Resolves when it is closed, or can't be for now. */
export async function closeBytes(opened: OpenBytes): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const tooLong = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, closingMs)
  })
  await Promise.race([opened[Symbol.asyncDispose](), tooLong])
  clearTimeout(timer)
}

async function openDevice(path: string): Promise<OpenBytes> {
  const handle = await open(path, 'r').catch((error: unknown) => {
    throw openFailure(error, path, 'source')
  })
  return {
    async read(into, offset, signal) {
      for (let done = 0; done < into.length;) {
        signal?.throwIfAborted()
        const { bytesRead } = await handle
          .read(into, done, into.length - done, offset + done)
          .catch((error: unknown) => {
            throw readFailure(error, path, offset + done, 'source')
          })
        if (bytesRead === 0)
          throw new DeviceError('E_SRC_CHANGED', `${path} ends at ${offset + done}`, {
            details: { path, offset: offset + done },
          })
        done += bytesRead
      }
    },
    [Symbol.asyncDispose]: () => handle.close(),
  }
}
