/**
 * The WebAssembly inside xz-decompress (xz-embedded: .xz files of any number of streams with their padding, LZMA2 only,
 * CRC-32 and CRC-64, dictionary up to 64 MiB), driven directly and synchronously. The package's own face is a web stream that allows one decoder at a time
 * and copies every piece; its module is kept in static fields, which this file alone knows about.
 */
import xzDecompress from 'xz-decompress'

/** What the module exports. A context begins with eight 32-bit words and holds both buffers. */
interface XzExports {
  readonly memory: { readonly buffer: ArrayBuffer }
  create_context(): number
  destroy_context(context: number): void
  supply_input(context: number, length: number): void
  get_next_output(context: number): number
}

interface XzModule {
  _moduleInstance?: { readonly exports: XzExports }
  _getModuleInstance(): Promise<void>
}

/** Words of a context: buffer size; input address, position, size; output address, position, size. */
const word = { bufferBytes: 0, inputAt: 1, inputPos: 2, inputSize: 3, outputAt: 4, outputPos: 5 } as const

let exports: XzExports | undefined

/** Load the module, once for the thread. Null when it is there already: nothing to wait for. */
export function loadXz(): Promise<void> | null {
  return exports === undefined ? load() : null
}

async function load(): Promise<void> {
  const module = xzDecompress.XzReadableStream as unknown as XzModule
  await module._getModuleInstance()
  exports = module._moduleInstance?.exports
}

/** xz-embedded's `enum xz_ret`. */
export const xzStatus = {
  ok: 0,
  end: 1,
  unsupportedCheck: 2,
  memory: 3,
  memoryLimit: 4,
  /** No stream begins where one should: its twelve bytes have been taken. */
  format: 5,
  options: 6,
  data: 7,
  /** The input has ended, and the file hasn't. */
  buffer: 8,
} as const

/** Why a status other than `ok` and `end` was given, `offset` being the stored bytes taken until then. */
export function explainXz(status: number, offset: number): XzProblem {
  switch (status) {
    case xzStatus.memory:
    case xzStatus.memoryLimit:
      return {
        isSupported: false,
        field: 'Dictionary Size',
        message: 'the dictionary is larger than 64 MiB',
        expected: 'at most 67108864 bytes',
        offset,
      }
    case xzStatus.unsupportedCheck:
    case xzStatus.options:
      return {
        isSupported: false,
        field: 'Stream Flags',
        message: 'it has a SHA-256 check, or a filter other than LZMA2',
        expected: 'a CRC-32, a CRC-64 or no check, and LZMA2 without other filters',
        offset,
      }
    case xzStatus.format:
      return {
        isSupported: true,
        field: 'Header Magic Bytes',
        message: 'no stream begins here',
        offset: Math.max(0, offset - 12),
      }
    case xzStatus.buffer:
      return { isSupported: true, field: 'Stream Footer', message: 'the stream is cut off', offset }
    default:
      return { isSupported: true, field: 'Block', message: 'the stream is damaged', offset }
  }
}

export interface XzProblem {
  /** False: the file may be right, this decoder doesn't know it. */
  readonly isSupported: boolean
  readonly field: string
  readonly message: string
  readonly offset: number
  /** What this decoder knows. */
  readonly expected?: string
}

/** A decoder for one .xz file. `loadXz` must have resolved. Dispose it, or its memory is gone. */
export class XzContext implements Disposable {
  readonly #exports: XzExports
  readonly #at: number
  #bytes = new Uint8Array(0)
  #words = new Uint32Array(0)

  constructor() {
    if (exports === undefined) throw new Error('loadXz first')
    this.#exports = exports
    this.#at = exports.create_context()
    this.#refresh()
  }

  /** Memory may have grown, for this context or another, which detaches the views. */
  #refresh(): void {
    const { buffer } = this.#exports.memory
    if (this.#words.buffer === buffer) return
    this.#bytes = new Uint8Array(buffer)
    this.#words = new Uint32Array(buffer, this.#at, 8)
  }

  #word(index: number): number {
    this.#refresh()
    return this.#words[index] ?? 0
  }

  /** Bytes supplied and not used yet. Supply more only at 0. */
  get inputLeft(): number {
    return this.#word(word.inputSize) - this.#word(word.inputPos)
  }

  /** Take as much of `input` from `offset` as the buffer holds; returns how much that was. 0: the input has ended. */
  supply(input: Uint8Array, offset: number): number {
    const length = Math.min(this.#word(word.bufferBytes), input.length - offset)
    const at = this.#word(word.inputAt)
    this.#bytes.set(input.subarray(offset, offset + length), at)
    this.#exports.supply_input(this.#at, length)
    return length
  }

  /** Decode until the input is used up or 64 KiB are out. The bytes are valid until the next call. */
  decode(): { readonly status: number; readonly bytes: Uint8Array } {
    this.#refresh()
    this.#words[word.outputPos] = 0
    const status = this.#exports.get_next_output(this.#at)
    const start = this.#word(word.outputAt)
    const end = start + this.#word(word.outputPos)
    return { status, bytes: this.#bytes.subarray(start, end) }
  }

  [Symbol.dispose](): void {
    this.#exports.destroy_context(this.#at)
  }
}
