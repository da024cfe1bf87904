/**
 * Keeps a device as it is while an image is made of it, or it is streamed: hours go by, and whoever mounts it or makes a file system on
 * it would change it under the reader, or a room of computers. Linux lets one open a block device exclusively also for reading; as long
 * as it is open, nobody mounts it or a part of it, and no program that asks first (mkfs, fsck, a restore) writes to it. One that just
 * opens and writes isn't kept out by anything.
 */
import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import { errnoOf, openFailure } from '#engine/block-io'
import { DeviceError } from '#shared/errors'

/** A volume that was just unmounted lets go of its device a moment later. */
const busyPausesMs = [100, 300, 1000]

/** Those of this process that read a device share it. */
const held = new Map<string, { readonly handle: Promise<FileHandle>; users: number; isOpen: boolean }>()

/** Throws DeviceError E_SRC_IN_USE while somebody else holds it; what opening throws. Elsewhere than on Linux nothing is held. */
export async function holdDevice(path: string): Promise<AsyncDisposable> {
  if (process.platform !== 'linux') return { [Symbol.asyncDispose]: () => Promise.resolve() }
  const at = held.get(path) ?? { handle: openAlone(path), users: 0, isOpen: false }
  held.set(path, at)
  at.users += 1
  const letGo = async () => {
    at.users -= 1
    if (at.users > 0) return
    held.delete(path)
    await at.handle.then(
      (handle) => handle.close(),
      () => undefined,
    )
  }
  try {
    await at.handle
    at.isOpen = true
  } catch (error) {
    await letGo()
    throw error
  }
  let isHeld = true
  return {
    async [Symbol.asyncDispose]() {
      if (isHeld) {
        isHeld = false
        await letGo()
      }
    },
  }
}

/** This process holds the disk of the partition at `path`, or a partition of the disk. */
export const isHeldHere = (path: string): boolean =>
  [...held].some(([other, { isOpen }]) => isOpen && (isPartOf(path, other) || isPartOf(other, path)))

/** As Linux names them: sda1, nvme0n1p1. */
const isPartOf = (part: string, disk: string) =>
  part.startsWith(disk) && (/\d$/.test(disk) ? /^p\d+$/ : /^\d+$/).test(part.slice(disk.length))

async function openAlone(path: string): Promise<FileHandle> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await open(path, constants.O_RDONLY | constants.O_EXCL)
    } catch (error) {
      const pauseMs = busyPausesMs[attempt]
      if (errnoOf(error) !== 'EBUSY') throw openFailure(error, path, 'source')
      if (pauseMs === undefined)
        throw new DeviceError('E_SRC_IN_USE', `${path} is held by another program`, {
          details: { path, holders: ['another program'] },
          cause: error,
        })
      await setTimeout(pauseMs)
    }
  }
}
