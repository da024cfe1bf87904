import { createHash } from 'node:crypto'
import { open, readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { lookAtPart, openPartFile } from '#src/main/engine/multicast/file/part-file.ts'
import { journalPlace, parseJournal } from '#src/main/engine/multicast/file/part-journal.ts'
import { temporaryFolder } from '#test/temporary-folder'

const image = Uint8Array.from({ length: 40_000 }, (_, index) => (index * 7 + (index >> 8)) % 256)
const blockOf = (block: number) => image.subarray(block * 1024, (block + 1) * 1024)
const facts = {
  sizeBytes: image.length,
  blockBytes: 1024,
  root: new Uint8Array(32).fill(3),
  hashOf: (block: number) => createHash('sha256').update(blockOf(block)).digest(),
}
const blocks = 40

async function readNewest(path: string) {
  const bytes = await readFile(path)
  const { offsets, lengthBytes } = journalPlace(facts)
  const journals = offsets.map((offset) => parseJournal(bytes.subarray(offset, offset + lengthBytes), facts))
  return journals.toSorted((a, b) => (a?.turn ?? 0) - (b?.turn ?? 0)).at(-1)
}

describe('a part of a file', () => {
  it('is saved once more, however often that is asked for while it is being saved', async () => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'a.part')
    await using part = await openPartFile(path, facts, { foreign: 'refuse' })
    const saves = [part.save()]
    await part.write(7, new Uint8Array(1024).fill(1))
    for (let count = 0; count < 50; count++) saves.push(part.save())
    await Promise.all(saves)
    const newest = await readNewest(path)
    // One when it was made, one that ran, one for all who asked meanwhile.
    expect(newest?.turn).toBeLessThanOrEqual(3)
    expect(newest?.have[7]).toBe(1)
  })

  it('never claims nor names what the medium lost, of which the system tells once', async () => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'a.part')
    const medium = { fails: false, settle: Promise.withResolvers<void>() }
    const openFile: typeof open = async (...how) => {
      const file = await open(...how)
      const datasync = file.datasync.bind(file)
      file.datasync = async () => {
        if (!medium.fails) return await datasync()
        medium.fails = false
        await medium.settle.promise
        throw Object.assign(new Error('lost'), { code: 'EIO', syscall: 'fdatasync' })
      }
      return file
    }
    await using part = await openPartFile(path, facts, { foreign: 'refuse', openFile })
    await part.write(3, new Uint8Array(1024).fill(1))
    await part.save()
    await part.write(7, new Uint8Array(1024).fill(1))
    medium.fails = true
    const now = part.save()
    // The stream is complete while that is under way, and all of it is to be saved.
    await Promise.resolve()
    const both = Promise.allSettled([now, part.save()])
    medium.settle.resolve()
    const lost = { status: 'rejected', reason: { code: 'E_IO_WRITE', details: { path } } }
    expect(await both).toMatchObject([lost, lost])
    // As it is kept after a failure.
    await expect(part.save()).rejects.toMatchObject({ code: 'E_IO_WRITE' })
    const newest = await readNewest(path)
    expect([newest?.have[3], newest?.have[7]]).toEqual([1, 0])
    await expect(part.finish(join(folder.path, 'a'), free)).rejects.toMatchObject({ code: 'E_IO_WRITE' })
    expect(await readdir(folder.path)).toEqual(['a.part'])
  })

  const free = { isThere: async () => false }

  it('is gone on with as a whole when it was about to get its name', async () => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'a.part')
    // As killed: nothing more is done after its journal was cut off.
    const openFile: typeof open = async (...how) => {
      const file = await open(...how)
      file.sync = () => Promise.reject(new Error('killed'))
      return file
    }
    {
      await using part = await openPartFile(path, facts, { foreign: 'refuse', openFile })
      for (let block = 0; block < blocks; block++) await part.write(block, blockOf(block))
      await part.save()
      await expect(part.finish(join(folder.path, 'a'), free)).rejects.toThrow('killed')
    }
    expect(await readFile(path)).toHaveLength(image.length)
    expect(await lookAtPart(path, facts)).toMatchObject({ kind: 'begun', haveBlocks: blocks })
    await using part = await openPartFile(path, facts, { foreign: 'refuse' })
    expect(part.have).toEqual(new Uint8Array(blocks).fill(1))
    // Of what turns out to be wrong the next run knows.
    await part.forget([7])
    expect((await readNewest(path))?.have.reduce((sum, value) => sum + value, 0)).toBe(blocks - 1)
    await part.finish(join(folder.path, 'a'), free)
    expect(await readdir(folder.path)).toEqual(['a'])
    expect(Buffer.compare(await readFile(join(folder.path, 'a')), image)).toBe(0)
  })

  it.each([
    ['the first', 0],
    ['the last', image.length - 1],
  ])("isn't somebody else's file that is as long: another byte in %s block", async (_, at) => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'a.part')
    const other = Uint8Array.from(image, (byte, index) => (index === at ? byte ^ 1 : byte))
    await writeFile(path, other)
    expect(await lookAtPart(path, facts)).toMatchObject({ kind: 'foreign', sizeBytes: image.length })
    await expect(openPartFile(path, facts, { foreign: 'refuse' })).rejects.toMatchObject({
      code: 'E_DST_EXISTS',
    })
    expect(Buffer.compare(await readFile(path), other)).toBe(0)
  })

  it("isn't one of a stream whose hashes aren't known yet", async () => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'a.part')
    await writeFile(path, image)
    expect(await lookAtPart(path, { ...facts, hashOf: () => null })).toMatchObject({ kind: 'foreign' })
  })

  it('is saved again after its journal could not be written', async () => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'a.part')
    const medium = { isFull: false }
    const openFile: typeof open = async (...how) => {
      const file = await open(...how)
      const write = file.write.bind(file)
      file.write = (async (...what: Parameters<typeof write>) => {
        if (medium.isFull) throw Object.assign(new Error('full'), { code: 'ENOSPC', syscall: 'write' })
        return await write(...what)
      }) as typeof file.write
      return file
    }
    await using part = await openPartFile(path, facts, { foreign: 'refuse', openFile })
    await part.write(7, new Uint8Array(1024).fill(1))
    medium.isFull = true
    await expect(part.save()).rejects.toMatchObject({ code: 'E_DST_FULL' })
    medium.isFull = false
    await part.save()
    expect((await readNewest(path))?.have[7]).toBe(1)
  })
})
