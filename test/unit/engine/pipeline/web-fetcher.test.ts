import { expect, test } from 'vitest'
import type { StreamOptions, TakeBytes } from '#engine/web-source'
import { WebFetcher } from '#src/main/engine/pipeline/web-fetcher.ts'
import { allocateWindow } from '#src/main/engine/pipeline/web-window.ts'

const chunkBytes = 1024
const chunks = 100

interface Asked {
  readonly from: number
  readonly to: number
  readonly answer: () => void
}

/** A file of `chunks` chunks, 64 slots, and a server that answers when it is told to. */
function bench() {
  const open: Asked[] = []
  let at = 0
  const stream = (from: number, to: number, take: TakeBytes, { room, signal }: StreamOptions = {}) =>
    new Promise<void>((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason as Error))
      const answer = () => {
        for (let offset = from; offset < to; offset += chunkBytes) {
          const bytes = room?.(offset) ?? new Uint8Array(chunkBytes)
          bytes.fill(offset / chunkBytes)
          take(bytes, offset)
        }
        open.splice(
          open.findIndex((asked) => asked.from === from),
          1,
        )
        resolve()
      }
      open.push({ from, to, answer })
    })
  const window = allocateWindow(chunks, 64, chunkBytes)
  const order = Int32Array.from({ length: chunks }, (_, index) => index)
  const fetcher = new WebFetcher(
    window,
    [{ source: { sizeBytes: chunks * chunkBytes, stream }, firstChunk: 0 }],
    { order, demand: new Int32Array(chunks).fill(chunkBytes) },
    () => at,
  )
  return {
    window,
    open,
    fetcher,
    answerAfter: async (ms: number) => {
      at += ms
      open[0]?.answer()
      await new Promise(setImmediate)
    },
  }
}

test('a server nearby is asked over two connections, one afar over four', async () => {
  const { open, fetcher, answerAfter } = bench()
  fetcher.start()
  // Something is wanted soon: the first are short.
  expect(open.map(({ from, to }) => (to - from) / chunkBytes)).toEqual([1, 1])
  await answerAfter(5)
  await answerAfter(5)
  expect(open.map(({ from, to }) => (to - from) / chunkBytes)).toEqual([16, 16])
  await answerAfter(200)
  expect(open.map(({ from, to }) => (to - from) / chunkBytes)).toEqual([16, 8, 8, 8])
  await fetcher.stopped()
})

test('what arrives is received where it is read', async () => {
  const { window, open, fetcher, answerAfter } = bench()
  fetcher.start()
  while (open.length > 0) await answerAfter(1)
  const slotOf = (chunk: number) => (window.chunkSlot[chunk] ?? 0) - 1
  for (const chunk of [0, 1, 17, 40]) {
    const slot = slotOf(chunk)
    expect(slot).toBeGreaterThanOrEqual(0)
    const there = window.bytes.subarray(slot * chunkBytes, (slot + 1) * chunkBytes)
    expect(there.every((byte) => byte === chunk)).toBe(true)
  }
  await fetcher.stopped()
})
