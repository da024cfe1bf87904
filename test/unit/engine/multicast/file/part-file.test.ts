import { open, readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openPartFile } from '#src/main/engine/multicast/file/part-file.ts'
import { journalPlace, parseJournal } from '#src/main/engine/multicast/file/part-journal.ts'
import { temporaryFolder } from '#test/temporary-folder'

const facts = { sizeBytes: 40_000, blockBytes: 1024, root: new Uint8Array(32).fill(3) }

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
    const free = { isThere: async () => false }
    await expect(part.finish(join(folder.path, 'a'), free)).rejects.toMatchObject({ code: 'E_IO_WRITE' })
    expect(await readdir(folder.path)).toEqual(['a.part'])
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
