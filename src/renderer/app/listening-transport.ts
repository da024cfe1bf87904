/**
 * A transport that ends when its host was not heard for a while, though nobody closed it: behind a tunnel whose other end
 * went away a socket stays open for hours, and the window would show what was long ago.
 */
import { webBeatMs, webMissedBeats, type FrameTransport } from '#shared/contract'
import type { Clock } from '#renderer/store'

/**
 * `transport`, whose host sends an empty text every `webBeatMs`, and with frames only. What is missed is counted by our own
 * ticks: after the computer slept, or while a tab in the background is slowed down, there is one tick, and not so many as
 * the clock says.
 */
export function listening(transport: FrameTransport, clock: Clock): FrameTransport {
  let missedBeats = 0
  let callOff = () => {}
  const tick = () => {
    callOff = clock.after(webBeatMs, () => {
      missedBeats += 1
      if (missedBeats <= webMissedBeats) return tick()
      transport.close(
        new Error(`nothing was heard of the host for ${(missedBeats * webBeatMs) / 1000} seconds`),
      )
    })
  }
  tick()
  transport.onClose(() => callOff())
  return {
    send: (text) => transport.send(text),
    onFrame(listener) {
      transport.onFrame((text) => {
        missedBeats = 0
        if (text !== '') listener(text)
      })
    },
    onClose: (listener) => transport.onClose(listener),
    close: (reason) => transport.close(reason),
  }
}
