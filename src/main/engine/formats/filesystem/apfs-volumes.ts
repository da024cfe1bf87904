/**
 * The volumes of an APFS container: names, UUIDs and roles. Apple File System Reference (2020-06-22): nx_superblock_t,
 * checkpoints, omap_phys_t, btree_node_phys_t, apfs_superblock_t. Every block is checked by its Fletcher-64; what is followed
 * is bounded, and what can't be read is left out.
 */
import { setImmediate } from 'node:timers/promises'
import { corrupt, readOrNull, type ReadDisk } from '#engine/formats/struct'

export interface ApfsVolume {
  readonly name: string
  /** As Apple writes them: upper case. */
  readonly uuid: string
  /** `System`, `Data`, `Recovery`, …; null where it has none. */
  readonly role: string | null
}

/** nx_max_file_systems can't be more. */
const mostVolumes = 100
const mostLevels = 16
/** A checkpoint area of this many blocks is far more than formatters make. */
const mostCheckpointBlocks = 4096
/** All containers of a disk together: a map may name any number of them, and one as often as it likes. */
const mostBytes = 64 * 1024 * 1024
/** Of reads: those of zeros are no wait for anything, and everything else in this thread would wait for them. */
const pauseEvery = 256
const headerBytes = 32
const btreeInfoBytes = 40
const nodeDataAt = 56
const nodeFlags = { root: 1, leaf: 2, fixed: 4 }

/** APFS_VOL_ROLE_*: the first are bits, those from 1 << 6 on are numbers. */
const roles: { readonly [role: number]: string } = {
  [1 << 0]: 'System',
  [1 << 1]: 'User',
  [1 << 2]: 'Recovery',
  [1 << 3]: 'VM',
  [1 << 4]: 'Preboot',
  [1 << 5]: 'Installer',
  [1 << 6]: 'Data',
  [2 << 6]: 'Baseband',
  [3 << 6]: 'Update',
  [4 << 6]: 'xART',
  [5 << 6]: 'Hardware',
  [6 << 6]: 'Backup',
  [9 << 6]: 'Enterprise',
  [11 << 6]: 'Prelogin',
}

interface Place {
  readonly offset: number
  readonly sizeBytes: number
}

/** One for each disk: it counts what looking into its containers takes. */
export class ApfsReader {
  readonly #readDisk: ReadDisk
  readonly #signal: AbortSignal | undefined
  #bytesLeft = mostBytes
  #reads = 0

  constructor(readDisk: ReadDisk, signal?: AbortSignal) {
    this.#readDisk = readDisk
    this.#signal = signal
  }

