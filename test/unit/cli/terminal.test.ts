import { describe, expect, it } from 'vitest'
import { createWriter } from '#src/main/cli/terminal.ts'

const failing = (code: string) => Object.assign(new Error(code), { code })

describe('writing to the terminal', () => {
  it('goes on where a short write stopped', () => {
    let written = ''
    const write = createWriter(1, (_, bytes) => {
      const part = bytes.subarray(0, 3)
      written += Buffer.from(part).toString('latin1')
      return part.length
    })
    write('PINF\t2\t100\trestore\n')
    expect(written).toBe('PINF\t2\t100\trestore\n')
  })

  it('waits for a full pipe', () => {
    const says = ['EAGAIN', 'EINTR', 'EAGAIN']
    let written = 0
    const write = createWriter(1, (_, bytes) => {
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
    const write = createWriter(1, () => {
      tries += 1
      throw failing(code)
    })
    write('abc')
    write('def')
    expect(tries).toBe(1)
  })

  it('throws what it does not know', () => {
    const write = createWriter(1, () => {
      throw failing('ENOSPC')
    })
    expect(() => write('abc')).toThrow('ENOSPC')
  })
})
