import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fileStamp } from '#engine/formats/extents'
import { PartFiles } from '#src/main/engine/pipeline/part-files.ts'
import type { OpenPart } from '#src/main/engine/pipeline/stored-reader.ts'
import { temporaryFolder, type TemporaryFolder } from '#test/temporary-folder'

let folder: TemporaryFolder
let parts: OpenPart[]
beforeEach(async () => {
  folder = await temporaryFolder()
  parts = []
  for (let index = 0; index < 12; index++) {
    const path = await folder.write(String(index), Buffer.alloc(8, index))
    const stamp = fileStamp(statSync(path))
    parts.push({ path, streamOffset: index * 8, fileOffset: 0, lengthBytes: 8, fd: null, stamp })
  }
})
afterEach(() => folder[Symbol.asyncDispose]())

const firstByte = (fd: number) => {
  const bytes = new Uint8Array(1)
  readSync(fd, bytes, 0, 1, 0)
  return bytes[0]
}
const isOpen = (fd: number) => {
  try {
    fstatSync(fd)
    return true
  } catch {
    return false
  }
}
const wait = () => new Promise((resolve) => setImmediate(resolve))

describe('files that are opened as they are read', () => {
  it('are as many as were asked for, the oldest closed for the newest', () => {
    using files = new PartFiles(3)
    const fds = new Set<number>()
    for (const [index, part] of [...parts, ...parts].entries())
      files.with(part, (fd) => {
        expect(firstByte(fd)).toBe(index % 12)
        fds.add(fd)
        expect([...fds].filter(isOpen).length).toBeLessThanOrEqual(3)
      })
  })

  it('stay open while somebody reads them, and are opened once for all who want the same', async () => {
    const files = new PartFiles(2)
    const seen: number[] = []
    await Promise.all(
      [...parts, ...parts].map((part, index) =>
        files.withLater(part, async (fd) => {
          for (let turn = 0; turn < 5; turn++) {
            await wait()
            expect(firstByte(fd)).toBe(index % 12)
          }
          seen.push(fd)
        }),
      ),
    )
    expect(new Set(seen).size).toBe(12)
    files[Symbol.dispose]()
    expect(seen.filter(isOpen)).toEqual([])
  })

  it('that are being read when all is over are closed when they are not any more', async () => {
    const files = new PartFiles(2)
    const begun = Promise.withResolvers<number>()
    const reading = files.withLater(parts[3] as OpenPart, async (fd) => {
      begun.resolve(fd)
      await wait()
      await wait()
      expect(firstByte(fd)).toBe(3)
    })
    const held = await begun.promise
    files[Symbol.dispose]()
    await reading
    expect(isOpen(held)).toBe(false)
  })

  it('with a descriptor already are read by that, which stays open', async () => {
    const fd = openSync(join(folder.path, '5'), 'r')
    const part: OpenPart = { ...(parts[5] as OpenPart), fd }
    using files = new PartFiles(1)
    expect(files.with(part, (given) => given)).toBe(fd)
    expect(await files.withLater(part, async (given) => given)).toBe(fd)
    expect(isOpen(fd)).toBe(true)
    closeSync(fd)
  })

  it('that are gone or others by now are told apart', async () => {
    using files = new PartFiles(2)
    await rm(join(folder.path, '1'))
    await writeFile(join(folder.path, 'other'), Buffer.alloc(8, 2))
    await rename(join(folder.path, 'other'), join(folder.path, '2'))
    const [, gone, changed] = parts as [OpenPart, OpenPart, OpenPart]
    const never = () => 'read'
    expect(() => files.with(gone, never)).toThrow(expect.objectContaining({ code: 'E_SRC_GONE' }))
    expect(() => files.with(changed, never)).toThrow(expect.objectContaining({ code: 'E_SRC_CHANGED' }))
    await expect(files.withLater(gone, async () => 'read')).rejects.toMatchObject({ code: 'E_SRC_GONE' })
    await expect(files.withLater(changed, async () => 'read')).rejects.toMatchObject({
      code: 'E_SRC_CHANGED',
    })
  })
})
