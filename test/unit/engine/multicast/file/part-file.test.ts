import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openPartFile } from '#src/main/engine/multicast/file/part-file.ts'
import { journalPlace, parseJournal } from '#src/main/engine/multicast/file/part-journal.ts'
import { temporaryFolder } from '#test/temporary-folder'

const facts = { sizeBytes: 40_000, blockBytes: 1024, root: new Uint8Array(32).fill(3) }

describe('a part of a file', () => {
  it('is saved once more, however often that is asked for while it is being saved', async () => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'a.part')
    await using part = await openPartFile(path, facts, { foreign: 'refuse' })
    const saves = [part.save()]
    await part.write(7, new Uint8Array(1024).fill(1))
    for (let count = 0; count < 50; count++) saves.push(part.save())
    await Promise.all(saves)
    const bytes = await readFile(path)
    const { offsets, lengthBytes } = journalPlace(facts)
    const journals = offsets.map((offset) =>
      parseJournal(bytes.subarray(offset, offset + lengthBytes), facts),
    )
    const newest = journals.toSorted((a, b) => (a?.turn ?? 0) - (b?.turn ?? 0)).at(-1)
    // One when it was made, one that ran, one for all who asked meanwhile.
    expect(newest?.turn).toBeLessThanOrEqual(3)
    expect(newest?.have[7]).toBe(1)
  })
})
