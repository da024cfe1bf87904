import { describe, expect, it } from 'vitest'
import { untilStalled } from '#src/main/cli/until-stalled.ts'

/** What is kept at each look, the last for ever; how long is waited. */
async function waitedFor(...kept: readonly number[]): Promise<number> {
  let waitedMs = 0
  let looks = 0
  await untilStalled(
    () => kept[Math.min(looks++, kept.length - 1)] ?? 0,
    (ms) => {
      waitedMs += ms
      return Promise.resolve()
    },
  )
  return waitedMs
}

describe('waiting for a reader after an interrupt', () => {
  it('gives up half a second after nothing is taken', async () => {
    expect(await waitedFor(70)).toBe(500)
    expect(await waitedFor(70, 70, 30)).toBe(500)
  })

  it('goes on while it is read, however slowly', async () => {
    expect(await waitedFor(70, 50, 20, 19, 19)).toBe(2000)
  })

  it('is over after ten seconds', async () => {
    expect(await waitedFor(...Array.from({ length: 100 }, (_, look) => 1000 - look))).toBe(10_000)
  })
})
