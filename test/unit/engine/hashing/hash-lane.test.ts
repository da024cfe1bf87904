import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createInlineLane, createThreadLane } from '#src/main/engine/hashing/hash-lane.ts'

const memory = new SharedArrayBuffer(4096)
new Uint8Array(memory).forEach((_, at, bytes) => (bytes[at] = at * 7))
const bytes = (from: number, to: number) => Buffer.from(new Uint8Array(memory).slice(from, to))
const sha256 = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest('hex')

describe.each([
  ['in place', createInlineLane],
  ['in a thread', () => createThreadLane('test')],
] as const)('a hash lane %s', (_, create) => {
  it('takes orders in their order, and digests may span them', async () => {
    await using lane = create()
    const answers = await Promise.all([
      lane.run({ memory, steps: [{ kind: 'bytes', at: 0, lengthBytes: 100 }] }),
      lane.run({ memory: null, steps: [{ kind: 'zeros', lengthBytes: 3_000_000 }] }),
      lane.run({
        memory,
        steps: [
          { kind: 'bytes', at: 100, lengthBytes: 50 },
          { kind: 'end', key: 7 },
          { kind: 'bytes', at: 0, lengthBytes: 4096 },
          { kind: 'end', key: 8 },
          { kind: 'end', key: 9 },
        ],
      }),
    ])
    const digests = answers.flat().map(({ key, digest }) => [key, Buffer.from(digest).toString('hex')])
    expect(digests).toEqual([
      [7, sha256(bytes(0, 100), Buffer.alloc(3_000_000), bytes(100, 150))],
      [8, sha256(bytes(0, 4096))],
      [9, sha256()],
    ])
  })
})

describe('a hash lane in a thread', () => {
  it('says what went wrong, and lets nobody wait for ever', async () => {
    const lane = createThreadLane('test')
    // Behind the end of the memory.
    const order = { memory, steps: [{ kind: 'bytes', at: 4000, lengthBytes: 1000 }] } as const
    await expect(lane.run(order)).rejects.toMatchObject({ code: 'E_BUG' })
    const waiting = lane.run({ memory: null, steps: [{ kind: 'zeros', lengthBytes: 2_000_000_000 }] })
    const refused = waiting.catch((error: unknown) => String(error))
    await lane[Symbol.asyncDispose]()
    expect(await refused).toContain('the hash lane was closed')
    await expect(lane.run(order)).rejects.toThrow('the hash lane was closed')
  })
})
