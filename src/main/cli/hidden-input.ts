/** What standard input answers: passwords, typed without echo on a terminal or given by a program, and lines. */
import type { Readable } from 'node:stream'

/** `process.stdin` is one. */
export type Input = Readable & {
  readonly isTTY?: boolean
  setRawMode?: (raw: boolean) => unknown
}

/** No password is as long, and no answer. */
const mostBytes = 4096

/**
 * Bytes up to a NUL, which is taken too, or to the end of the input; what follows stays to be read. Null when there is nothing.
 * Rejects with the signal's reason.
 */
export const readUntilNul = async (input: Input, signal: AbortSignal): Promise<string | null> =>
  await readUntil(0, input, signal)

/** The same of a line, without its end. */
export async function readLineOf(input: Input, signal: AbortSignal): Promise<string | null> {
  const line = await readUntil(0x0a, input, signal)
  return line?.replace(/\r$/, '') ?? null
}

async function readUntil(end: number, input: Input, signal: AbortSignal): Promise<string | null> {
  const bytes: number[] = []
  // One that has ended before never says so again.
  let ended = input.readableEnded || input.destroyed
  signal.throwIfAborted()
  for (;;) {
    const byte = (input.read(1) as Buffer | null)?.[0]
    if (byte === end) return Buffer.from(bytes).toString('utf8')
    if (byte !== undefined) {
      bytes.push(byte)
      if (bytes.length > mostBytes) return Buffer.from(bytes).toString('utf8')
    } else if (ended) return bytes.length === 0 ? null : Buffer.from(bytes).toString('utf8')
    else ended = await readableOrEnded(input, signal)
  }
}

/** Resolves to true at the end. */
async function readableOrEnded(input: Input, signal: AbortSignal): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>()
  const onReadable = () => resolve(false)
  const onEnd = () => resolve(true)
  const onAbort = () => reject(signal.reason as Error)
  input.on('readable', onReadable)
  for (const name of ['end', 'close', 'error'] as const) input.on(name, onEnd)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await promise
  } finally {
    input.off('readable', onReadable)
    for (const name of ['end', 'close', 'error'] as const) input.off(name, onEnd)
    signal.removeEventListener('abort', onAbort)
    input.pause()
  }
}

export interface HiddenOptions {
  readonly signal: AbortSignal
  readonly ask: () => void
  readonly interrupt: () => void
}

/**
 * A line typed on a terminal that shows nothing of it. Null when it isn't a terminal, or when the person ends the input (Ctrl-D
 * in an empty line). `ask` is called when nothing is shown any more; `interrupt` at Ctrl-C, which a terminal in this state doesn't turn into a signal. Rejects with the
 * signal's reason.
 */
export async function readHidden(
  input: Input,
  { signal, ask, interrupt }: HiddenOptions,
): Promise<string | null> {
  signal.throwIfAborted()
  if (input.isTTY !== true || input.setRawMode === undefined) return null
  const { promise, resolve, reject } = Promise.withResolvers<string | null>()
  const decoder = new TextDecoder()
  let typed: string[] = []
  const onData = (bytes: Buffer) => {
    for (const character of decoder.decode(bytes, { stream: true })) {
      if (character === '\r' || character === '\n') return resolve(typed.join(''))
      if (character === '\u0003') interrupt()
      else if (character === '\u0004' && typed.length === 0) return resolve(null)
      else if (character === '\u007f' || character === '\b') typed.pop()
      else if (character === '\u0015') typed = []
      else if (character >= ' ') typed.push(character)
    }
  }
  const onAbort = () => reject(signal.reason as Error)
  const onEnd = () => resolve(null)
  input.setRawMode(true)
  input.on('data', onData)
  for (const name of ['end', 'close', 'error'] as const) input.on(name, onEnd)
  signal.addEventListener('abort', onAbort, { once: true })
  input.resume()
  ask()
  try {
    return await promise
  } finally {
    input.setRawMode(false)
    input.off('data', onData)
    for (const name of ['end', 'close', 'error'] as const) input.off(name, onEnd)
    signal.removeEventListener('abort', onAbort)
    input.pause()
  }
}
