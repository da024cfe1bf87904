/** The bytes of an answer as they come, and the four ways in which they stop coming. */
import type { IncomingMessage } from 'node:http'
import { cutShort, networkFailure, stalled } from './web-errors.ts'

export interface BodyOptions {
  readonly url: URL
  readonly stallMs: number
  readonly signal: AbortSignal | undefined
  /**
   * Called for each piece, which is the caller's only until it returns. May throw, which ends the answer; where it
   * returns a promise, nothing more is read until that is settled.
   */
  readonly onBytes: (bytes: Buffer) => void | Promise<void>
}

/**
 * Take the whole body. Resolves to its bytes. Throws NetworkError E_NET when the connection ends before the body does,
 * E_NET_STALL when nothing comes for `stallMs`, what `onBytes` throws, the signal's reason. The answer is destroyed then.
 */
export function takeBody(
  body: IncomingMessage,
  { url, stallMs, signal, onBytes }: BodyOptions,
): Promise<number> {
  return new Promise((resolve, reject) => {
    let total = 0
    let waiting = false
    let isOver = false
    const timer = watchSilence(stallMs, () => {
      if (!waiting) end(stalled(url, 'body', stallMs))
    })
    const end = (error: unknown) => {
      if (isOver) return
      isOver = true
      timer.stop()
      signal?.removeEventListener('abort', abort)
      body.removeAllListeners('data')
      if (error === null) return resolve(total)
      // A destroyed answer still emits its error.
      body.on('error', () => undefined)
      body.destroy()
      reject(error)
    }
    const abort = () => end(signal?.reason)
    const goOn = () => {
      waiting = false
      // It was given up while somebody took the last piece.
      if (isOver) return
      timer.touch()
      if (body.readableEnded) ended()
      else body.resume()
    }
    /** A stream that is paused at its last piece says that it has ended all the same. */
    const ended = () => {
      if (!waiting) end(body.complete ? null : cutShort(url, total))
    }
    body.on('data', (bytes: Buffer) => {
      timer.touch()
      total += bytes.length
      try {
        const wait = onBytes(bytes)
        if (wait === undefined) return
        waiting = true
        body.pause()
        void wait.then(goOn, end)
      } catch (error) {
        end(error)
      }
    })
    body.once('end', ended)
    body.once('error', (error) => end(networkFailure(error, { url, phase: 'body', proxy: null })))
    body.once('close', () => body.complete || end(cutShort(url, total)))
    signal?.addEventListener('abort', abort, { once: true })
    if (signal?.aborted === true) abort()
    // It may have ended before anybody listened.
    else if (body.destroyed) end(cutShort(url, 0))
  })
}

/** Calls `onSilence` once when `touch` wasn't called for `ms`. */
export function watchSilence(ms: number, onSilence: () => void): { touch(): void; stop(): void } {
  let heard = false
  let stopped = false
  const look = () => {
    // This thread may have been busy with something else for long: what came meanwhile is read first.
    heard = false
    setImmediate(() =>
      setImmediate(() => {
        if (stopped) return
        if (heard) timer.refresh()
        else onSilence()
      }),
    )
  }
  const timer = setTimeout(look, ms)
  return {
    touch() {
      // A timer that was cleared would run again.
      if (stopped) return
      heard = true
      timer.refresh()
    },
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}
