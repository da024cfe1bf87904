import { describe, expect, it } from 'vitest'
import type { BlockSource } from '#engine/block-io'
import { kolyBytes, parseKoly, readUdif, type UdifImage } from '#engine/formats/udif'
import { openEditableList } from '#src/main/engine/formats/udif/edit-list.ts'
import { replaceTail, type TailFile } from '#src/main/engine/formats/udif/replace-tail.ts'
import { buildUdif, type UdifSpec } from '#test/build-udif'
import { noise } from '#test/image-of-runs'
import { memorySource } from '#test/memory-source'

const spec: UdifSpec = {
  tables: [
    { name: 'map (MBR : 0)', runs: [{ kind: 'raw', sectors: 1, data: noise(512, 1) }] },
    {
      name: 'disk image (Apple_HFS : 1)',
      runs: [
        { kind: 'zlib', sectors: 20, data: noise(10_240, 2) },
        { kind: 'ignore', sectors: 30 },
      ],
    },
  ],
  resources: [
    { type: 'LPic', id: 5000, data: noise(10, 3), attributes: 0x50 },
    { type: 'cSum', id: 0, data: Buffer.from('0100020000000000ffff', 'hex') },
  ],
}
const added = {
  type: 'cSum',
  id: 7,
  name: '',
  attributes: '0x0000',
  data: [Buffer.from('01000200000010fca83f', 'hex')],
} as const
const remove = new Set(['cSum'])

/** A file that keeps what was done to it, and can go back to any moment of that. */
class MemoryFile implements TailFile {
  readonly #first: Uint8Array
  readonly steps: (
    | { kind: 'write'; bytes: Uint8Array; offset: number }
    | { kind: 'truncate'; sizeBytes: number }
    | { kind: 'sync' }
  )[] = []
  failAt = Infinity

  constructor(bytes: Uint8Array) {
    this.#first = bytes
  }

  async write(bytes: Uint8Array, offset: number): Promise<void> {
    this.#count()
    this.steps.push({ kind: 'write', bytes: Uint8Array.from(bytes), offset })
  }

  async truncate(sizeBytes: number): Promise<void> {
    this.#count()
    this.steps.push({ kind: 'truncate', sizeBytes })
  }

  async sync(): Promise<void> {
    this.#count()
    this.steps.push({ kind: 'sync' })
  }

  #count() {
    if (this.steps.length < this.failAt) return
    this.failAt = Infinity
    throw new Error('the disk is full')
  }

  /** After the first `count` steps. `sector`: which sectors of a write that wasn't flushed are on the medium. */
  at(count: number, sector: (step: number, index: number) => boolean = () => true): Uint8Array {
    const lastSync = this.steps.slice(0, count).findLastIndex(({ kind }) => kind === 'sync')
    let bytes = this.#first
    for (const [index, step] of this.steps.slice(0, count).entries()) {
      if (step.kind === 'truncate') bytes = bytes.slice(0, step.sizeBytes)
      if (step.kind !== 'write') continue
      const end = step.offset + step.bytes.length
      const extends_ = end > bytes.length
      const isFlushed = index < lastSync
      // What makes a file longer is there as a whole or not at all: its length is written last.
      if (extends_ && !isFlushed && !sector(index, 0)) continue
      const longer = new Uint8Array(Math.max(end, bytes.length))
      longer.set(bytes)
      if (isFlushed || extends_) longer.set(step.bytes, step.offset)
      else
        for (let at = step.offset; at < end;) {
          const next = Math.min(end, Math.floor(at / 512 + 1) * 512)
          if (sector(index, Math.floor(at / 512)))
            longer.set(step.bytes.subarray(at - step.offset, next - step.offset), at)
          at = next
        }
      bytes = longer
    }
    return bytes
  }

  now = () => this.at(this.steps.length)

  async size(): Promise<number> {
    return this.now().length
  }
}

/** The file as it is at each moment. */
const live = (file: MemoryFile, sizeBytes: number): BlockSource => ({
  path: '/memory/image.dmg',
  sizeBytes,
  read: (into, offset, signal) => memorySource(file.now()).read(into, offset, signal),
  async [Symbol.asyncDispose]() {},
})

async function open(bytes: Uint8Array): Promise<UdifImage> {
  const source = memorySource(bytes)
  const koly = parseKoly(bytes.subarray(-kolyBytes), bytes.length)
  return await readUdif(source, koly, async () => source)
}

async function replace(file: MemoryFile, first: Uint8Array): Promise<number> {
  const source = live(file, first.length)
  const koly = parseKoly(first.subarray(-kolyBytes), first.length)
  const list = await openEditableList(source, koly, remove)
  return await replaceTail(file, {
    source,
    koly,
    list: () => list.edited({ remove, add: [added], patchTable: null }),
    change: {},
    check: async () => undefined,
  })
}

const scanIds = ({ scan }: UdifImage) => scan?.partitions.map(({ partNum }) => partNum)
const dataOf = (bytes: Uint8Array, { layout }: UdifImage) =>
  layout.parts.map(({ fileOffset, lengthBytes }) =>
    Buffer.from(bytes.slice(fileOffset, fileOffset + lengthBytes)),
  )

