/**
 * Frames over a WebSocket: one text message is one frame, an empty one a sign of life. Behind a tunnel nobody may close what
 * is dead: a tab that answers no ping is cut off, and one that hears nothing gives up by itself.
 */
import type { WebSocket } from 'ws'
import type { FrameTransport } from '#shared/contract'
import { maxFrameBytes, webBeatMs, webCloseCodes, webMissedBeats } from '#shared/contract'

/** Bytes that may wait for a tab to read them. A tab that is asleep for long is cut off, and connects again. */
const maxBacklogBytes = 4 * maxFrameBytes

export function socketTransport(socket: WebSocket, beatMs = webBeatMs): FrameTransport {
  const closeListeners: ((reason: Error) => void)[] = []
  let closed: Error | null = null
  let missedBeats = 0
  const beats = setInterval(() => {
    missedBeats += 1
    if (missedBeats > webMissedBeats) return cutOff(new Error('the tab does not answer'))
    socket.ping()
    socket.send('')
  }, beatMs).unref()
  socket.on('pong', () => void (missedBeats = 0))
  const tell = (reason: Error) => {
    if (closed) return
    closed = reason
    clearInterval(beats)
    for (const listener of closeListeners) listener(reason)
  }
  const cutOff = (reason: Error) => {
    socket.terminate()
    tell(reason)
  }
  const close = (reason: Error, code: number) => {
    if (closed) return
    socket.close(code, reason.message.slice(0, 100))
    // A page that doesn't answer the close is not waited for.
    setTimeout(() => socket.terminate(), 2000).unref()
    tell(reason)
  }
  socket.on('error', tell)
  socket.on('close', () => tell(new Error('the tab is gone')))
  return {
    send(text) {
      if (closed) return
      socket.send(text)
      if (socket.bufferedAmount > maxBacklogBytes) cutOff(new Error('the tab does not read'))
    },
    onFrame(listener) {
      socket.on('message', (data, isBinary) => {
        if (closed) return
        if (isBinary) close(new Error('a frame is text'), webCloseCodes.violation)
        // `nodebuffer`, the default: text arrives as one Buffer, checked to be UTF-8.
        else listener((data as Buffer).toString('utf8'))
      })
    },
    onClose(listener) {
      closeListeners.push(listener)
      if (closed) listener(closed)
    },
    close: (reason) => close(reason, webCloseCodes.violation),
  }
}
