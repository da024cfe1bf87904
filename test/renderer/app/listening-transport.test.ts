import { describe, expect, it } from 'vitest'
import { webBeatMs, type FrameTransport } from '#shared/contract'
import { listening } from '#src/renderer/app/listening-transport.ts'
import { testClock } from '#test/ui-window'

/** A socket in a tunnel: what is sent goes nowhere, and nobody closes it. */
function deadSocket() {
  const ends: ((reason: Error) => void)[] = []
  let deliver: (text: string) => void = () => {}
  const transport: FrameTransport = {
    send() {},
    onFrame(listener) {
      deliver = listener
    },
    onClose: (listener) => void ends.push(listener),
    close(reason) {
      for (const end of ends.splice(0)) end(reason)
    },
  }
  return { transport, hear: (text: string) => deliver(text) }
}

function listened() {
  const { transport, hear } = deadSocket()
  const clock = testClock()
  const heard = listening(transport, clock)
  const frames: string[] = []
  const reasons: string[] = []
  heard.onFrame((text) => void frames.push(text))
  heard.onClose(({ message }) => void reasons.push(message))
  const wait = (beats: number) => {
    for (let beat = 0; beat < beats; beat++) clock.advance(webBeatMs)
  }
  return { clock, hear, heard, frames, reasons, wait }
}

describe('a connection that nobody closes', () => {
  it('ends when nothing was heard of the host for a while', () => {
    const { reasons, wait } = listened()
    wait(4)
    expect(reasons).toEqual([])
    wait(1)
    expect(reasons).toEqual(['nothing was heard of the host for 25 seconds'])
    wait(20)
    expect(reasons).toHaveLength(1)
  })

  it('stays while the host is heard, be it by frames or by its signs of life, of which the window learns nothing', () => {
    const { hear, reasons, frames, wait } = listened()
    for (const text of ['', '{"kind":"hello"}', '', '']) {
      wait(4)
      hear(text)
    }
    wait(4)
    expect(reasons).toEqual([])
    expect(frames).toEqual(['{"kind":"hello"}'])
  })

  it('outlives hours in which the computer slept or the tab was slowed down', () => {
    const { clock, hear, reasons, wait } = listened()
    wait(3)
    clock.advance(8 * 3600_000)
    hear('')
    wait(4)
    expect(reasons).toEqual([])
  })

  it('is listened to no longer once it was closed', () => {
    const { heard, reasons, wait } = listened()
    heard.close(new Error('enough'))
    wait(20)
    expect(reasons).toEqual(['enough'])
  })
})
