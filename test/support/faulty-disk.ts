/**
 * A block device that fails where a test wants it to: an NBD server of ours (faulty-nbd-server.ts), shown as a file by
 * `nbdfuse`, attached as a loop device with direct I/O, so that each read and write of the device really arrives.
 * What the program under test sees is what the kernel makes of it: EIO from read and write.
 *
 * Needs root, loop devices and `nbdfuse`: `missing('root', 'loop', 'program:nbdfuse')`.
 */
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { mkdtemp, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { Faults, FromServer, ToServer } from './faulty-nbd-server.ts'
import { attachLoop, command, forget, remember } from './loop.ts'

export type { Faults } from './faulty-nbd-server.ts'

export interface FaultyDisk extends AsyncDisposable {
  /** `/dev/loopN`. */
  readonly path: string
  /** The file that nbdfuse shows. */
  readonly file: string
  /**
   * From here on these faults, and no others. Resolves, when they are in force, to the requests counted since the
   * last time; counting starts again at 0.
   */
  setFaults(faults: Faults): Promise<{ readonly reads: number; readonly writes: number }>
  /** The medium is gone: everything under way and everything after fails. There is no way back. */
  vanish(): Promise<void>
}

/** A disk of `sizeBytes` (a multiple of 4096), all zeros, with the given faults from when it is attached. */
export async function attachFaultyDisk(
  options: Faults & { readonly sizeBytes: number },
): Promise<FaultyDisk> {
  const { sizeBytes, ...initial } = options
  await using cleanup = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'reprise-faulty-'))
  cleanup.defer(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, basename(folder))
  const socketPath = join(folder, 'socket')
  await writeFile(file, '')

  const worker = new Worker(new URL('./faulty-nbd-server.ts', import.meta.url), {
    workerData: { socketPath, sizeBytes },
    // Vitest hands its own loader to its workers; this one is plain Node.
    execArgv: [],
  })
  worker.unref()
  cleanup.defer(async () => void (await worker.terminate()))
  await answer(worker, 'listening')

  // Should this process be killed, nbdfuse goes with it.
  const nbdfuse = ['--pdeathsig', 'KILL', 'nbdfuse', file, '--unix', socketPath]
  const child = spawn('setpriv', nbdfuse, { stdio: 'ignore' })
  const ended = new Promise<void>((done) => {
    child.once('exit', () => done())
    child.once('error', () => done())
  })
  remember(folder, file, folder)
  cleanup.defer(async () => {
    await command('fusermount3', ['-u', '-z', file]).catch(() => undefined)
    const late = setTimeout(() => child.kill('SIGKILL'), 3000)
    await ended
    clearTimeout(late)
    forget(folder)
  })
  // Whatever hangs in the stack below is let go first, or detaching would wait for it.
  const ask = (message: ToServer) => {
    const counts = answer(worker, 'counts')
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no origins
    worker.postMessage(message)
    return counts
  }
  for (let tries = 0; (await stat(file)).size !== sizeBytes; tries += 1) {
    if (tries === 200 || child.exitCode !== null) throw new Error(`nbdfuse didn't start (${child.exitCode})`)
    await sleep(20)
  }
  const loop = await attachLoop({ file })
  cleanup.defer(async () => {
    await ask({ kind: 'faults', faults: {} })
    await loop[Symbol.asyncDispose]()
  })
  await command('losetup', ['--direct-io=on', loop.path])
  // Not before: attaching reads the first blocks.
  await ask({ kind: 'faults', faults: initial })

  const owned = cleanup.move()
  return {
    path: loop.path,
    file,
    setFaults: async (faults) => {
      const { reads, writes } = await ask({ kind: 'faults', faults })
      return { reads, writes }
    },
    vanish: async () => void (await ask({ kind: 'vanish' })),
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  }
}

function answer<K extends FromServer['kind']>(
  worker: Worker,
  kind: K,
): Promise<Extract<FromServer, { kind: K }>> {
  return new Promise((done, fail) => {
    const finish = () => {
      worker.off('message', listen)
      worker.off('error', fail)
      worker.off('exit', gone)
    }
    const gone = () => {
      finish()
      fail(new Error('the NBD server ended'))
    }
    const listen = (message: FromServer) => {
      if (message.kind !== kind) return
      finish()
      done(message as Extract<FromServer, { kind: K }>)
    }
    worker.on('message', listen)
    worker.once('error', fail)
    worker.once('exit', gone)
  })
}
