/**
 * Frames over a pair of byte streams: one frame a line, UTF-8, ended by `\n`. JSON never holds a raw line feed, so that
 * the lines can be read by eye and made by hand. Both ends of the engine host's stdio are made of this.
 */
import type { Readable, Writable } from 'node:stream'
import type { FrameTransport } from '#shared/contract'
import { maxFrameBytes } from '#shared/contract'

/** Bytes that may wait for the other side to read them. More means that it doesn't read any more. */
const maxBacklogBytes = 16 * maxFrameBytes

const lineFeed = 0x0a

/**
 * The transport owns both streams: `close` ends `output` (what was sent before still leaves) and destroys `input`.
 * Closes by itself when either stream ends or fails, at a line longer than `maxFrameBytes`, at bytes that aren't UTF-8,
 * and when the other side stops reading. Empty lines are skipped.
 */
export function lineTransport(input: Readable, output: Writable): FrameTransport {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const closeListeners: ((reason: Error) => void)[] = []
  let closed: Error | null = null
  let waiting: Buffer[] = []
  let waitingBytes = 0

  const close = (reason: Error) => {
    if (closed) return
    closed = reason
    waiting = []
    output.end()
    input.destroy()
    for (const listener of closeListeners) listener(reason)
  }

  const deliver = (bytes: Buffer, listener: (text: string) => void) => {
    if (bytes.length === 0) return
    let text: string
    try {
      text = decoder.decode(bytes)
    } catch (cause) {
      close(new Error('a line is not UTF-8', { cause }))
      return
    }
    listener(text)
  }

  const read = (chunk: Buffer, listener: (text: string) => void) => {
    let start = 0
    for (;;) {
      if (closed) return
      const end = chunk.indexOf(lineFeed, start)
      const piece = chunk.subarray(start, end === -1 ? undefined : end)
      waitingBytes += piece.length
      if (waitingBytes > maxFrameBytes) {
        close(new Error(`a line is longer than ${maxFrameBytes} bytes`))
        return
      }
      waiting.push(piece)
      if (end === -1) return
      const line = waiting.length === 1 ? piece : Buffer.concat(waiting)
      waiting = []
      waitingBytes = 0
      start = end + 1
      deliver(line, listener)
    }
  }

  output.on('error', (cause: Error) => close(new Error('the other side stopped reading', { cause })))
  input.on('error', (cause: Error) => close(new Error('the other side failed', { cause })))
  input.on('close', () => close(new Error('the other side ended')))
  input.on('end', () => close(new Error('the other side ended')))

  return {
    send(text) {
      if (closed) return
      output.write(`${text}\n`)
      if (output.writableLength > maxBacklogBytes) close(new Error('the other side does not read'))
    },
    onFrame(listener) {
      input.on('data', (chunk: Buffer) => read(chunk, listener))
    },
    onClose(listener) {
      closeListeners.push(listener)
      if (closed) listener(closed)
    },
    close,
  }
}
