import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { forgetTyped, readHidden, readLineOf, readUntilNul } from '#src/main/cli/hidden-input.ts'

const never = new AbortController().signal

function terminal() {
  const modes: boolean[] = []
  const input = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: (raw: boolean) => modes.push(raw),
  })
  return { input, modes }
}

describe('readUntilNul', () => {
  const read = (bytes: string | Uint8Array, signal = never) => {
    const input = new PassThrough()
    input.end(bytes)
    return readUntilNul(input, signal)
  }

  it('reads up to a NUL, and leaves what follows', async () => {
    const input = new PassThrough()
    input.end('pass word\0y\n')
    expect(await readUntilNul(input, never)).toBe('pass word')
    expect(String(input.read())).toBe('y\n')
  })

  it('reads to the end where there is no NUL, lines and all', async () => {
    expect(await read('päss\nword\n')).toBe('päss\nword\n')
    expect(await read('')).toBeNull()
  })

  it('puts together what comes in pieces', async () => {
    const input = new PassThrough()
    const password = readUntilNul(input, never)
    for (const byte of Buffer.from('pä')) {
      input.write(Uint8Array.of(byte))
      await new Promise((resolve) => setImmediate(resolve))
    }
    input.end()
    expect(await password).toBe('pä')
  })

  it('changes no byte: what is no UTF-8 is refused', async () => {
    const latin1 = Uint8Array.of(...Buffer.from('caf'), 0xe9)
    await expect(read(latin1)).rejects.toMatchObject({ code: 'E_USAGE', details: { input: 'password' } })
    await expect(read(Uint8Array.of(0xff, 0, 0x79))).rejects.toMatchObject({ code: 'E_USAGE' })
    expect(await read('\ufeffpw')).toBe('\ufeffpw')
  })

  it('takes a password whole or not at all', async () => {
    expect(await read('x'.repeat(4096))).toHaveLength(4096)
    expect(await read(`${'x'.repeat(4096)}\0y`)).toHaveLength(4096)
    await expect(read('x'.repeat(4097))).rejects.toMatchObject({
      code: 'E_USAGE',
      details: { input: 'password' },
    })
  })

  it('stops waiting when it is told to', async () => {
    const giveUp = new AbortController()
    const waiting = readUntilNul(new PassThrough(), giveUp.signal)
    giveUp.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
  })
})

describe('readLineOf', () => {
  const of = (bytes: string) => {
    const input = new PassThrough()
    input.end(bytes)
    return input
  }

  it('reads a line without its end, and leaves what follows', async () => {
    const input = of('y\r\nmore\n')
    expect(await readLineOf(input, never)).toBe('y')
    expect(String(input.read())).toBe('more\n')
    expect(await readLineOf(of('no end'), never)).toBe('no end')
    expect(await readLineOf(of(''), never)).toBeNull()
  })

  it('ends a line of a terminal at what Enter was while it was raw', async () => {
    const { input } = terminal()
    input.write('y\rn\n')
    expect(await readLineOf(input, never)).toBe('y')
    expect(await readLineOf(input, never)).toBe('n')
    expect(await readLineOf(of('y\rn\n'), never)).toBe('y\rn')
  })

  it('answers at once where a password took all there was', async () => {
    const input = of('pw')
    expect(await readUntilNul(input, never)).toBe('pw')
    expect(await readLineOf(input, never)).toBeNull()
  })

  it('ends at what a terminal keeps of Ctrl-D, from before it was raw and since', async () => {
    const { input } = terminal()
    input.write('\0\u0004y\u0004yes\n')
    expect(await readLineOf(input, never)).toBeNull()
    expect(await readLineOf(input, never)).toBeNull()
    expect(await readLineOf(input, never)).toBe('y')
    expect(await readLineOf(input, never)).toBe('yes')
    expect(await readLineOf(of('\0\u0004\n'), never)).toBe('\0\u0004')
  })

  it('takes no more than an answer can be of a line without an end', async () => {
    const input = new PassThrough({ highWaterMark: 1024 * 1024 })
    input.write(Buffer.alloc(100_000))
    expect((await readLineOf(input, never))?.length).toBeLessThan(10_000)
  })
})

