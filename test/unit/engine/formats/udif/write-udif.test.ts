import { describe, expect, it } from 'vitest'
import { kolyBytes, parseKoly, readUdif, UdifWriter } from '#engine/formats/udif'
import { memorySource } from '#test/memory-source'

const mostListBytes = 300_000
const plan = { id: 0, name: 'whole disk', firstSector: 0, sectorCount: null, descriptor: 0 }

/** Up to `runs` of a sector each: how many were taken, what was thrown, and the file of them. */
async function write(runs: number) {
  const pieces: Buffer[] = []
  const file = { write: async (bytes: Uint8Array) => void pieces.push(Buffer.from(bytes)) }
  const writer = new UdifWriter(file, { mostListBytes })
  writer.beginTable(plan)
  let taken = 0
  let error: unknown = null
  try {
    for (; taken < runs; taken++) await writer.addRun('raw', 1, new Uint8Array(512).fill(1))
  } catch (thrown) {
    error = thrown
  }
  writer.endTable(0, { endsDisk: true })
  await writer.finish({ hasPartitionMap: false })
  return { taken, error, bytes: Buffer.concat(pieces) }
}

describe('a UDIF image of more runs than a list that is read may have', () => {
  it('is refused while it is written, with what can hold the disk', async () => {
    const { error } = await write(10_000)
    expect(error).toMatchObject({
      code: 'E_UNSUPPORTED',
      details: {
        input: 'format',
        problem: 'The disk has more data than a UDIF image can list.',
        hint: 'Write a sparse bundle (UDSB) instead.',
      },
    })
  })

  it('is refused at no run before: one of fewer has a list of nearly that size, and is read', async () => {
    const { taken, bytes } = await write(10_000)
    expect(taken).toBeGreaterThan(4000)
    const koly = parseKoly(bytes.subarray(-kolyBytes), bytes.length)
    expect(koly.xmlLength).toBeLessThanOrEqual(mostListBytes)
    expect(koly.xmlLength).toBeGreaterThan(mostListBytes * 0.9)
    const { error } = await write(taken)
    expect(error).toBeNull()
    const image = await readUdif(memorySource(bytes), koly, async () => memorySource(new Uint8Array(0)))
    expect(image.runCounts).toEqual({ raw: taken })
  })
})
