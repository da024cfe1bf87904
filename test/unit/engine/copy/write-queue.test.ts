import { describe, expect, it } from 'vitest'
import { createWriteQueue } from '#src/main/engine/copy/write-queue.ts'

/** Works that the test lets go one by one. */
function works() {
  const held: PromiseWithResolvers<void>[] = []
  return {
    make: () => {
      const work = Promise.withResolvers<void>()
      held.push(work)
      return work.promise
    },
    held,
  }
}
const turn = () => new Promise<void>((done) => setImmediate(done))
const no = new Error('no')

describe('writes under way', () => {
  it('are as many as the limit, never more', async () => {
    const queue = createWriteQueue(2)
    const { make, held } = works()
    await queue.start(make)
    await queue.start(make)
    let third = false
    const starting = queue.start(make).then(() => (third = true))
    await turn()
    expect([third, held.length]).toEqual([false, 2])
    held[1]!.resolve()
    await starting
    expect(held.length).toBe(3)
    held[0]!.resolve()
    held[2]!.resolve()
    await queue.idle()
  })

  it('fail the next start, and start nothing more', async () => {
    const queue = createWriteQueue(3)
    const { make, held } = works()
    await queue.start(make)
    held[0]!.reject(no)
    await turn()
    await expect(queue.start(make)).rejects.toBe(no)
    expect(held.length).toBe(1)
  })

  it('fail whoever waits for room', async () => {
    const queue = createWriteQueue(1)
    const { make, held } = works()
    await queue.start(make)
    const starting = queue.start(make)
    held[0]!.reject(no)
    await expect(starting).rejects.toBe(no)
  })

  it('fail what is done meanwhile, at once, or before it began', async () => {
    const queue = createWriteQueue(2)
    const { make, held } = works()
    await queue.start(make)
    const meanwhile = queue.during(new Promise(() => undefined))
    held[0]!.reject(no)
    await expect(meanwhile).rejects.toBe(no)
    await expect(queue.during(Promise.resolve(1))).rejects.toBe(no)
  })

  it("don't disturb what is done meanwhile while they go well", async () => {
    const queue = createWriteQueue(2)
    const { make, held } = works()
    await queue.start(make)
    const other = Promise.withResolvers<string>()
    const meanwhile = queue.during(other.promise)
    held[0]!.resolve()
    await turn()
    other.resolve('item')
    expect(await meanwhile).toBe('item')
    const failing = queue.during(Promise.reject(no))
    await expect(failing).rejects.toBe(no)
  })

  it('keep the first failure', async () => {
    const queue = createWriteQueue(2)
    const { make, held } = works()
    await queue.start(make)
    await queue.start(make)
    held[1]!.reject(no)
    await turn()
    held[0]!.reject(new Error('later'))
    await queue.settled()
    await expect(queue.idle()).rejects.toBe(no)
  })

  it('are settled only when each has come back, failed or not', async () => {
    const queue = createWriteQueue(2)
    const { make, held } = works()
    await queue.start(make)
    await queue.start(make)
    held[0]!.reject(no)
    let settled = false
    const settling = queue.settled().then(() => (settled = true))
    await turn()
    expect(settled).toBe(false)
    held[1]!.resolve()
    await settling
  })
})
