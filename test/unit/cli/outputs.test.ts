import { describe, expect, it } from 'vitest'
import { createOutput } from '#src/main/cli/outputs.ts'

const outputOf = (write: (bytes: Uint8Array) => number, name: string | null = 'standard output') =>
  createOutput({ descriptor: 1, name, write: (_, bytes) => write(bytes) })
const writer = (...given: Parameters<typeof outputOf>) => {
  const output = outputOf(...given)
  return (text: string) => output.write(text)
}

const failing = (code: string) => Object.assign(new Error(code), { code })

describe('writing to the terminal', () => {
  it('goes on where a short write stopped', () => {
    let written = ''
    const write = writer((bytes) => {
      const part = bytes.subarray(0, 3)
      written += Buffer.from(part).toString('latin1')
      return part.length
    })
    write('PINF\t2\t100\trestore\n')
    expect(written).toBe('PINF\t2\t100\trestore\n')
  })

  it('keeps what a full pipe cannot take, in order, and makes nobody wait', async () => {
    let isFull = true
    let written = ''
    const output = outputOf((bytes) => {
      if (isFull) throw failing('EAGAIN')
      const part = bytes.subarray(0, 2)
      written += Buffer.from(part).toString('latin1')
      return part.length
    })
    output.write('abc')
    output.write('def')
    expect(written).toBe('')
    let isDrained = false
    const drained = output.drained().then(() => (isDrained = true))
    await new Promise((done) => setTimeout(done, 60))
    expect(isDrained).toBe(false)
    expect(output.keptBytes()).toBe(6)
    isFull = false
    await drained
    expect(written).toBe('abcdef')
    expect(output.keptBytes()).toBe(0)
    output.write('g')
    expect(written).toBe('abcdefg')
  })

  it('leaves out what only passes once too much is kept, and nothing else', async () => {
    let isFull = true
    let written = ''
    const output = outputOf((bytes) => {
      if (isFull) throw failing('EAGAIN')
      written += Buffer.from(bytes).toString('latin1')
      return bytes.length
    })
    const state = `${'s'.repeat(999_999)}\n`
    for (let count = 0; count < 20; count++) output.write(state, 'passing')
    output.write('outcome\n')
    output.write('log\n', 'passing')
    isFull = false
    await output.drained()
    expect(written.slice(-12)).toBe('outcome\nlog\n')
    expect(written).toHaveLength(4_000_012)
    output.write(state, 'passing')
    expect(written).toHaveLength(5_000_012)
  })

  it('is drained when nobody reads any more', async () => {
    let code = 'EAGAIN'
    const output = outputOf(() => {
      throw failing(code)
    })
    output.write('abc')
    code = 'EPIPE'
    await expect(output.drained()).resolves.toBeUndefined()
  })

  it('tries again after an interrupted call', () => {
    const says = ['EINTR']
    let written = 0
    const write = writer((bytes) => {
      const code = says.shift()
      if (code !== undefined) throw failing(code)
      written += bytes.length
      return bytes.length
    })
    write('abc')
    expect(written).toBe(3)
  })

  it.each(['EPIPE', 'EIO', 'EBADF'])('is quiet after %s, and does not try again', (code) => {
    let tries = 0
    const write = writer(() => {
      tries += 1
      throw failing(code)
    })
    write('abc')
    write('def')
    expect(tries).toBe(1)
  })

  it.each([
    ['ENOSPC', 'E_DST_FULL'],
    ['EINVAL', 'E_IO_WRITE'],
  ])('tells %s as %s', (errno, code) => {
    const write = writer(() => {
      throw failing(errno)
    })
    expect(() => write('abc')).toThrow(
      expect.objectContaining({ code, details: { path: 'standard output', errno } }),
    )
  })

  it('keeps quiet about an output for errors that fails', () => {
    const write = writer(() => {
      throw failing('ENOSPC')
    }, null)
    expect(() => write('abc')).not.toThrow()
  })
})
