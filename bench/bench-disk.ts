/** The disk that is written to: a loop device over a file of its own, past the page cache where the system can. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { attachLoop, type LoopDevice } from '#test/loop'

const run = promisify(execFile)

export interface BenchDisk extends AsyncDisposable {
  /** `/dev/loopN`. */
  readonly path: string
  /** What the window calls it: the name of the file behind it, which no other disk has. */
  readonly name: string
}

/** Attach one of `sizeBytes` (whole MiB); detached and removed by `await using`. */
export async function attachBenchDisk(sizeBytes: number): Promise<BenchDisk> {
  const folder = mkdtempSync(join(tmpdir(), 'reprise-bench-disk-'))
  const name = `bench-${process.pid}.img`
  const file = join(folder, name)
  let loop: LoopDevice | null = null
  const release = async () => {
    await loop?.[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    // Blocks that the file doesn't have yet would be allocated during whatever is measured first.
    await run('dd', ['if=/dev/zero', `of=${file}`, 'bs=1M', `count=${sizeBytes / 2 ** 20}`, 'conv=fsync'])
    loop = await attachLoop({ file })
    await run('losetup', ['--direct-io=on', loop.path]).catch(() => undefined)
    return { path: loop.path, name, [Symbol.asyncDispose]: release }
  } catch (error) {
    await release()
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
