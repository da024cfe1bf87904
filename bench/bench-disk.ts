/** The disk that is written to: a loop device over a file of its own, past the page cache where the system can. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { attachLoop, type LoopDevice } from '#test/loop'

const run = promisify(execFile)

/** Attach one of `sizeBytes`; detached and removed by `await using`, and at exit. */
export async function attachBenchDisk(sizeBytes: number): Promise<LoopDevice> {
  const loop = await attachLoop({ sizeBytes })
  try {
    // Blocks that the file doesn't have yet would be allocated during whatever is measured first.
    await run('dd', [
      'if=/dev/zero',
      `of=${loop.file}`,
      'bs=1M',
      `count=${sizeBytes / 2 ** 20}`,
      'conv=notrunc,fsync',
    ])
    await run('losetup', ['--direct-io=on', loop.path]).catch(() => undefined)
    return loop
  } catch (error) {
    await loop[Symbol.asyncDispose]()
    throw error
  }
}

/** Nothing written before is left to be written during a measurement. */
export async function settle(): Promise<void> {
  await run('sync')
}

/** Throws when the disk doesn't begin with what is in `file`. */
export async function expectSame(file: string, disk: string, sizeBytes: number): Promise<void> {
  await run('cmp', ['-n', String(sizeBytes), file, disk])
}
