/**
 * What on Linux tells that disks, partitions or mounts change. The kernel counts its own hot-plug events in
 * /sys/kernel/uevent_seqnum and lists mounts in /proc: reading those few files three times a second costs next to nothing,
 * works in containers and without udev, and needs no child process that could outlive us (netlink, which `udevadm
 * monitor` listens to, is out of Node's reach, and silent outside the first network namespace). Where udev runs, it has
 * more to say a moment later (labels, types): it writes that to /run/udev/data, and that folder tells us at once.
 */
import type { Machine, Watched } from '#engine/platform/system'

const files = ['/sys/kernel/uevent_seqnum', '/proc/partitions', '/proc/self/mountinfo'] as const

export function linuxEvents(system: Machine): Pick<Watched, 'look' | 'listen'> {
  return {
    look: async () => {
      const texts = await Promise.all(files.map((path) => system.readText(path)))
      // How much of the swap is used changes all the time; which areas there are doesn't.
      const swaps = (await system.readText('/proc/swaps'))?.replace(/\t[-\d\t ]+$/gm, '')
      return [...texts, swaps].join('\n')
    },
    listen: (nudge) =>
      system.watchFolder('/run/udev/data', (name) => {
        // b8:1 is a block device; other names are network cards, keyboards, …
        if (name.startsWith('b')) nudge()
      }),
  }
}
