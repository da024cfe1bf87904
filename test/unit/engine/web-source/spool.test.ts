import { closeSync, fstatSync, write } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Spool } from '#src/main/engine/web-source/spool.ts'
import { temporaryFolder } from '#test/temporary-folder'

const url = new URL('http://lab/a.dmg')

type Wrote = (error: NodeJS.ErrnoException | null, wrote: number) => void

/** A disk that takes its time, and what was done to it in order. */
function slowDisk() {
  const calls: string[] = []
  const waiting: (() => void)[] = []
  return {
    calls,
    /** The write that waits longest ends. */
    goOn: () => waiting.shift()?.(),
    disk: {
      write: (fd: number, bytes: Uint8Array, from: number, length: number, at: number, done: Wrote) => {
        calls.push(`write ${length}`)
        waiting.push(() =>
          write(fd, bytes, from, Math.min(length, 10), at, (error, wrote) => {
            calls.push(`wrote ${wrote}`)
            done(error, wrote)
          }),
        )
      },
      closeSync: (fd: number) => {
        calls.push('close')
        closeSync(fd)
      },
    },
  }
}

describe('a file that is given up while it is written', () => {
  test('is closed when the write that is under way has ended, and no other begins', async () => {
    await using folder = await temporaryFolder()
    const { calls, disk, goOn } = slowDisk()
    const spool = new Spool(url, folder.path, disk)
    const appending = spool.append(new Uint8Array(25))
    spool.close()
    spool.close()
    // Another file that is opened now would get its number, and the bytes.
    expect(fstatSync(spool.fd).isFile()).toBe(true)
    goOn()
    await expect(appending).rejects.toThrow('closed')
    expect(calls).toEqual(['write 25', 'wrote 10', 'close'])
    await expect(spool.append(new Uint8Array(1))).rejects.toThrow('closed')
    expect(calls).toHaveLength(3)
  })

  test('is closed at once when nothing is under way', async () => {
    await using folder = await temporaryFolder()
    const { calls, disk, goOn } = slowDisk()
    const spool = new Spool(url, folder.path, disk)
    const appending = spool.append(new Uint8Array(10))
    goOn()
    await appending
    spool.close()
    expect(calls).toEqual(['write 10', 'wrote 10', 'close'])
  })
})
