/**
 * Block devices as the kernel shows them in /sys/block. Everything read here is world-readable, so the answers, and
 * with them a disk's identity, are the same for the unprivileged side and the privileged one.
 * Documentation/ABI/stable/sysfs-block of the kernel.
 */
import type { Machine } from '#engine/platform/system'
import type { Bus } from '#shared/model'

export interface PartitionDevice {
  readonly kernelName: string
  readonly path: string
  /** `major:minor` */
  readonly number: string
  readonly index: number
  readonly offset: number
  readonly sizeBytes: number
  readonly readOnly: boolean
  readonly holders: readonly string[]
}

export interface BlockDevice {
  /** As in /sys/block: `sda`, `cciss!c0d0`. */
  readonly kernelName: string
  readonly path: string
  readonly number: string
  /** Where it hangs: `/sys/devices/pci0000:00/…/block/sda`. */
  readonly sysPath: string
  readonly sizeBytes: number
  readonly logicalBlockBytes: number
  readonly readOnly: boolean
  readonly removable: boolean
  /** Counts attachments and media changes on this machine (Linux 5.15); null before. */
  readonly sequence: string | null
  /** The file behind a loop device, as it was named when attached. */
  readonly backingFile: string | null
  /** A loop device that goes away with the last that has it open, as one does that `mount -o loop` made. */
  readonly autoclear: boolean
  readonly bus: Bus
  /** Built in: neither a removable medium nor something one can pull out. */
  readonly internal: boolean
  readonly vendor: string | null
  readonly model: string | null
  readonly serial: string | null
  readonly wwid: string | null
  readonly zeroOut: boolean
  readonly discard: boolean
  /** Of a device-mapper device: its name, and its UUID, which begins with who made it (`LVM-`, `CRYPT-`, …). */
  readonly mapping: { readonly name: string; readonly uuid: string } | null
  /** Devices made of this one (device-mapper, RAID, …), by kernel name; partitions have their own. */
  readonly holders: readonly string[]
  /** Devices that this one is made of. */
  readonly slaves: readonly string[]
  readonly partitions: readonly PartitionDevice[]
}

/** All block devices with a size, the kernel's own virtual ones included. A device that vanishes meanwhile is left out. */
export async function readBlockDevices(system: Machine): Promise<readonly BlockDevice[]> {
  const names = await system.readFolder('/sys/block')
  const devices = await Promise.all(names.map((name) => readBlockDevice(system, name)))
  return devices.filter((device) => device !== null)
}

/** One of /sys/block by its kernel name; null when it is gone, empty or hidden. */
export async function readBlockDevice(system: Machine, kernelName: string): Promise<BlockDevice | null> {
  const folder = `/sys/block/${kernelName}`
  const text = (name: string) => readField(system, `${folder}/${name}`)
  const sizeBytes = sectors(await text('size'))
  if (sizeBytes === 0 || (await text('hidden')) === '1') return null
  const [number, sysPath, ro, removable, sequence, block, zeroes, discard] = await Promise.all([
    text('dev'),
    system.realPath(folder),
    text('ro'),
    text('removable'),
    text('diskseq'),
    text('queue/logical_block_size'),
    text('queue/write_zeroes_max_bytes'),
    text('queue/discard_max_bytes'),
  ])
  if (number === null || sysPath === null) return null
  const loop = /^loop\d+$/.test(kernelName)
  const backingFile = loop ? await readBackingFile(system, folder) : null
  if (loop && backingFile === null) return null
  const autoclear = loop && (await text('loop/autoclear')) === '1'
  const [vendor, model, serial, wwid, partitions, holders, slaves] = await Promise.all([
    text('device/vendor'),
    firstField(system, [`${folder}/device/model`, `${folder}/device/name`]),
    readSerial(system, folder, sysPath),
    firstField(system, [`${folder}/wwid`, `${folder}/device/wwid`]),
    readPartitions(system, folder, kernelName),
    system.readFolder(`${folder}/holders`),
    system.readFolder(`${folder}/slaves`),
  ])
  const mapping = kernelName.startsWith('dm-')
    ? { name: (await text('dm/name')) ?? kernelName, uuid: (await text('dm/uuid')) ?? '' }
    : null
  const { bus, builtIn } = await readBus(system, kernelName, folder, sysPath)
  return {
    kernelName,
    path: nodePath(kernelName),
    number,
    sysPath,
    sizeBytes,
    logicalBlockBytes: blockBytes(block),
    readOnly: ro === '1',
    removable: removable === '1',
    sequence,
    backingFile,
    autoclear,
    bus,
    internal: builtIn && removable !== '1',
    // PCI vendor numbers (virtio) and the placeholder of SATA are not names.
    vendor: vendor === null || /^(0x[0-9a-f]+|ata)$/i.test(vendor) ? null : vendor,
    model,
    serial,
    wwid,
    zeroOut: Number(zeroes ?? 0) > 0,
    discard: Number(discard ?? 0) > 0,
    mapping,
    holders,
    slaves,
    partitions,
  }
}

/** `/dev/…`: the kernel writes `!` for `/` in sysfs. */
export function nodePath(kernelName: string): string {
  return `/dev/${kernelName.replaceAll('!', '/')}`
}

