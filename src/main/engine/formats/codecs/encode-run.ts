/** One UDIF run at a time, for the workers that convert: sectors in, stored bytes out. */
import { unreachable } from '#shared/errors'
import type { RunKind } from '#shared/model'
import { encodeAdc } from './adc-encoder.ts'
import { encodeBzip2 } from './bzip2-encoder.ts'
import { encodeLzfse } from './lzfse-encoder.ts'
import { encodeXz } from './xz-encoder.ts'
import { encodeZlib } from './zlib-encoder.ts'

/** Kinds of run whose stored bytes are compressed. */
export type CompressedKind = Exclude<RunKind, 'zero' | 'raw' | 'ignore'>

/**
 * Compress `run` into `into`; the number of bytes, or null when they don't fit. `level`, 1 to 9, counts for zlib, bzip2 and
 * lzma. Encoders keep scratch memory per thread, a few times the length of the longest run.
 */
export function encodeRun(
  kind: CompressedKind,
  run: Uint8Array,
  into: Uint8Array,
  level: number,
): number | null {
  switch (kind) {
    case 'zlib':
      return encodeZlib(run, into, level)
    case 'adc':
      return encodeAdc(run, into)
    case 'bzip2':
      return encodeBzip2(run, into, level)
    case 'lzfse':
      return encodeLzfse(run, into)
    case 'lzma':
      return encodeXz(run, into, level)
    default:
      return unreachable(kind)
  }
}
