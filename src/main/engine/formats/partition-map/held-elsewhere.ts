/**
 * Types of partitions whose contents are no file system by themselves, or one that only another system knows: parts of
 * volumes over several disks, pools, members of arrays, slices. An old superblock in them says nothing, and not all of
 * these owners leave a mark inside that could be looked for.
 *
 * Not: swap, in which nothing is lost, and types that aren't known; many makers give theirs to an ext4.
 */
const types = new Set([
  'Windows dynamic disk',
  'Microsoft LDM metadata',
  'Microsoft LDM data',
  'Microsoft Storage Spaces',
  'Apple Core storage',
  'Apple RAID',
  'Apple RAID offline',
  'Apple UFS',
  // The same in an Apple partition map.
  'Apple_CoreStorage',
  'Apple_RAID',
  'Apple_RAID_Offline',
  'Apple_RAID_OfflineV2',
  'Apple_UFS',
  'Linux LVM',
  'Linux RAID',
  'Linux LUKS',
  'BeOS',
  'Haiku BFS',
])
const systems = /^(?:FreeBSD|OpenBSD|NetBSD|Solaris|VMware) ?/

/** `type` as a partition map's entry has it. */
export function isHeldElsewhere(type: string): boolean {
  return types.has(type) || systems.test(type)
}
