import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { DeviceError } from '#shared/errors'
import { ownNames, type FileNames } from '#src/main/engine/block-io/file-names.ts'
import { openReplacementFile } from '#src/main/engine/block-io/replacement-file.ts'
import { temporaryFolder } from '#test/temporary-folder'

const MiB = 1024 * 1024
/** Enough for the medium to be told meanwhile. Nothing of it is stored. */
const much = new Uint8Array(128 * MiB)

/** A medium whose flushes end as these say, in order; later ones do no harm. */
function namesWith(flushes: readonly (() => Promise<void>)[]): FileNames {
  let count = 0
  return {
    ...ownNames,
    async openNew(path, isPrivate) {
      const sink = await ownNames.openNew(path, isPrivate)
      return {
        path,
        fd: sink.fd,
        sizeBytes: null,
        alignmentBytes: 1,
        write: async () => undefined,
        flush: async () => await flushes[count++]?.(),
        zero: () => Promise.reject(new Error('not needed')),
        discard: () => Promise.reject(new Error('not needed')),
        read: () => Promise.reject(new Error('not needed')),
        finish: async () => undefined,
        [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose](),
      }
    },
  }
}

const lost = async () => {
  throw new DeviceError('E_IO_WRITE', 'lost', { details: { path: 'hidden', errno: 'EIO' } })
}
const kept = async () => undefined

describe('a file that takes the place of another', () => {
  it('leaves the old one when the medium lost something in the middle, which the system tells once', async () => {
    for (const flushes of [[lost], [kept, lost]]) {
      await using folder = await temporaryFolder()
      const path = await folder.write('a.dmg', 'precious')
      {
        await using file = await openReplacementFile(path, { mode: 'replace', names: namesWith(flushes) })
        const writing = async () => {
          for (let at = 0; at < 4; at++) {
            await file.write(much, at * much.length)
            // Long enough for the flush to have settled.
            await setImmediate()
          }
          await file.commit(4 * much.length)
        }
        await expect(writing()).rejects.toMatchObject({ code: 'E_IO_WRITE', details: { path } })
      }
      expect(await readFile(path, 'latin1')).toBe('precious')
      expect(await readdir(folder.path)).toEqual(['a.dmg'])
    }
  })

  it('leaves the old one when the last stretch is lost', async () => {
    await using folder = await temporaryFolder()
    const path = await folder.write('a.dmg', 'precious')
    {
      await using file = await openReplacementFile(path, { mode: 'replace', names: namesWith([lost]) })
      await file.write(much.subarray(0, 4096), 0)
      await expect(file.commit(4096)).rejects.toMatchObject({ code: 'E_IO_WRITE', details: { path } })
    }
    expect(await readFile(path, 'latin1')).toBe('precious')
  })

  it('has one flush under way at a time, and waits for the last', async () => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'a.dmg')
    let now = 0
    let most = 0
    let done = 0
    const slowly = async () => {
      most = Math.max(most, ++now)
      await setImmediate()
      await setImmediate()
      now -= 1
      done += 1
    }
    await using file = await openReplacementFile(path, {
      mode: 'create',
      names: namesWith([slowly, slowly, slowly, slowly, slowly]),
    })
    for (let at = 0; at < 4; at++) await file.write(much, at * much.length)
    await file.commit(4 * much.length)
    expect([most, done]).toEqual([1, 5])
  })
})
