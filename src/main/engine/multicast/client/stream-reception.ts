/** The receiving thread, as its user sees it: blocks come, each is said to be written, in the end all are. */
import { Worker } from 'node:worker_threads'
import type { ReceiveOptions, StreamReception } from '#engine/stream-connection'
import { workerLocation } from '#engine/threads'
import { BugError, deserializeError, type SerializedError } from '#shared/errors'
import type { Logger } from '#shared/log'
import type { StreamProgress } from '#shared/model'
import type { FromReception, ReceptionData, ToReception } from './reception-messages.ts'

/** The thread has so long to take leave of its server. */
const leaveMs = 8000
/** And so long to end when it is made to. One that the system holds isn't waited for. */
const endMs = 1000

/** `over` resolves when the thread is gone. */
export function startReception(
  options: Omit<ReceptionData, 'have'> & ReceiveOptions & { readonly log: Logger },
): StreamReception & { readonly over: Promise<void> } {
  const { have, holdBytes, timeoutMs, onBlock, signal, log } = options
  const { locator, password, clientId, facts } = options
  const data: ReceptionData = {
    locator,
    password,
    clientId,
    facts,
    have,
    holdBytes,
    timeoutMs,
    interface: options.interface,
  }
  const worker = new Worker(workerLocation('receive-worker', import.meta.url), {
    workerData: data,
    name: 'multicast',
    // Nothing of how this process was started concerns it.
    execArgv: [],
  })
  const complete = Promise.withResolvers<void>()
  // Whoever waits hears of it; it may be that nobody does any more.
  complete.promise.catch(() => undefined)
  const gone = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  const warnings = new Map<string, SerializedError>()
  let progress: StreamProgress = {
    state: 'connecting',
    waiting: null,
    passes: [],
    passStart: null,
    blocks: Math.ceil(facts.sizeBytes / facts.blockBytes),
    missingBlocks: Math.ceil(facts.sizeBytes / facts.blockBytes),
    receivedBytesPerSecond: 0,
    loss: 0,
    standing: 'well',
    silence: null,
  }
  let isOver = false
  const over = (settle: () => void) => {
    isOver = true
    signal.removeEventListener('abort', stop)
    settle()
  }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread has no origin
  const tell = (message: ToReception) => worker.postMessage(message)
  const stop = () => {
    tell({ kind: 'halt' })
    over(() => complete.reject(signal.reason))
  }

  const hand = (block: number, bytes: Uint8Array) => {
    try {
      onBlock(block, bytes)
    } catch (error) {
      tell({ kind: 'halt' })
      over(() => complete.reject(error))
    }
  }

  worker.on('message', (message: FromReception) => {
    switch (message.kind) {
      case 'block':
        if (!isOver) hand(message.block, message.bytes)
        break
      case 'progress':
        progress = message.progress
        break
      case 'warning':
        warnings.set(message.warning.code, message.warning)
        break
      case 'log':
        log[message.level](message.message, message.fields)
        break
      case 'complete':
        over(() => complete.resolve())
        break
      default:
        over(() => complete.reject(deserializeError(message.error)))
    }
  })
  worker.on('error', (error) => over(() => complete.reject(error)))
  void gone.then(() =>
    over(() =>
      complete.reject(new BugError('E_BUG', 'the receiving thread ended by itself', { details: {} })),
    ),
  )
  if (signal.aborted) stop()
  else signal.addEventListener('abort', stop, { once: true })

  let leaving: Promise<void> | null = null
  const leave = async (message: ToReception) => {
    tell(message)
    let hung: NodeJS.Timeout | undefined
    const hangs = new Promise<void>((resolve) => {
      hung = setTimeout(resolve, leaveMs + endMs)
    })
    const patience = setTimeout(() => void worker.terminate(), leaveMs)
    await Promise.race([gone, hangs])
    clearTimeout(hung)
    clearTimeout(patience)
  }

  return {
    over: gone,
    written: (block) => tell({ kind: 'written', block }),
    again: (block) => tell({ kind: 'again', block }),
    progress: () => progress,
    warnings: () => [...warnings.values()],
    complete: complete.promise,
    verifying: () => tell({ kind: 'verifying' }),
    finish(outcome, text) {
      leaving ??= leave({ kind: 'finish', outcome, text })
      return leaving
    },
  }
}
