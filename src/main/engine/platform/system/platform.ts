/**
 * What Reprise needs of an operating system. One implementation for each; all of them run test/unit's conformance
 * suite. Programs are started by absolute path with an argument list, never through a shell, with LC_ALL=C and a bound
 * on time and output.
 */
import type { Disk, Volume } from '#shared/model'

/** What a locator leads to. */
export type Resolved =
  | { readonly kind: 'disk'; readonly disk: Disk }
  | { readonly kind: 'volume'; readonly disk: Disk; readonly volume: Volume }
  | {
      readonly kind: 'file'
      readonly path: string
      readonly sizeBytes: number
      readonly device: number
      readonly inode: number
    }
  /** Nothing there, but its folder exists: a file may be created. */
  | { readonly kind: 'absent'; readonly path: string }
  /** Something that can't hold a disk: a folder that isn't a mount point, a socket, a character device. */
  | { readonly kind: 'other'; readonly path: string; readonly what: string }

/** What a device can do without data being sent to it. */
export interface DeviceAbilities {
  readonly logicalBlockBytes: number
  /** The device zeroes ranges itself. */
  readonly zeroOut: boolean
  readonly discard: boolean
}

/** An open device. `fd` is a raw descriptor that worker threads of this process can use. */
export interface OpenDevice extends AsyncDisposable {
  readonly fd: number
  readonly path: string
  readonly sizeBytes: number
  readonly abilities: DeviceAbilities
  /** Direct: reads and writes go past the page cache and must be aligned to `logicalBlockBytes`. */
  readonly direct: boolean
  /** The file that stores what is in this device, where the system reads that through its cache, also for who reads directly. */
  readonly cachedFile?: string
}

/** Programs that have a device open. */
export interface Openers {
  /** `name (pid)` of other programs, the youngest first. */
  readonly programs: readonly string[]
  /** False: time was up before all had been looked at, and there may be more. */
  readonly isComplete: boolean
}

/** Which of them are asked for; `for reading`: that have it open for nothing else. */
export type OpenedHow = 'for writing' | 'for reading' | 'in any way'

export interface DiskWatch extends AsyncDisposable {
  /**
   * Lists the disks now, for what a watch may not see. Resolves when the listener was told what is new, by this list or by
   * one that was begun after it. Throws what listing throws.
   */
  refresh(signal?: AbortSignal): Promise<void>
}

export interface Platform {
  readonly name: 'linux' | 'darwin' | 'win32'
  /** False: restoring isn't supported here yet; `list` is empty and everything else throws UsageError E_UNSUPPORTED. */
  readonly supported: boolean
  /** This process may open devices. */
  readonly privileged: boolean

  /** All disks, sorted by path as people count; one that can't be read is left out, never an error for the rest. */
  list(signal?: AbortSignal): Promise<readonly Disk[]>
  /**
   * Calls `listener` with the new list at every hot-plug, mount and unmount (coalesced, within a second). Not at the
   * start: `refresh` it, and nothing is missed. The watch alone doesn't keep the process running.
   */
  watch(listener: (disks: readonly Disk[]) => void): DiskWatch
  /**
   * `/dev` node, mount point, or file path. Throws DeviceError E_NOT_FOUND (also for what isn't in /dev: a mistyped disk
   * never becomes a file), E_DENIED.
   */
  resolve(locator: string, signal?: AbortSignal): Promise<Resolved>
  /**
   * `Disk.identity` of the disk at `path`, read afresh; of the disk it is on when `path` is a partition. Throws
   * E_DST_GONE when it isn't there.
   */
  identify(path: string): Promise<string>
  /** Paths of the disks that store the file (through partitions, loop devices, RAID and mapper); empty if unknown. */
  disksHoldingFile(path: string): Promise<readonly string[]>

