/**
 * What `diskutil` (macOS, diskutil(8)) says in its property lists. Only the keys that are used; anything may be missing,
 * and what has another type than it should counts as missing.
 *
 * Not tried on a Mac: this machine has none. The shapes are those of recorded outputs, in the tests' fixtures folder.
 */
import { runChecked, type Machine } from '#engine/platform/system'
import { DeviceError } from '#shared/errors'

/** A dictionary of a property list. */
export type PlistDictionary = { readonly [key: string]: unknown }

/** One entry of `AllDisksAndPartitions`: a whole disk, or an APFS container, which diskutil shows as one. */
export interface ListedDisk {
  /** `disk4` */
  readonly identifier: string
  readonly content: string
  readonly sizeBytes: number
  /** In the order they lie on the disk. */
  readonly partitions: readonly ListedPart[]
  /** Of a container: the partitions it lies in. */
  readonly physicalStores: readonly string[]
  readonly apfsVolumes: readonly ListedPart[]
  /** Of a disk that is one file system. */
  readonly mountPoint: string | null
}

export interface ListedPart {
  readonly identifier: string
  readonly content: string
  readonly sizeBytes: number
  readonly name: string | null
  /** Of the volume, and of snapshots of it that are mounted: the system volume is mounted as one of its snapshots. */
  readonly mountPoints: readonly string[]
  readonly usedBytes: number | null
}

/** `diskutil list -plist`: all disks. Throws DeviceError E_DEVICE_TOOL. */
export async function listDisksByDiskutil(
  system: Machine,
  signal?: AbortSignal,
): Promise<readonly ListedDisk[]> {
  const options = { timeoutMs: 30_000, ...(signal === undefined ? {} : { signal }) }
  const plist = await parseDictionary(await runChecked(system.run, 'diskutil', ['list', '-plist'], options))
  return dictionaries(plist['AllDisksAndPartitions']).map((entry) => ({
    identifier: text(entry['DeviceIdentifier']) ?? '',
    content: text(entry['Content']) ?? '',
    sizeBytes: count(entry['Size']),
    partitions: dictionaries(entry['Partitions']).map(parsePart),
    physicalStores: dictionaries(entry['APFSPhysicalStores']).flatMap((store) => {
      const identifier = text(store['DeviceIdentifier'])
      return identifier === null ? [] : [identifier]
    }),
    apfsVolumes: dictionaries(entry['APFSVolumes']).map(parsePart),
    mountPoint: text(entry['MountPoint']),
  }))
}

/** `diskutil info -plist DEVICE`. Null when there is no such disk. Throws DeviceError E_DEVICE_TOOL. */
export async function readDiskInfo(
  system: Machine,
  device: string,
  signal?: AbortSignal,
): Promise<PlistDictionary | null> {
  const options = { timeoutMs: 30_000, ...(signal === undefined ? {} : { signal }) }
  const { stdout } = await system.run('diskutil', ['info', '-plist', device], options)
  const info = await parseDictionary(stdout)
  return info['Error'] === true || text(info['DeviceIdentifier']) === null ? null : info
}

/** `hdiutil info -plist`: the image file behind each attached disk, by `/dev/diskN`. Empty where hdiutil is gone. */
export async function readAttachedImages(system: Machine): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>()
  try {
    const { stdout } = await system.run('hdiutil', ['info', '-plist'], { timeoutMs: 30_000 })
    for (const image of dictionaries((await parseDictionary(stdout))['images'])) {
      const file = text(image['image-path'])
      for (const entity of dictionaries(image['system-entities'])) {
        const node = text(entity['dev-entry'])
        if (file !== null && node !== null) files.set(node, file)
      }
    }
  } catch (error) {
    DeviceError.accept(error)
  }
  return files
}

function parsePart(entry: PlistDictionary): ListedPart {
  const snapshots = dictionaries(entry['MountedSnapshots']).map((snapshot) =>
    text(snapshot['SnapshotMountPoint']),
  )
  return {
    identifier: text(entry['DeviceIdentifier']) ?? '',
    content: text(entry['Content']) ?? '',
    sizeBytes: count(entry['Size']),
    name: text(entry['VolumeName']),
    mountPoints: [text(entry['MountPoint']), ...snapshots].filter((mountPoint) => mountPoint !== null),
    usedBytes: typeof entry['CapacityInUse'] === 'number' ? entry['CapacityInUse'] : null,
  }
}

/** Throws DeviceError E_DEVICE_TOOL when it isn't a property list with a dictionary on top. */
async function parseDictionary(xml: string): Promise<PlistDictionary> {
  // Half of the whole program, and of use on a Mac only: loaded there, when it is needed.
  const { parse } = await import('plist')
  let value: unknown
  try {
    // The parser complains on the console about what isn't XML at all.
    value = xml.includes('<plist') ? parse(xml) : null
  } catch (cause) {
    throw notAPlist(xml, cause)
  }
  if (isDictionary(value)) return value
  throw notAPlist(xml)
}

function notAPlist(said: string, cause?: unknown): DeviceError {
  return new DeviceError('E_DEVICE_TOOL', 'diskutil answered with something that is not a property list', {
    details: { path: 'diskutil', tool: 'diskutil', stderr: said.slice(0, 200) },
    cause,
  })
}

function dictionaries(value: unknown): readonly PlistDictionary[] {
  return Array.isArray(value) ? value.filter(isDictionary) : []
}

function isDictionary(value: unknown): value is PlistDictionary {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}

/** A string that says something; empty ones are how diskutil says that there is none. */
export function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

/** A size or an offset in bytes; 0 for what isn't one. */
export function count(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 0
}
