/**
 * Tells when disks, partitions and mounts change. The kernel counts its own hot-plug events in
 * /sys/kernel/uevent_seqnum and lists mounts in /proc: reading those few files three times a second costs next to nothing,
 * works in containers and without udev, and needs no child process that could outlive us (netlink, which `udevadm
 * monitor` listens to, is out of Node's reach, and silent outside the first network namespace). Where udev runs, it has
 * more to say a moment later (labels, types): it writes that to /run/udev/data, and that folder tells us at once.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '#shared/errors'
import type { Logger } from '#shared/log'
import type { Disk } from '#shared/model'
import type { LinuxSystem } from './linux-system.ts'

const LOOK_EVERY_MS = 300
/** Events come in bursts: a disk, then its partitions. */
const SETTLE_MS = 120

/**
 * Calls `listener` with the list that `list` gives, after each change, until disposed; the first time also if the change
 * cannot be seen in the list, since nobody knows what the caller has seen. Disposing waits for a listing under way; the
 * listener isn't called after that. The watch alone doesn't keep the process running.
 */
export function watchDisks(
  system: LinuxSystem,
  log: Logger,
  list: (signal: AbortSignal) => Promise<readonly Disk[]>,
  listener: (disks: readonly Disk[]) => void,
): AsyncDisposable {
  const stop = new AbortController()
  let touched = false
  let wake = () => {}
  const watching = system.watchFolder('/run/udev/data', (name) => {
    // b8:1 is a block device; other names are network cards, keyboards, …
    if (!name.startsWith('b')) return
    touched = true
    wake()
  })
  // Taken here and now, before the caller goes on: what changes from now on is told.
  const before = fingerprint(system)

  const untilSomethingHappens = async () => {
    const woken = new Promise<void>((go) => {
      wake = go
    })
    await Promise.race([woken, idle(LOOK_EVERY_MS, stop.signal)])
  }

  const run = async () => {
    let seen = await before
    let told: string | null = null
    while (!stop.signal.aborted) {
      await untilSomethingHappens()
      if (stop.signal.aborted) return
      if (!touched && (await fingerprint(system)) === seen) continue
      await idle(SETTLE_MS, stop.signal)
      touched = false
      // Before listing: what happens during the listing is seen in the next round.
      seen = await fingerprint(system)
      try {
        const disks = await list(stop.signal)
        const text = JSON.stringify(disks)
        if (text === told || stop.signal.aborted) continue
        told = text
        listener(disks)
      } catch (error) {
        if (stop.signal.aborted) return
        const code = error instanceof AppError ? error.code : 'unknown'
        log.warn('disks cannot be listed', { code, reason: String(error) })
      }
    }
  }
  const running = run()
  return {
    [Symbol.asyncDispose]: async () => {
      stop.abort()
      watching?.[Symbol.dispose]()
      await running
    },
  }
}

async function fingerprint(system: LinuxSystem): Promise<string> {
  const files = ['/sys/kernel/uevent_seqnum', '/proc/partitions', '/proc/self/mountinfo', '/proc/swaps']
  const texts = await Promise.all(files.map((path) => system.readText(path)))
  // How much of the swap is used changes all the time; which areas there are doesn't.
  return texts.map((text, index) => (index === 3 ? text?.replace(/\t[\d\t ]+$/gm, '') : text)).join('\n')
}

/** Resolves after a while, or at once when aborted. */
function idle(ms: number, signal: AbortSignal): Promise<void> {
  return sleep(ms, undefined, { signal, ref: false }).catch(() => undefined)
}
