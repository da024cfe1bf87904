/** What standard input answers: passwords, typed without echo on a terminal or given by a program, and lines. */
import type { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { usageError } from './arguments.ts'

/** `process.stdin` is one. */
export type Input = Readable & {
  readonly isTTY?: boolean
  setRawMode?: (raw: boolean) => unknown
}

/** No password is as long, and no answer. */
const mostBytes = 4096

/** Ctrl-D, as a raw terminal sends it; and what a terminal that becomes raw makes of one that came before, which somebody who waits would never hear of. */
const typedEnds = [0x04, 0x00]

/**
 * Text up to a NUL, which is taken too, or to the end of the input, as it is; what follows stays to be read. Null when there is
 * nothing. Rejects with UsageError E_USAGE when it is no UTF-8 or too long, since part of a password isn't the password; with the
 * signal's reason.
 */
export async function readUntilNul(input: Input, signal: AbortSignal): Promise<string | null> {
  const bytes = await readUntil([0], input, signal)
  if (bytes === null) return null
  if (bytes.length > mostBytes)
    throw usageError(
      'password',
      `The password on standard input is longer than ${mostBytes} bytes.`,
      'It ends at a NUL or at the end of the input.',
    )
  return createDecoder()(bytes)
}

/**
 * A line without its end, or the beginning of one that is longer than any answer. Null when there is nothing, or when the person ended the input instead. Rejects with the
 * signal's reason.
 */
export async function readLineOf(input: Input, signal: AbortSignal): Promise<string | null> {
  // Of what was typed while a terminal was raw, Enter is a carriage return.
  const line =
    input.isTTY === true
      ? await readUntil([0x0a, 0x0d], input, signal, typedEnds)
      : await readUntil([0x0a], input, signal)
  return line?.toString('utf8').replace(/\r$/, '') ?? null
}

/** What is longer than `mostBytes` is cut off one byte behind them. One of `inputEnds` is as good as the end of the input, and taken. */
async function readUntil(
  ends: readonly number[],
  input: Input,
  signal: AbortSignal,
  inputEnds: readonly number[] = [],
): Promise<Buffer | null> {
  const bytes: number[] = []
  // One that has ended before never says so again.
  let ended = input.readableEnded || input.destroyed
  signal.throwIfAborted()
  for (;;) {
    const byte = (input.read(1) as Buffer | null)?.[0]
    if (byte === undefined ? ended : inputEnds.includes(byte))
      return bytes.length === 0 ? null : Buffer.from(bytes)
    if (byte === undefined) ended = await readableOrEnded(input, signal)
    else {
      if (ends.includes(byte)) return Buffer.from(bytes)
      bytes.push(byte)
      if (bytes.length > mostBytes) return Buffer.from(bytes)
    }
  }
}

/**
 * What it returns throws UsageError; with `stream`, more bytes follow. A decoder that isn't fatal would put U+FFFD for what it
 * can't read, and take one wrong password for another.
 */
function createDecoder(): (bytes: Uint8Array, options?: { readonly stream: boolean }) => string {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  return (bytes, options) => {
    try {
      return decoder.decode(bytes, options)
    } catch {
      throw usageError('password', "The password isn't UTF-8.", 'Give it in UTF-8.')
    }
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
 * A line typed on a terminal that shows nothing of it; what was sent behind it stays to be read. Null when it isn't a terminal, or when the person ends the input (Ctrl-D
 * in an empty line). `ask` is called when nothing is shown any more; `interrupt` at Ctrl-C, which a terminal in this state doesn't turn into a signal. Rejects with
 * UsageError E_USAGE when it is no UTF-8; with the signal's reason.
 */
export async function readHidden(
  input: Input,
  { signal, ask, interrupt }: HiddenOptions,
): Promise<string | null> {
  signal.throwIfAborted()
  if (input.isTTY !== true || input.setRawMode === undefined) return null
  const { promise, resolve, reject } = Promise.withResolvers<string | null>()
  const decode = createDecoder()
  let typed: string[] = []
  const finish = (line: string | null, rest: Buffer) => {
    // At once: an input that ends meanwhile takes nothing back.
    input.off('data', onData)
    input.pause()
    if (rest.length > 0) input.unshift(rest)
    resolve(line)
  }
  const take = (bytes: Buffer) => {
    for (const index of bytes.keys()) {
      // Nothing until a character is whole.
      const character = decode(bytes.subarray(index, index + 1), { stream: true })
      const rest = bytes.subarray(index + 1)
      if (character === '\n') return finish(typed.join(''), rest)
      if (character === '\r') return finish(typed.join(''), rest[0] === 0x0a ? rest.subarray(1) : rest)
      if (character === '\u0003') interrupt()
      else if (typedEnds.includes(character.charCodeAt(0)) && typed.length === 0) return finish(null, rest)
      else if (character === '\u007f' || character === '\b') typed.pop()
      else if (character === '\u0015') typed = []
      else if (character >= ' ') typed.push(character)
    }
  }
  const onData = (bytes: Buffer) => {
    try {
      take(bytes)
    } catch (error) {
      reject(error)
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

/** Turns of the event loop without anything typed: the first may be over before the terminal is looked at. */
const quietTurns = 3

/**
 * Throws away what was typed on a terminal until now, before a question that nobody can have answered yet; also the beginning of a line, which Enter alone would make an
 * answer. `interrupt` is called at a Ctrl-C among it. What comes through a pipe stays: a program knows what it will be asked. So does the end of the input: it isn't said
 * again (`script -c … </dev/null` types Ctrl-D once), and nobody would ever answer. Rejects with the signal's reason.
 */
export async function forgetTyped(
  input: Input,
  { signal, interrupt }: Pick<HiddenOptions, 'signal' | 'interrupt'>,
): Promise<void> {
  signal.throwIfAborted()
  if (input.isTTY !== true || input.setRawMode === undefined) return
  let turns = 0
  let end: number | undefined
  const forget = (bytes: Buffer) => {
    turns = 0
    end ??= bytes.find((byte) => typedEnds.includes(byte))
    if (bytes.includes(0x03)) interrupt()
  }
  // A terminal that hung up is found by whoever reads the answer.
  const ignore = () => undefined
  input.on('error', ignore)
  // Otherwise a terminal keeps a line to itself until it has ended.
  input.setRawMode(true)
  input.on('data', forget)
  input.resume()
  try {
    for (; turns < quietTurns; turns++) {
      await setImmediate()
      signal.throwIfAborted()
    }
  } finally {
    input.setRawMode(false)
    input.off('data', forget)
    input.pause()
    input.off('error', ignore)
  }
  // Standard input stops in the next tick only, and would leave alone who reads before.
  await setImmediate()
  if (end !== undefined && !input.readableEnded && !input.destroyed) input.unshift(Uint8Array.of(end))
}
