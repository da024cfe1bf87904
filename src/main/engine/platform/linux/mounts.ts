/** What the kernel says is mounted and swapped to: /proc/self/mountinfo and /proc/swaps (proc(5)). */

export interface Mount {
  readonly id: number
  /** `major:minor` of the file system; `0:N` for those that have no one block device (btrfs, overlay, tmpfs). */
  readonly device: string
  /** The part of the file system that is mounted: `/`, or a folder for a bind mount or a subvolume. */
  readonly root: string
  readonly mountPoint: string
  /** Of this mount: `rw,nosuid,relatime`. */
  readonly options: string
  readonly filesystem: string
  /** `/dev/sda1`, `overlay`, `host:/path`, … */
  readonly source: string
  /** Of the file system: `rw,errors=remount-ro`. */
  readonly superOptions: string
}

export interface Swap {
  readonly path: string
  readonly kind: 'partition' | 'file'
}

/**
 *     36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
 *     id parent dev root mountPoint options [optional…] - type source superOptions
 *
 * In the order the kernel lists them: what is mounted over something comes after it. Lines that don't parse are left out.
 */
export function parseMountinfo(text: string): readonly Mount[] {
  const mounts: Mount[] = []
  for (const line of text.split('\n')) {
    const fields = line.split(' ')
    const dash = fields.indexOf('-', 6)
    const [id, , device, root, mountPoint, options] = fields
    const [filesystem, source, superOptions] = fields.slice(dash + 1)
    if (dash < 0 || device === undefined || root === undefined || mountPoint === undefined) continue
    if (options === undefined || filesystem === undefined || source === undefined) continue
    mounts.push({
      id: Number(id),
      device,
      root: unescapeOctal(root),
      mountPoint: unescapeOctal(mountPoint),
      options,
      filesystem,
      source: unescapeOctal(source),
      superOptions: superOptions ?? '',
    })
  }
  return mounts
}

/** A line of /etc/fstab (fstab(5)): what is to be mounted at a place, whether it is or not. */
export interface FstabEntry {
  /** The node: of `UUID=…` and the like, the link that udev makes. */
  readonly path: string
  readonly mountPoint: string
}

/** Those that name a block device. */
export function parseFstab(text: string): readonly FstabEntry[] {
  return text.split('\n').flatMap((line) => {
    const [device = '', mountPoint] = line.trim().split(/\s+/)
    if (mountPoint === undefined) return []
    const [, tag, name] = /^(UUID|LABEL|PARTUUID|PARTLABEL)="?([^"]+)"?$/.exec(device) ?? []
    const path =
      tag === undefined || name === undefined
        ? unescapeOctal(device)
        : `/dev/disk/by-${tag.toLowerCase()}/${escapeForUdev(unescapeOctal(name))}`
    return path.startsWith('/dev/') ? [{ path, mountPoint: unescapeOctal(mountPoint) }] : []
  })
}

/** As udev writes names that aren't fit for a file: space and slash as `\x20` and `\x2f`. */
function escapeForUdev(name: string): string {
  return name.replace(
    /[^\w#+\-.:=@\u0080-\u{10ffff}]/gu,
    (sign) => `\\x${sign.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
}

/** /proc/swaps: a heading, then `path type size used priority`. */
export function parseSwaps(text: string): readonly Swap[] {
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .flatMap(([path, kind]) =>
      path !== undefined && (kind === 'partition' || kind === 'file')
        ? [{ path: unescapeOctal(path).replace(/ ?\(deleted\)$/, ''), kind }]
        : [],
    )
}

/** The kernel writes space, tab, newline and backslash as `\040` and so on, byte by byte. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)))
}

/**
 * Mount points that belong to the running system, and those where live systems keep the medium they run from. What is
 * mounted at one of these is not for erasing.
 */
export function isSystemMountPoint(mountPoint: string): boolean {
  return systemMountPoints.some((pattern) => pattern.test(mountPoint))
}

const systemMountPoints: readonly RegExp[] = [
  /^\/$/,
  /^\/(boot|efi|usr|etc|opt|root|srv|lib\w*|s?bin|nix|gnu|ostree|sysroot)(\/|$)/,
  /^\/var$/,
  /^\/var\/(?!(tmp|run)\/)/,
  /^\/(home|tmp)$/,
  /^\/home\/[^/]+$/,
  // Debian, Ubuntu, Fedora, Arch, in this order.
  /^\/(run|usr\/lib|lib)\/live(\/|$)/,
  /^\/(cdrom|isodevice)$/,
  /^\/run\/initramfs(\/|$)/,
  /^\/run\/archiso(\/|$)/,
]

/** Whether this mount shows a whole file system or a subvolume of it, and not just some folder bound elsewhere. */
export function showsFilesystem(mount: Mount): boolean {
  return mount.root === '/' || mount.superOptions.split(',').includes(`subvol=${mount.root}`)
}

/** The file system itself, not just the way it is shown at this place. */
export function isReadOnly({ superOptions }: Mount): boolean {
  return superOptions.split(',').includes('ro')
}

/** `path` itself or something inside it. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`)
}
