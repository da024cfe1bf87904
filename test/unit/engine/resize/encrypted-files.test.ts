import { readdirSync, readFileSync, statSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openEditableFile, type EditableFile } from '#engine/block-io'
import { cipherOf, editEncryptedFile, readEncryptedHeader, unlockHeader } from '#engine/formats/encrypted'
import { openImage, unlockImage } from '#engine/formats/image'
import { SparseImageEditor } from '#engine/formats/sparse'
import { compactImage, resizeImage } from '#engine/resize'
import { buildSprs } from '#test/build-sparse'
import { decryptPlainly, encryptedV1, encryptedV2 } from '#test/encrypted-file'
import { expandImage } from '#test/expand-image'
import { noise } from '#test/image-of-runs'
import { quietContext } from '#test/quiet-context'
import { temporaryFolder, type TemporaryFolder } from '#test/temporary-folder'

let folder: TemporaryFolder
let path: string
beforeEach(async () => {
  folder = await temporaryFolder()
  path = join(folder.path, 'a.dmg')
})
afterEach(() => folder[Symbol.asyncDispose]())

const password = 'sesame'
const deps = { platform: { list: async () => [] } }
const resize = (sizeBytes: number, context = quietContext()) =>
  resizeImage({ path, sizeBytes }, deps, context)
const compact = () => compactImage(path, deps, quietContext())
const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0
const options = { signal: new AbortController().signal, advance: () => undefined }

async function expand(): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of expandImage(await openImage(path))) pieces.push(piece)
  return Buffer.concat(pieces)
}

async function store(inside: Uint8Array, blockBytes: number): Promise<void> {
  await writeFile(path, encryptedV2(inside, { password, blockBytes, seed: blockBytes % 251 }))
  await unlockImage(path, password)
}

/** Of a disk without a map, and not of noise: what seems to be an XFS says that it needs two sectors. */
function head(lengthBytes: number, seed: number): Buffer {
  const bytes = Buffer.from(noise(lengthBytes, seed))
  bytes.write('XFSB', 0, 'latin1')
  bytes.writeUInt32BE(512, 4)
  bytes.writeBigUInt64BE(2n, 8)
  bytes.writeUInt16LE(0xaa55, 510)
  return bytes
}

/** A sparse image of 4 bands of 4 KiB on a disk of 7 and a half; bands 5 and 2 are stored, 3 is zeros. */
const sprs = () => {
  const data = (number: number) => (number === 3 ? new Uint8Array(4096) : head(4096, number))
  return buildSprs({ sizeBytes: 7.5 * 4096, sectorsPerBand: 8, slots: [1, 6, 3, 4], data })
}

describe.each([512, 4096])('an encrypted file with blocks of %i bytes', (blockBytes) => {
  it('that becomes larger has zeros there, and nothing of what lay in its last block', async () => {
    const disk = head(10 * 512, 1)
    // The rest of the last block of 4096 isn't zeros here.
    const whole = Math.ceil(disk.length / blockBytes) * blockBytes
    await store(Buffer.concat([disk, noise(whole - disk.length, 2)]), blockBytes)
    const bytes = readFileSync(path)
    bytes.writeBigUInt64BE(BigInt(disk.length), 56)
    await writeFile(path, bytes)
    for (const larger of [11 * 512, 5000 * 512 + 512]) {
      await resize(larger)
      expect(same(await expand(), Buffer.concat([disk, Buffer.alloc(larger - disk.length)]))).toBe(true)
      expect(same(decryptPlainly(readFileSync(path), password), await expand())).toBe(true)
    }
  })

  it('that becomes smaller is cut off, and keeps nothing of what was there', async () => {
    const disk = Buffer.alloc(100 * 512)
    disk.set(head(1000, 1))
    await store(disk, blockBytes)
    const { length } = readFileSync(path)
    await resize(1024)
    expect(statSync(path).size).toBe(length - 100 * 512 - (disk.length % blockBytes === 0 ? 0 : blockBytes - (disk.length % blockBytes)) + Math.ceil(1024 / blockBytes) * blockBytes) // prettier-ignore
    await resize(disk.length)
    expect(same(await expand(), disk)).toBe(true)
  })

  it('with a sparse image in it is resized and compacted like one without', async () => {
    await store(sprs(), blockBytes)
    const before = await expand()
    await resize(64 * 4096)
    expect(same(await expand(), Buffer.concat([before, Buffer.alloc(64 * 4096 - before.length)]))).toBe(true)
    await resize(6 * 4096 + 512)
    expect(
      same(await expand(), Buffer.concat([before, Buffer.alloc(4096)]).subarray(0, 6 * 4096 + 512)),
    ).toBe(true)
    const { storedBeforeBytes, storedBytes } = await compact()
    expect(storedBeforeBytes - storedBytes).toBe(0)
    expect(same(await expand(), before.subarray(0, 6 * 4096 + 512))).toBe(true)
    expect(readdirSync(folder.path)).toEqual(['a.dmg'])
  })

  it('gets bands that a second decryptor finds', async () => {
    await store(sprs(), blockBytes)
    const before = await expand()
    await using file = await edited(await openEditableFile(path))
    const editor = await SparseImageEditor.open(file)
    await editor.write(noise(5000, 7), 6 * 4096 + 100)
    await editor.flush()
    const disk = Buffer.from(before)
    disk.set(noise(5000, 7), 6 * 4096 + 100)
    expect(same(await expand(), disk)).toBe(true)
    expect(decryptPlainly(readFileSync(path), password).length % 4096).toBe(0)
  })
})

