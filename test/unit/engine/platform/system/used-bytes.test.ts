import { describe, expect, it } from 'vitest'
import { usedBytesReader } from '#src/main/engine/platform/system/used-bytes.ts'

describe('bytes in use on a file system', () => {
  it('are asked for once where no answer comes, however often somebody wants to know', async () => {
    const asked: string[] = []
    const usedBytes = usedBytesReader((path) => {
      asked.push(path)
      return new Promise(() => undefined)
    }, 1)
    for (let list = 0; list < 10; list += 1) expect(await usedBytes('/mnt/silent')).toBeNull()
    expect(asked).toEqual(['/mnt/silent'])
  })

  it('are asked for again after an answer, and after an error', async () => {
    const answers = [
      { blocks: 10, bfree: 4, bsize: 512 },
      new Error('gone'),
      { blocks: 10, bfree: 3, bsize: 512 },
    ]
    const usedBytes = usedBytesReader(() => {
      const answer = answers.shift()
      return answer instanceof Error || answer === undefined
        ? Promise.reject(answer)
        : Promise.resolve(answer)
    }, 10_000)
    expect(await usedBytes('/mnt')).toBe(3072)
    expect(await usedBytes('/mnt')).toBeNull()
    expect(await usedBytes('/mnt')).toBe(3584)
  })
})