describe('replacing the list of a UDIF file', () => {
  it('leaves the data, every other resource, and nothing in between', async () => {
    const { bytes } = buildUdif(spec)
    const file = new MemoryFile(bytes)
    const before = await open(bytes)
    const sizeBytes = await replace(file, bytes)
    const now = file.now()
    const after = await open(now)
    expect(now).toHaveLength(sizeBytes)
    expect(scanIds(before)).toEqual([0])
    expect(scanIds(after)).toEqual([7])
    expect(after.layout).toEqual(before.layout)
    expect(after.masterCheck).toEqual(before.masterCheck)
    const koly = parseKoly(now.subarray(-kolyBytes), now.length)
    expect(koly.xmlOffset).toBe(koly.dataForkLength)
    expect(koly.xmlOffset + koly.xmlLength + kolyBytes).toBe(now.length)
    const text = Buffer.from(now.subarray(koly.xmlOffset, koly.xmlOffset + koly.xmlLength)).toString()
    expect(text).toContain('<key>LPic</key>')
    expect(text.match(/<key>cSum<\/key>/g)).toHaveLength(1)
  })

  it('writes the same again when the same is stored again', async () => {
    const { bytes } = buildUdif(spec)
    const file = new MemoryFile(bytes)
    await replace(file, bytes)
    const once = file.now()
    const again = new MemoryFile(once)
    await replace(again, once)
    expect(Buffer.compare(again.now(), once)).toBe(0)
  })

  it.each([
    ['a plist', {}],
    ['a plist and a fork', { list: 'both' }],
    ['a fork', { list: 'fork' }],
    ['bytes in front of the data', { dataForkOffset: 700 }],
    ['no data at all', { tables: [{ runs: [{ kind: 'ignore', sectors: 9 }] }] }],
  ] as const)('is a whole image after every step, killed or without power: %s', async (_, change) => {
    const { bytes } = buildUdif({ ...spec, ...change })
    const file = new MemoryFile(bytes)
    await replace(file, bytes)
    const before = await open(bytes)
    const seen = new Set<string>()
    let seed = 1
    // A small generator: which sectors reach the medium is chance, and the same every time.
    const chance = () => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) % 2 === 0
    for (let count = 0; count <= file.steps.length; count++)
      for (let round = 0; round < 6; round++) {
        const crashed = round === 0 ? file.at(count) : file.at(count, chance)
        const image = await open(crashed)
        expect(image.layout).toEqual(before.layout)
        expect(dataOf(crashed, image)).toEqual(dataOf(bytes, before))
        seen.add(String(scanIds(image)))
      }
    expect([...seen].toSorted()).toEqual(['0', '7'])
  })

  it('is what it was when a step up to the switch fails, and complete when a later one does', async () => {
    const { bytes } = buildUdif(spec)
    const whole = new MemoryFile(bytes)
    await replace(whole, bytes)
    const steps = whole.steps.length
    const ends: string[] = []
    for (let failAt = 0; failAt < steps; failAt++) {
      const file = new MemoryFile(bytes)
      file.failAt = failAt
      await expect(replace(file, bytes)).rejects.toThrow('the disk is full')
      const now = file.now()
      const ids = String(scanIds(await open(now)))
      ends.push(ids)
      // Old, or new: there is nothing in between.
      const isOld = Buffer.compare(now, bytes) === 0
      expect(isOld).toBe(ids === '0')
    }
    expect(ends[0]).toBe('0')
    expect(ends.at(-1)).toBe('7')
    // Once the new list counts, it does.
    expect(ends).toEqual(ends.toSorted())
  })

  it('leaves the file to somebody else who makes it longer meanwhile', async () => {
    const { bytes } = buildUdif(spec)
    const file = new MemoryFile(bytes)
    const source = live(file, bytes.length)
    const koly = parseKoly(bytes.subarray(-kolyBytes), bytes.length)
    const list = await openEditableList(source, koly, remove)
    const theirs = Buffer.concat([noise(3000, 9), bytes.subarray(-kolyBytes)])
    const replacing = replaceTail(file, {
      source,
      koly,
      list: () => list.edited({ remove, add: [added], patchTable: null }),
      change: {},
      check: async () => await file.write(theirs, file.now().length),
    })
    await expect(replacing).rejects.toMatchObject({ code: 'E_SRC_CHANGED' })
    const now = file.now()
    expect(Buffer.compare(now.subarray(-theirs.length), theirs)).toBe(0)
    expect(scanIds(await open(now))).toEqual([0])
  })

  it('never counts what the check does not accept', async () => {
    const { bytes } = buildUdif(spec)
    const file = new MemoryFile(bytes)
    const source = live(file, bytes.length)
    const koly = parseKoly(bytes.subarray(-kolyBytes), bytes.length)
    const list = await openEditableList(source, koly, remove)
    const replacing = replaceTail(file, {
      source,
      koly,
      list: () => list.edited({ remove, add: [added], patchTable: null }),
      change: {},
      async check(staged) {
        const trailer = new Uint8Array(kolyBytes)
        await staged.read(trailer, staged.sizeBytes - kolyBytes)
        const seen = await readUdif(staged, parseKoly(trailer, staged.sizeBytes), async () => staged)
        expect(scanIds(seen)).toEqual([7])
        throw new Error('not this')
      },
    })
    await expect(replacing).rejects.toThrow('not this')
    expect(Buffer.compare(file.now(), bytes)).toBe(0)
  })
})