it('shows how much of it is written', async () => {
  await store(head(4096, 1), 512)
  const context = quietContext()
  await resize(3 * 1024 * 1024, context)
  const more = 3 * 1024 * 1024 - 4096
  expect(context.told.filter((told) => String(told).startsWith('resizing'))).toEqual([`resizing ${more}`])
  expect(context.told.at(-1)).toBe(more)
})

it('is as it was after it was cancelled while it grew', async () => {
  await store(head(4096, 1), 512)
  const before = readFileSync(path)
  const abort = new AbortController()
  const context = { ...quietContext(abort.signal), advance: () => abort.abort(new Error('enough')) }
  await expect(resize(16 * 1024 * 1024, context)).rejects.toThrow('enough')
  expect(same(readFileSync(path), before)).toBe(true)
})

it('asks for its password; in the oldest way of encryption it is refused without that', async () => {
  await writeFile(path, encryptedV2(head(4096, 1), { password, seed: 200 }))
  for (const work of [() => resize(8192), compact])
    await expect(work()).rejects.toMatchObject({ code: 'E_SRC_ENCRYPTED' })
  await writeFile(path, encryptedV1(head(4096, 1), { password, seed: 201 }))
  const refusal = { code: 'E_UNSUPPORTED', details: { problem: expect.stringContaining('version 1') } }
  for (const work of [() => resize(8192), compact]) await expect(work()).rejects.toMatchObject(refusal)
  await unlockImage(path, password)
  for (const work of [() => resize(8192), compact]) await expect(work()).rejects.toMatchObject(refusal)
})

/** `stored` as what is inside. */
async function edited(stored: EditableFile): Promise<EditableFile> {
  const header = await readEncryptedHeader(stored)
  if (header === null) throw new Error('not encrypted')
  return editEncryptedFile(stored, cipherOf(header, await unlockHeader(header, password)))
}

/** Everything from the `stop`th write, flush or change of size on fails; that write got half through. */
function failing(file: EditableFile, stop: number, unit: number): EditableFile & { readonly calls: number } {
  let calls = 0
  const orStop = async (half: () => Promise<unknown>) => {
    calls += 1
    if (calls === stop) await half()
    if (calls >= stop) throw new Error('no power')
  }
  return {
    get calls() {
      return calls
    },
    path: file.path,
    get sizeBytes() {
      return file.sizeBytes
    },
    read: (into, offset, signal) => file.read(into, offset, signal),
    async write(bytes, offset) {
      // A sector of the medium is written, or it isn't.
      const half = Math.floor(bytes.length / 2 / unit) * unit
      await orStop(async () => await file.write(bytes.subarray(0, half), offset))
      await file.write(bytes, offset)
    },
    async flush() {
      await orStop(async () => undefined)
      await file.flush()
    },
    async setSize(sizeBytes, how) {
      await orStop(async () => undefined)
      await file.setSize(sizeBytes, how)
    },
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  }
}

describe.each([512, 4096])('stopped in the middle, with blocks of %i bytes,', (blockBytes) => {
  const changes: readonly [name: string, inside: () => Uint8Array, change: (file: EditableFile) => Promise<void>][] = [
    ['a file that grows', () => head(4608, 1), (file) => file.setSize(2_500_096, options)],
    ['a file that is cut', () => Buffer.concat([head(4608, 1), Buffer.alloc(9000 * 512)]), (file) => file.setSize(4608, options)], // prettier-ignore
    ['a sparse image that grows', sprs, async (file) => (await SparseImageEditor.open(file)).grow(30 * 4096)],
    ['a sparse image that gets bands', sprs, async (file) => {
      const editor = await SparseImageEditor.open(file)
      await editor.grow(30 * 4096)
      await editor.write(noise(9000, 5), 20 * 4096 + 7)
      await editor.flush()
    }],
  ] // prettier-ignore

  it.each(changes)('%s is a whole image with all its data', async (_, inside, change) => {
    const data = inside()
    let stop = 0
    for (let failed = true; failed;) {
      stop += 1
      await store(data, blockBytes)
      const kept = (await expand()).subarray(0, 4608)
      const file = failing(await openEditableFile(path), stop, blockBytes)
      await using inner = await edited(file)
      failed = await change(inner).then(
        () => false,
        (error: unknown) => error instanceof Error && error.message === 'no power',
      )
      const now = await expand()
      expect(same(now.subarray(0, 4608), kept)).toBe(true)
    }
    expect(stop).toBeGreaterThan(2)
  })
})
