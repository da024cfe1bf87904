/**
 * What is on a device: partition map, file system, label. On a normal system udev has read that already and `lsblk`
 * tells it, without any right and without touching the medium. Where no udev runs (containers, small virtual machines),
 * `blkid` reads the first blocks, which needs the right to open the device.
 */
import { cleanText, type Machine } from '#engine/platform/system'
import { DeviceError } from '#shared/errors'
import type { Logger } from '#shared/log'
import type { PartitionMapKind } from '#shared/model'

export interface DeviceContents {
  readonly filesystem: string | null
  readonly label: string | null
  readonly uuid: string | null
  /** Null when nothing is known. */
  readonly partitionMap: PartitionMapKind | null
  /** Of a partition, as its map has it: a GUID, `0x83`, `Apple_HFS`. */
  readonly partitionType: string | null
  readonly partitionTypeName: string | null
  readonly vendor: string | null
  readonly model: string | null
  readonly serial: string | null
}

export const noContents: DeviceContents = {
  filesystem: null,
  label: null,
  uuid: null,
  partitionMap: null,
  partitionType: null,
  partitionTypeName: null,
  vendor: null,
  model: null,
  serial: null,
}

export interface Asked {
  readonly kernelName: string
  readonly path: string
  readonly number: string
}

/** Columns that lsblk has had since util-linux 2.35. */
export const lsblkArguments = [
  '--json',
  '--list',
  '--bytes',
  '--output',
  'KNAME,FSTYPE,LABEL,UUID,PTTYPE,PARTTYPE,PARTTYPENAME,VENDOR,MODEL,SERIAL',
]

export interface ContentsOptions {
  readonly log: Logger
  readonly signal?: AbortSignal
  /** Path of the one disk that is asked for, with its partitions; null: all. */
  readonly only: string | null
  /** How long a drive may take to answer. */
  readonly patienceMs: number
  /** Drives that didn't answer, by path, and when they may be asked again: a list mustn't wait for them each time. */
  readonly silentUntil: Map<string, number>
  readonly now: () => number
}

/** What doesn't answer is left alone for so long, unless somebody asks for just that drive. */
const silenceMs = 30_000

/** By kernel name. A device that can't be read is absent; the others are there. */
export async function readContents(
  system: Machine,
  devices: readonly Asked[],
  options: ContentsOptions,
): Promise<ReadonlyMap<string, DeviceContents>> {
  const [told, probed] = await Promise.all([
    readUdevContents(system, options),
    system.privileged ? probeUnknown(system, devices, options) : new Map<string, DeviceContents>(),
  ])
  const contents = new Map(told)
  for (const [kernelName, found] of probed) {
    const { vendor, model, serial } = told.get(kernelName) ?? noContents
    contents.set(kernelName, { ...found, vendor, model, serial })
  }
  return contents
}

/** Devices that udev doesn't know. */
async function probeUnknown(
  system: Machine,
  devices: readonly Asked[],
  { log, signal, patienceMs, silentUntil, now }: ContentsOptions,
): Promise<ReadonlyMap<string, DeviceContents>> {
  const unknown: Asked[] = []
  for (const device of devices) {
    const known = (await system.readText(`/run/udev/data/b${device.number}`)) !== null
    const silent = now() < (silentUntil.get(device.path) ?? 0)
    // udev's rules leave network block devices alone.
    if (!silent && (!known || device.kernelName.startsWith('nbd'))) unknown.push(device)
  }
  const found = new Map<string, DeviceContents>()
  // A few at a time: a drive that doesn't answer must not hold up the others.
  const queue = unknown.values()
  const probing = Array.from({ length: 4 }, async () => {
    for (const device of queue) {
      const contents = await probeContents(system, device.path, { log, signal, patienceMs })
      if (contents !== null) found.set(device.kernelName, contents)
      else silentUntil.set(device.path, now() + silenceMs)
    }
  })
  await Promise.all(probing)
  return found
}