  /**
   * In the order of the container. Empty where there are none, its structures can't be read, or too much was looked at
   * before. Rejects with what the medium throws, and the signal's reason.
   */
  async volumes(place: Place): Promise<ApfsVolume[]> {
    return (await readOrNull(readVolumes(new Container(this.#read, place)))) ?? []
  }

  /** Null: it can't be decoded. */
  readonly #read: ReadBlock = async (offset, lengthBytes) => {
    this.#bytesLeft -= lengthBytes
    if (this.#bytesLeft < 0)
      throw corrupt({ format: 'apfs', field: 'container', offset, expected: 'less to look through' })
    this.#reads += 1
    if (this.#reads % pauseEvery === 0) {
      await setImmediate()
      this.#signal?.throwIfAborted()
    }
    return await readOrNull(this.#readDisk(offset, lengthBytes))
  }
}

type ReadBlock = (offset: number, lengthBytes: number) => Promise<Uint8Array | null>

async function readVolumes(container: Container): Promise<ApfsVolume[]> {
  const superblock = await container.latestSuperblock()
  if (superblock === null) return []
  const xid = superblock.readBigUInt64LE(16)
  const omap = await container.block(superblock.readBigUInt64LE(160))
  const tree = omap?.readBigUInt64LE(48) ?? null
  if (tree === null) return []
  const count = Math.min(superblock.readUInt32LE(180), mostVolumes)
  const volumes: ApfsVolume[] = []
  for (let index = 0; index < count; index++) {
    const oid = superblock.readBigUInt64LE(184 + index * 8)
    if (oid === 0n) continue
    const place = await container.lookUp(tree, oid, xid)
    const found = place === null ? null : parseVolume(await container.block(place))
    if (found !== null) volumes.push(found)
  }
  return volumes
}

function parseVolume(block: Buffer | null): ApfsVolume | null {
  if (block === null || block.toString('latin1', headerBytes, headerBytes + 4) !== 'APSB') return null
  const name = block.toString('utf8', 704, 704 + 256).split('\0', 1)[0] ?? ''
  const hex = block.toString('hex', 240, 256).toUpperCase()
  return {
    name: name.replaceAll(/\p{Cc}/gu, ''),
    uuid: hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
    role: roles[block.readUInt16LE(964)] ?? null,
  }
}

class Container {
  readonly #readBlock: ReadBlock
  readonly #offset: number
  readonly #sizeBytes: number
  #blockBytes = 4096

  constructor(readBlock: ReadBlock, { offset, sizeBytes }: Place) {
    this.#readBlock = readBlock
    this.#offset = offset
    this.#sizeBytes = sizeBytes
  }

  /** The valid superblock with the highest transaction: of the checkpoints, or the copy in block 0. */
  async latestSuperblock(): Promise<Buffer | null> {
    const head = await this.#read(0, 4096)
    if (head === null || !isSuperblock(head)) return null
    const blockBytes = head.readUInt32LE(36)
    if (blockBytes < 4096 || blockBytes > 65_536 || (blockBytes & (blockBytes - 1)) !== 0) return null
    this.#blockBytes = blockBytes
    let latest = await this.#superblock(0n)
    // With the highest bit, the area isn't contiguous but listed in a tree: block 0 has to do.
    const listed = head.readUInt32LE(104)
    const base = head.readBigUInt64LE(112)
    const inside = Math.floor(this.#sizeBytes / blockBytes) - Number(base)
    const count = listed < 0x8000_0000 ? Math.min(listed, mostCheckpointBlocks, inside) : 0
    for (let index = 0; index < count; index++) {
      const block = await this.#superblock(base + BigInt(index))
      if (block === null) continue
      if (latest === null || block.readBigUInt64LE(16) > latest.readBigUInt64LE(16)) latest = block
    }
    return latest
  }

  /** A block with a right checksum; null otherwise. */
  async block(address: bigint): Promise<Buffer | null> {
    const bytes = await this.#at(address)
    return bytes !== null && isIntact(bytes) ? bytes : null
  }

  /** Its mark first: summing up every block of a checkpoint area would take long. */
  async #superblock(address: bigint): Promise<Buffer | null> {
    const bytes = await this.#at(address)
    return bytes !== null && isSuperblock(bytes) && isIntact(bytes) ? bytes : null
  }

  /** Where object `oid` is, as of transaction `xid`: down the tree, at each node the last key that isn't greater. */
  async lookUp(tree: bigint, oid: bigint, xid: bigint): Promise<bigint | null> {
    let address = tree
    for (let depth = 0; depth < mostLevels; depth++) {
      const node = await this.block(address)
      if (node === null) return null
      const found = lastNotGreater(node, oid, xid)
      if (found === null) return null
      if (!found.isLeaf) {
        address = found.value.readBigUInt64LE(0)
        continue
      }
      if (found.oid !== oid || found.value.length < 16) return null
      return found.value.readBigUInt64LE(8)
    }
    return null
  }

  async #at(address: bigint): Promise<Buffer | null> {
    if (address > BigInt(Math.floor(this.#sizeBytes / this.#blockBytes))) return null
    return await this.#read(Number(address) * this.#blockBytes, this.#blockBytes)
  }

  async #read(at: number, lengthBytes: number): Promise<Buffer | null> {
    if (at + lengthBytes > this.#sizeBytes) return null
    const bytes = await this.#readBlock(this.#offset + at, lengthBytes)
    return bytes === null ? null : Buffer.from(bytes)
  }
}

const isSuperblock = (block: Buffer) => block.toString('latin1', headerBytes, headerBytes + 4) === 'NXSB'

/** Of a node of an object map: keys are oid and xid, eight bytes each; values are where, or which node. */
function lastNotGreater(node: Buffer, oid: bigint, xid: bigint) {
  const flags = node.readUInt16LE(32)
  if ((flags & nodeFlags.fixed) === 0) return null
  const isLeaf = (flags & nodeFlags.leaf) !== 0
  const tableAt = nodeDataAt + node.readUInt16LE(40)
  const keysAt = tableAt + node.readUInt16LE(42)
  const valuesEnd = node.length - ((flags & nodeFlags.root) === 0 ? 0 : btreeInfoBytes)
  const count = Math.min(node.readUInt32LE(36), Math.floor(node.length / 4))
  let found: { readonly oid: bigint; readonly value: Buffer; readonly isLeaf: boolean } | null = null
  for (let index = 0; index < count; index++) {
    const entry = tableAt + index * 4
    if (entry + 4 > node.length) return found
    const keyAt = keysAt + node.readUInt16LE(entry)
    const valueAt = valuesEnd - node.readUInt16LE(entry + 2)
    const valueBytes = isLeaf ? 16 : 8
    if (keyAt + 16 > node.length || valueAt < 0 || valueAt + valueBytes > node.length) return found
    const key = node.readBigUInt64LE(keyAt)
    if (key > oid || (key === oid && node.readBigUInt64LE(keyAt + 8) > xid)) return found
    found = { oid: key, value: node.subarray(valueAt, valueAt + valueBytes), isLeaf }
  }
  return found
}

/** Fletcher-64 over all but the first eight bytes, in words of 32 bits, modulo 2^32 - 1. */
function isIntact(block: Buffer): boolean {
  const modulus = 0xffff_ffff
  let low = 0
  let high = 0
  for (let at = 8; at < block.length; at += 4) {
    low = (low + block.readUInt32LE(at)) % modulus
    high = (high + low) % modulus
  }
  const first = modulus - ((low + high) % modulus)
  const second = modulus - ((low + first) % modulus)
  return block.readUInt32LE(0) === first && block.readUInt32LE(4) === second
}
