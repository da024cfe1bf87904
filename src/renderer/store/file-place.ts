/** On which disk a file lies, as far as the window can tell: where the innermost mount point above it is. Pure. */
import type { Disk } from '#shared/model'

interface FilePlace {
  readonly disk: Disk
  readonly mountPoint: string
}

/** Null for what no listed disk holds: what lies in memory, on another computer, or isn't mounted. */
export function placeOfFile(path: string, disks: { readonly [path: string]: Disk }): FilePlace | null {
  let innermost: FilePlace | null = null
  for (const disk of Object.values(disks))
    for (const mountPoint of disk.volumes.flatMap((volume) => volume.mountPoints))
      if (isInside(path, mountPoint) && mountPoint.length > (innermost?.mountPoint.length ?? 0))
        innermost = { disk, mountPoint }
  return innermost
}

export const isInside = (path: string, folder: string): boolean =>
  path.startsWith(folder.endsWith('/') ? folder : `${folder}/`)
