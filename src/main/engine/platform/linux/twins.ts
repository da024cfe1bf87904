/**
 * One disk that the kernel shows twice, because it hangs on two cables or two paths of a network and nobody put these
 * together (multipath): to the kernel they are two disks, and having one open exclusively says nothing about the other.
 */
import type { BlockDevice } from './sysfs.ts'

/** The other devices that are the same disk, of those that have any. */
export function findTwins(devices: readonly BlockDevice[]): ReadonlyMap<BlockDevice, readonly BlockDevice[]> {
  const twins = new Map<BlockDevice, readonly BlockDevice[]>()
  for (const alike of Map.groupBy(devices.filter(isNamedForTheWorld), ({ wwid }) => wwid).values()) {
    for (const device of alike) {
      const others = alike.filter((other) => other !== device && isSame(device, other))
      if (others.length > 0) twins.set(device, others)
    }
  }
  return twins
}

/**
 * Nothing on USB or SATA and no card has a second way to it, but cheap ones share a name that should be theirs alone. So do boxes that
 * make one up: it names no maker. (Names of volumes in a storage network, naa.6…, may well be mostly zeros.)
 */
const isNamedForTheWorld = ({ wwid, bus }: BlockDevice): boolean =>
  wwid !== null &&
  !['usb', 'sd', 'sata'].includes(bus) &&
  /[1-9a-z]/i.test(wwid.replace(/^[a-z0-9]+\./i, '')) &&
  !/^naa\.50{6}/i.test(wwid)

const isSame = (a: BlockDevice, b: BlockDevice): boolean =>
  a.sizeBytes === b.sizeBytes && (a.serial === null || b.serial === null || a.serial === b.serial)