/** Read the device's own blocks. Null when that can't be done, or takes too long. */
export async function probeContents(
  system: Machine,
  path: string,
  {
    log,
    signal,
    patienceMs,
  }: Pick<ContentsOptions, 'log' | 'patienceMs'> & { signal?: AbortSignal | undefined },
): Promise<DeviceContents | null> {
  try {
    const result = await system.run('blkid', ['--probe', '--output', 'udev', path], {
      timeoutMs: patienceMs,
      ...(signal === undefined ? {} : { signal }),
    })
    // 2: "nothing found", or the device can't be read; 8: several signatures contradict each other.
    return result.status === 0 ? parseBlkid(result.stdout) : noContents
  } catch (error) {
    DeviceError.accept(error)
    log.warn('device cannot be probed', { path, reason: error.message })
    return null
  }
}

/** `ID_FS_TYPE=ext4` lines; labels as `ID_FS_LABEL_ENC`, bytes that aren't plain as `\x20`. */
export function parseBlkid(text: string): DeviceContents {
  const fields = new Map<string, string>()
  for (const line of text.split('\n')) {
    const equals = line.indexOf('=')
    if (equals > 0) fields.set(line.slice(0, equals), unescapeHex(line.slice(equals + 1)))
  }
  const field = (name: string) => cleanText(fields.get(name))
  return {
    ...noContents,
    filesystem: field('ID_FS_TYPE'),
    label: field('ID_FS_LABEL_ENC'),
    uuid: field('ID_FS_UUID_ENC'),
    partitionMap: partitionMapKind(field('ID_PART_TABLE_TYPE')),
    partitionType: field('ID_PART_ENTRY_TYPE'),
  }
}

async function readUdevContents(
  system: Machine,
  { log, signal, only }: ContentsOptions,
): Promise<ReadonlyMap<string, DeviceContents>> {
  try {
    const { stdout } = await system.run('lsblk', [...lsblkArguments, ...(only === null ? [] : [only])], {
      timeoutMs: 5000,
      ...(signal === undefined ? {} : { signal }),
    })
    return parseLsblk(stdout)
  } catch (error) {
    DeviceError.accept(error)
    log.warn('lsblk does not answer; names and file systems may be missing', { reason: error.message })
    return new Map()
  }
}

/** By kernel name. What isn't as lsblk documents it is left out. */
export function parseLsblk(json: string): ReadonlyMap<string, DeviceContents> {
  const contents = new Map<string, DeviceContents>()
  for (const row of rowsOf(json)) {
    const field = (name: string) => {
      const value = row[name]
      return typeof value === 'string' ? cleanText(value) : null
    }
    const kernelName = row['kname']
    if (typeof kernelName !== 'string') continue
    contents.set(kernelName, {
      filesystem: field('fstype'),
      label: field('label'),
      uuid: field('uuid'),
      partitionMap: partitionMapKind(field('pttype')),
      partitionType: field('parttype'),
      partitionTypeName: field('parttypename'),
      vendor: field('vendor'),
      model: field('model'),
      serial: field('serial'),
    })
  }
  return contents
}

function rowsOf(json: string): readonly { readonly [column: string]: unknown }[] {
  try {
    const parsed: unknown = JSON.parse(json)
    const rows = (parsed as { blockdevices?: unknown } | null)?.blockdevices
    return Array.isArray(rows) ? rows.filter((row) => typeof row === 'object' && row !== null) : []
  } catch {
    return []
  }
}

/** libblkid's names for the maps that we have names for; other maps (`sun`, `bsd`, …) count as none. */
function partitionMapKind(type: string | null): PartitionMapKind | null {
  if (type === null) return null
  return ({ gpt: 'gpt', dos: 'mbr', mac: 'apm' } as const)[type] ?? 'none'
}

function unescapeHex(text: string): string {
  if (!text.includes('\\x')) return text
  const bytes = Buffer.from(text, 'utf8').toString('latin1')
  const raw = bytes.replace(/\\x([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
  return Buffer.from(raw, 'latin1').toString('utf8')
}
