import { expect, it } from 'vitest'
import type { SessionStream } from '#src/main/engine/multicast/port/session-stream.ts'
import { StreamLoop } from '#src/main/engine/multicast/port/stream-loop.ts'

it('gives each stream its turn, also beside one that has always something to send', async () => {
  const sent = { always: 0, sometimes: 0 }
  const streams = (['always', 'sometimes'] as const).map((name) => ({
    isQueued: false,
    send(untilMs: number) {
      if (performance.now() >= untilMs) return untilMs
      sent[name] += 1
      if (name === 'sometimes') return Infinity
      let nowMs = 0
      while (nowMs < untilMs) nowMs = performance.now()
      return nowMs
    },
  }))
  const both = Promise.withResolvers<void>()
  const loop = new StreamLoop({
    streams: () => streams as unknown as SessionStream[],
    serveFetches: () => Infinity,
    tick() {
      if (sent.always > 3) both.resolve()
    },
  })
  loop.wake()
  try {
    await both.promise
  } finally {
    loop.close()
  }
  expect(sent.sometimes).toBeGreaterThan(0)
})
