import { describe, expect, it } from 'vitest'
import { createWriter } from '#src/main/cli/terminal.ts'

const writer = (write: (bytes: Uint8Array) => number, name: string | null = 'standard output') =>
  createWriter({ descriptor: 1, name, write: (_, bytes) => write(bytes) })

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

  it('waits for a full pipe', () => {
    const says = ['EAGAIN', 'EINTR', 'EAGAIN']
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
