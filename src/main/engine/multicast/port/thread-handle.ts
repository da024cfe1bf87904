/** A port's thread, seen from outside: orders go in and are answered, notices come out. */
import { Worker } from 'node:worker_threads'
import type { Call, Notice, Order, ThreadData } from '#engine/multicast/orders'
import { workerLocation } from '#engine/threads'
import { BugError, deserializeError, serializeError } from '#shared/errors'

export interface ThreadHandle extends AsyncDisposable {
  /** Rejects with what stands against it. */
  order(order: Order): Promise<void>
  /** To be called when its sessions are over. Resolves when the port is free; the word that they are over is still repeated. Never rejects. */
  retire(): Promise<void>
  /** The thread is gone. */
  readonly ended: Promise<void>
}

/** The word that a session is over is repeated for so long. */
const farewellMs = 3000

/** The port sends everyone away within 6 s. */
const patienceMs = 8000
/**
 * Its thread ends in so long, by itself or because it is ended. One that reads from a disk or a file server that doesn't answer does
 * neither, and is left to the end of the process.
 */
const endMs = 1000

type Heard = Exclude<Notice, { readonly kind: 'ready' | 'unable' | 'done' }>

/**
 * What a thousand clients say is garbage a moment later. V8 would let it grow to 48 MiB before it looks; so much less costs no
 * more time, because what is alive is what takes it.
 */
const maxYoungGenerationSizeMb = 8

/** Rejects with NetworkError E_MC_PORT. `gone`: it ended by a bug. */
export async function startThread(
  data: ThreadData,
  { hear, gone }: { readonly hear: (notice: Heard) => void; readonly gone: (error: Error) => void },
): Promise<ThreadHandle> {
  const worker = new Worker(workerLocation('stream-worker', import.meta.url), {
    name: `multicast ${data.port}`,
    workerData: data,
    execArgv: [],
    resourceLimits: { maxYoungGenerationSizeMb },
  })
  const calls = new Map<number, { resolve: () => void; reject: (error: unknown) => void }>()
  const ready = Promise.withResolvers<void>()
  let next = 1
  let isEnding = false
  let isRetired = false
  let failure: Error | null = null

  const fail = (error: Error) => {
    failure ??= error
    ready.reject(error)
    for (const { reject } of calls.values()) reject(error)
    calls.clear()
    if (!isEnding && !isRetired) gone(error)
    isEnding = true
  }
  worker.on('message', (notice: Notice) => {
    if (notice.kind === 'ready') ready.resolve()
    else if (notice.kind === 'unable') {
      isEnding = true
      ready.reject(deserializeError(notice.error))
    } else if (notice.kind === 'done') {
      const call = calls.get(notice.call)
      calls.delete(notice.call)
      if (notice.error === null) call?.resolve()
      else call?.reject(deserializeError(notice.error))
    } else hear(notice)
  })
  worker.once('error', (error) => fail(deserializeError(serializeError(error))))
  const exited = new Promise<void>((resolve) => {
    worker.once('exit', (exitCode) => {
      fail(new BugError('E_BUG', `a stream's thread ended with ${exitCode}`, { details: { exitCode } }))
      resolve()
    })
  })

  const order = async (what: Order) => {
    if (failure !== null) throw failure
    const call = next++
    await new Promise<void>((resolve, reject) => {
      calls.set(call, { resolve, reject })
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
      worker.postMessage({ call, order: what } satisfies Call)
    })
  }
  try {
    await ready.promise
  } catch (error) {
    await worker.terminate()
    throw error
  }
  const end = async () => {
    isEnding = true
    // It tells every client; nobody waits longer than that for one who doesn't listen.
    const told = order({ kind: 'close' }).catch(() => undefined)
    await Promise.race([exited, within(told, patienceMs)])
    if (await within(exited, endMs)) return
    void worker.terminate()
    await within(exited, endMs)
  }
  let ending: Promise<void> | null = null
  const close = async () => {
    if (failure !== null) return
    if (ending === null && isEnding) return await exited
    ending ??= end()
    await ending
  }
  return {
    order,
    async retire() {
      isRetired = true
      await order({ kind: 'retire' }).catch(() => undefined)
      setTimeout(() => void close(), farewellMs).unref()
    },
    ended: exited,
    [Symbol.asyncDispose]: close,
  }
}

/** Whether it comes to an end in so long. */
async function within(work: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const tooLong = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, ms, false)
  })
  const isOver = await Promise.race([work.then(() => true), tooLong])
  clearTimeout(timer)
  return isOver
}
