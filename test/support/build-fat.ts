/** Builds a FAT16 volume with a few files in its root folder: enough for tests and the Practice image. */
const sectorBytes = 512
const reservedSectors = 4
const fats = 2
const rootEntries = 512
const entryBytes = 32
/** 1 January 2026, noon, as FAT writes dates and times. */
const fatDate = ((2026 - 1980) << 9) | (1 << 5) | 1
const fatTime = 12 << 11

export interface FatFile {
  /** As people see it. */
  readonly name: string
  /** Its name of eight and three, in capitals, without the dot: `README  TXT`. */
  readonly shortName: string
  readonly data: Uint8Array
}

export interface FatSpec {
  readonly sectors: number
  /** Up to eleven capitals. */
  readonly label: string
  readonly files: readonly FatFile[]
  /** Sectors in front of the volume on its disk. */
  readonly hiddenSectors?: number
  /** Default 4: for volumes of 8 to 127 MiB. */
  readonly clusterSectors?: number
}

/** The volume, and how many of its first bytes are used: all behind is free. */
export function buildFat16(spec: FatSpec): { readonly volume: Buffer; readonly usedBytes: number } {
  const { sectors, clusterSectors = 4 } = spec
  const rootSectors = (rootEntries * entryBytes) / sectorBytes
  const clusterBytes = clusterSectors * sectorBytes
  // As the FAT specification computes it.
  const fatSectors = Math.ceil((sectors - reservedSectors - rootSectors) / (256 * clusterSectors + fats))
  const rootAt = (reservedSectors + fats * fatSectors) * sectorBytes
  const dataAt = rootAt + rootSectors * sectorBytes
  const clusters = Math.floor((sectors - dataAt / sectorBytes) / clusterSectors)
  if (clusters < 4085 || clusters >= 65_525) throw new Error(`${clusters} clusters make no FAT16`)

  const volume = Buffer.alloc(sectors * sectorBytes)
  writeBootSector(volume, spec, { clusterSectors, fatSectors })
  const fat = Buffer.alloc(fatSectors * sectorBytes)
  fat.writeUInt16LE(0xfff8, 0)
  fat.writeUInt16LE(0xffff, 2)
  const root: Buffer[] = [entry(spec.label.padEnd(11), 0x08, 0, 0)]
  let nextCluster = 2
  for (const file of spec.files) {
    const count = Math.ceil(file.data.length / clusterBytes)
    root.push(...longName(file), entry(file.shortName, 0x20, count === 0 ? 0 : nextCluster, file.data.length))
    volume.set(file.data, dataAt + (nextCluster - 2) * clusterBytes)
    for (let index = 0; index < count; index++, nextCluster++)
      fat.writeUInt16LE(index + 1 === count ? 0xffff : nextCluster + 1, nextCluster * 2)
  }
  for (let copy = 0; copy < fats; copy++) volume.set(fat, (reservedSectors + copy * fatSectors) * sectorBytes)
  volume.set(Buffer.concat(root), rootAt)
  return { volume, usedBytes: dataAt + (nextCluster - 2) * clusterBytes }
}

/** A disk of `sectors` with an MBR and one partition of `type` from `firstSector` on. */
export function buildMbrDisk(spec: {
  readonly sectors: number
  readonly firstSector: number
  readonly type: number
  readonly volume: Uint8Array
}): Buffer {
  const disk = Buffer.alloc(spec.sectors * sectorBytes)
  disk.writeUInt32LE(0x5052_4143, 440)
  // Cylinders, heads and sectors say "too far to be said": everyone reads the LBA.
  disk.set([0, 0xfe, 0xff, 0xff, spec.type, 0xfe, 0xff, 0xff], 446)
  disk.writeUInt32LE(spec.firstSector, 454)
  disk.writeUInt32LE(spec.volume.length / sectorBytes, 458)
  disk.set([0x55, 0xaa], 510)
  disk.set(spec.volume, spec.firstSector * sectorBytes)
  return disk
}

function writeBootSector(
  volume: Buffer,
  { sectors, label, hiddenSectors = 0 }: FatSpec,
  { clusterSectors, fatSectors }: { readonly clusterSectors: number; readonly fatSectors: number },
): void {
  volume.set([0xeb, 0x3c, 0x90], 0)
  volume.write('MSWIN4.1', 3, 'latin1')
  volume.writeUInt16LE(sectorBytes, 11)
  volume.writeUInt8(clusterSectors, 13)
  volume.writeUInt16LE(reservedSectors, 14)
  volume.writeUInt8(fats, 16)
  volume.writeUInt16LE(rootEntries, 17)
  volume.writeUInt16LE(sectors < 65_536 ? sectors : 0, 19)
  volume.writeUInt8(0xf8, 21)
  volume.writeUInt16LE(fatSectors, 22)
  volume.writeUInt16LE(63, 24)
  volume.writeUInt16LE(255, 26)
  volume.writeUInt32LE(hiddenSectors, 28)
  volume.writeUInt32LE(sectors < 65_536 ? 0 : sectors, 32)
  volume.set([0x80, 0, 0x29], 36)
  volume.writeUInt32LE(0x2026_0101, 39)
  volume.write(label.padEnd(11), 43, 'latin1')
  volume.write('FAT16   ', 54, 'latin1')
  volume.set([0x55, 0xaa], 510)
}

function entry(shortName: string, attributes: number, cluster: number, lengthBytes: number): Buffer {
  const bytes = Buffer.alloc(entryBytes)
  bytes.write(shortName, 0, 11, 'latin1')
  bytes.writeUInt8(attributes, 11)
  bytes.writeUInt16LE(fatTime, 14)
  bytes.writeUInt16LE(fatDate, 16)
  bytes.writeUInt16LE(fatDate, 18)
  bytes.writeUInt16LE(fatTime, 22)
  bytes.writeUInt16LE(fatDate, 24)
  bytes.writeUInt16LE(cluster, 26)
  bytes.writeUInt32LE(lengthBytes, 28)
  return bytes
}

/** The name as it is, in entries of 13 letters before the short one, last first. */
function longName({ name, shortName }: FatFile): Buffer[] {
  let checksum = 0
  for (const char of Buffer.from(shortName, 'latin1'))
    checksum = (((checksum & 1) << 7) + (checksum >> 1) + char) & 0xff
  const letterPlaces = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30]
  const count = Math.ceil(name.length / letterPlaces.length)
  return Array.from({ length: count }, (_, index) => {
    const order = count - index
    const bytes = Buffer.alloc(entryBytes)
    bytes.writeUInt8(order | (index === 0 ? 0x40 : 0), 0)
    bytes.writeUInt8(0x0f, 11)
    bytes.writeUInt8(checksum, 13)
    letterPlaces.forEach((at, place) => {
      const position = (order - 1) * letterPlaces.length + place
      const letter =
        position < name.length ? name.charCodeAt(position) : position === name.length ? 0 : 0xffff
      bytes.writeUInt16LE(letter, at)
    })
    return bytes
  })
}