  /**
   * Unmount everything on the disk or partition at `path` and switch off its swap; three tries with growing pauses.
   * Throws DeviceError E_DST_BUSY with `holders` (`name (pid)`), and the signal's reason; then it mounts again what it had
   * unmounted, and `left` is called with what couldn't be, or not within a moment of the signal. UsageError E_DST_SYSTEM
   * for what this computer runs from. Returns what was mounted, for `remount`.
   */
  unmount(
    path: string,
    signal?: AbortSignal,
    left?: (errors: readonly Error[]) => void,
  ): Promise<readonly MountedVolume[]>
  /**
   * Mount again. For each volume `before` had: the same place if the partition still has a file system; a disk's new
   * volumes that had no place are left to the system's own automounter. Bind mounts come back if their folder is there.
   * Returns the mount points; failures in `errors`, and what was left when the signal stopped it. A file system that this
   * system has no driver for is an error with `why: 'unreadable'` and its name as `filesystem`.
   */
  remount(
    path: string,
    before: readonly MountedVolume[],
    signal?: AbortSignal,
  ): Promise<{ mountPoints: readonly string[]; errors: readonly Error[] }>
  /**
   * File systems on the disk or partition at `path` (`apfs`) that aren't mounted because this system has no way to mount
   * them; only those of which that is sure. Throws DeviceError; the signal's reason.
   */
  unreadable(path: string, signal?: AbortSignal): Promise<readonly string[]>
  /**
   * Flush and let go: removable disks are ejected, loop devices detached; those that are built in, and cards, stay, unmounted.
   * Throws DeviceError; the signal's reason.
   */
  eject(path: string, signal?: AbortSignal): Promise<void>

  /**
   * Other programs that have the disk or partition at `path`, a part of it or the disk that it is on open, without those that are done
   * within a moment, and without what makes the disk out of a network's. Where the system doesn't tell: none. Throws DeviceError, the
   * signal's reason.
   */
  openElsewhere(
    path: string,
    options: { readonly how: 'for writing' | 'in any way'; readonly signal?: AbortSignal | undefined },
  ): Promise<Openers>
  /** For reading; shared. Direct where the device allows it. */
  openSource(path: string): Promise<OpenDevice>
  /**
   * For reading and writing, exclusive (O_EXCL), direct where allowed. Throws E_DST_BUSY with `holders`, E_DST_READONLY,
   * E_DENIED, E_NOT_FOUND, and UsageError E_DST_SYSTEM for a disk that this computer runs from, whatever was asked.
   */
  openTarget(path: string): Promise<OpenDevice>
  /** Zero a stretch by the device's own means. Only where `abilities.zeroOut`; else use `write`. */
  zeroOut(device: OpenDevice, offset: number, lengthBytes: number, signal?: AbortSignal): Promise<void>
  discard(device: OpenDevice, offset: number, lengthBytes: number, signal?: AbortSignal): Promise<void>
  /**
   * Make the kernel read the partition table again; returns when the nodes of the new partitions are there. The device
   * must not be held by `openTarget`. Throws E_DST_BUSY with `left: 'reread'` when the system keeps using old partitions; the
   * signal's reason.
   */
  rereadPartitions(path: string, signal?: AbortSignal): Promise<void>
  /**
   * Leave the device valid, empty and unmounted, after a failure: a disk gets an empty GPT; a partition an empty file
   * system of the kind it had (`filesystem`) if the system can make one, else no signature at all. Resolves to which.
   * The device must not be held by `openTarget`. `check` is called before each thing that is written to it, with the device held
   * open: it throws when what is there isn't what was meant. Throws what `openTarget` and `check` throw; what reading the map
   * anew throws, with `left: 'reread'` in its details: it is empty by then.
   */
  makeEmpty(
    path: string,
    filesystem: string | null,
    check?: () => Promise<void>,
  ): Promise<'empty-map' | 'empty-filesystem' | 'wiped'>
}

/** Enough to mount it again. */
export interface MountedVolume {
  readonly devicePath: string
  readonly mountPoint: string
  readonly filesystem: string
  readonly options: string
  /** A bind mount: the folder of the file system that is shown here, `/` for all of it. Null: mounted by itself. */
  readonly subfolder: string | null
}