describe('readHidden', () => {
  const options = { signal: never, ask: () => undefined, interrupt: () => undefined }

  it('reads a line that the terminal shows nothing of', async () => {
    const { input, modes } = terminal()
    // Whoever types at once must not be seen.
    const ask = () => expect(modes).toEqual([true])
    const typed = readHidden(input, { ...options, ask })
    input.write('secrt\u007fet\r')
    expect(await typed).toBe('secret')
    expect(modes).toEqual([true, false])
  })

  it('leaves what was sent behind the line to the next question', async () => {
    const { input } = terminal()
    input.end('päss\npäss\r\n\u0004y\n')
    expect(await readHidden(input, options)).toBe('päss')
    expect(await readHidden(input, options)).toBe('päss')
    expect(await readHidden(input, options)).toBeNull()
    expect(await readLineOf(input, never)).toBe('y')
    expect(await readLineOf(input, never)).toBeNull()
  })

  it('forgets a line at Ctrl-U, ends at Ctrl-D, and passes Ctrl-C on', async () => {
    const first = terminal()
    const line = readHidden(first.input, options)
    first.input.write('wrong\u0015right\n')
    expect(await line).toBe('right')

    const second = terminal()
    const ended = readHidden(second.input, options)
    second.input.write('\u0004')
    expect(await ended).toBeNull()
    // What the terminal keeps of one that came before.
    second.input.write('\0')
    expect(await readHidden(second.input, options)).toBeNull()

    const third = terminal()
    const giveUp = new AbortController()
    const given = readHidden(third.input, {
      signal: giveUp.signal,
      ask: () => undefined,
      interrupt: () => giveUp.abort(new Error('Ctrl-C')),
    })
    third.input.write('half\u0003')
    await expect(given).rejects.toThrow('Ctrl-C')
    expect(third.modes).toEqual([true, false])
  })

  it('refuses what a terminal sends that is no UTF-8', async () => {
    const { input, modes } = terminal()
    const typed = readHidden(input, options)
    input.write(Uint8Array.of(...Buffer.from('caf'), 0xe9, 0x0d))
    await expect(typed).rejects.toMatchObject({ code: 'E_USAGE' })
    expect(modes).toEqual([true, false])
  })

  it('asks nobody where there is no terminal', async () => {
    expect(await readHidden(new PassThrough(), options)).toBeNull()
  })
})

describe('forgetTyped', () => {
  const options = { signal: never, interrupt: () => undefined }

  it('throws away what was typed until now, and nothing that is typed later', async () => {
    const { input, modes } = terminal()
    input.write('secret\ry\r')
    expect(await readHidden(input, { ...options, ask: () => undefined })).toBe('secret')
    input.write('y\ny')
    await forgetTyped(input, options)
    expect(modes).toEqual([true, false, true, false])
    input.write('no\n')
    expect(await readLineOf(input, never)).toBe('no')
    input.write('yes\n')
    await forgetTyped(input, options)
    input.end()
    expect(await readLineOf(input, never)).toBeNull()
  })

  it('hears a Ctrl-C among it', async () => {
    const { input, modes } = terminal()
    const giveUp = new AbortController()
    input.write('y\u0003')
    const interrupt = () => giveUp.abort(new Error('Ctrl-C'))
    await expect(forgetTyped(input, { signal: giveUp.signal, interrupt })).rejects.toThrow('Ctrl-C')
    expect(modes).toEqual([true, false])
  })

  it.each(['\0', 'y\n\u0004'])('leaves the end of the input in %j to whoever reads', async (ahead) => {
    const { input } = terminal()
    input.write(ahead)
    await forgetTyped(input, options)
    // A question that is told late is preceded by another look.
    await forgetTyped(input, options)
    input.write('yes\n')
    expect(await readLineOf(input, never)).toBeNull()
    expect(await readLineOf(input, never)).toBe('yes')
  })

  it('leaves what a program sends', async () => {
    const input = new PassThrough()
    input.end('y\n')
    await forgetTyped(input, options)
    expect(await readLineOf(input, never)).toBe('y')
  })
})