/**
 * Whether people see it as a disk. Left out: memory (ram, zram), floppies, CD drives, the boot and protected areas of
 * eMMC, what is made of other disks (RAID, device-mapper, caches): those are not ours to write; and the loop devices that
 * snapd makes by the dozen for its packages.
 */
export function isListed(device: BlockDevice): boolean {
  if (device.backingFile?.startsWith('/var/lib/snapd/') === true) return false
  return !/^(ram|zram|fd|sr|dm-|md|bcache|mtdblock|drbd)\d|^md_|^mmcblk\d+(boot|gp|rpmb)/.test(
    device.kernelName,
  )
}

/** The kernel ends the path with a newline; spaces at its end are the file's own. */
async function readBackingFile(system: Machine, folder: string): Promise<string | null> {
  const path = (await system.readText(`${folder}/loop/backing_file`))?.replace(/\n$/, '') ?? ''
  return path === '' ? null : path
}

async function readPartitions(
  system: Machine,
  folder: string,
  disk: string,
): Promise<readonly PartitionDevice[]> {
  const names = (await system.readFolder(folder)).filter((name) => name.startsWith(disk))
  const partitions = await Promise.all(
    names.map(async (kernelName): Promise<PartitionDevice | null> => {
      const text = (name: string) => readField(system, `${folder}/${kernelName}/${name}`)
      const [index, number, start, size, ro, holders] = await Promise.all([
        text('partition'),
        text('dev'),
        text('start'),
        text('size'),
        text('ro'),
        system.readFolder(`${folder}/${kernelName}/holders`),
      ])
      if (index === null || number === null) return null
      return {
        kernelName,
        path: nodePath(kernelName),
        number,
        index: Number(index),
        offset: sectors(start),
        sizeBytes: sectors(size),
        readOnly: ro === '1',
        holders,
      }
    }),
  )
  return partitions.filter((partition) => partition !== null).sort((a, b) => a.offset - b.offset)
}

async function readSerial(system: Machine, folder: string, sysPath: string): Promise<string | null> {
  const own = await firstField(system, [`${folder}/device/serial`, `${folder}/serial`])
  if (own !== null) return own
  // USB: the serial number is the device's, a few folders up.
  for (let at = sysPath; /\/usb\d+\//.test(at); at = at.slice(0, at.lastIndexOf('/'))) {
    if ((await readField(system, `${at}/idVendor`)) !== null) return readField(system, `${at}/serial`)
  }
  return null
}

/** The bus by the path that leads to the device, and whether it is built in. */
async function readBus(
  system: Machine,
  kernelName: string,
  folder: string,
  sysPath: string,
): Promise<{ bus: Bus; builtIn: boolean }> {
  if (kernelName.startsWith('loop')) return { bus: 'loop', builtIn: false }
  const isOnUsb = /\/usb\d+\//.test(sysPath)
  // Before USB: there are readers on USB whose cards aren't disks of USB.
  if (/\/mmc_host\//.test(sysPath)) {
    const isChip = (await readField(system, `${folder}/device/type`)) === 'MMC'
    return { bus: 'sd', builtIn: isChip && !isOnUsb }
  }
  if (isOnUsb) return { bus: 'usb', builtIn: false }
  if (/\/memstick_host\//.test(sysPath) || kernelName.startsWith('nbd'))
    return { bus: 'unknown', builtIn: false }
  if (/\/firewire\d*\/|\/fw\d+/.test(sysPath)) return { bus: 'unknown', builtIn: false }
  if (await hangsOnRemovableBridge(system, sysPath)) return { bus: 'thunderbolt', builtIn: false }
  if (/\/nvme\d*\//.test(sysPath) || kernelName.startsWith('nvme')) return { bus: 'nvme', builtIn: true }
  if (/\/virtio\d+\//.test(sysPath)) return { bus: 'virtio', builtIn: true }
  if (/\/ata\d+\//.test(sysPath)) return { bus: 'sata', builtIn: true }
  if (/\/host\d+\//.test(sysPath)) return { bus: 'scsi', builtIn: true }
  // Of virtual machines, mainframes, memory that lasts: nobody pulls these out.
  return { bus: 'unknown', builtIn: true }
}

/** The kernel marks PCI devices behind a port that leads out of the case (Thunderbolt, USB4) as `removable`. */
async function hangsOnRemovableBridge(system: Machine, sysPath: string): Promise<boolean> {
  for (let at = sysPath; at.startsWith('/sys/devices/pci'); at = at.slice(0, at.lastIndexOf('/'))) {
    if (!/\/[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/.test(at)) continue
    if ((await readField(system, `${at}/removable`)) === 'removable') return true
  }
  return false
}

async function readField(system: Machine, path: string): Promise<string | null> {
  const text = await system.readText(path)
  const field = text?.trim() ?? ''
  return field === '' ? null : field
}

async function firstField(system: Machine, paths: readonly string[]): Promise<string | null> {
  for (const path of paths) {
    const field = await readField(system, path)
    if (field !== null) return field
  }
  return null
}

/** Sizes and offsets in sysfs are in units of 512 bytes, whatever the device's block size. */
function sectors(text: string | null): number {
  const count = Number(text ?? 0)
  return Number.isSafeInteger(count * 512) && count > 0 ? count * 512 : 0
}

function blockBytes(text: string | null): number {
  const bytes = Number(text ?? 512)
  return Number.isInteger(bytes) && bytes >= 512 && bytes <= 65_536 ? bytes : 512
}
