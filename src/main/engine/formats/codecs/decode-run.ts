/** One UDIF run at a time, for the workers of the pipeline: stored bytes in, sectors out. */
import { unreachable } from '#shared/errors'
import type { RunKind } from '#shared/model'
import { decodeAdc } from './adc.ts'
import { decodeBzip2Run } from './bzip2-run.ts'
import { corrupt } from './corrupt.ts'
import { decodeLzfse } from './lzfse.ts'
import { decodeXzRun } from './xz-run.ts'
import { decodeZlibRun } from './zlib-run.ts'

/**
 * Expand `stored` so that it fills `into` exactly, or throw FormatError E_SRC_CORRUPT with
 * `{ format: kind, field, offset }`, `offset` in bytes of `stored`. Both may lie in shared memory; nothing is written
 * outside `into`, and its contents are undefined after an error. Decoders keep scratch memory per thread, so calls
 * must not overlap within a thread: wait for the promise where there is one.
 */
export function decodeRun(kind: RunKind, stored: Uint8Array, into: Uint8Array): void | Promise<void> {
  switch (kind) {
    case 'zero':
    case 'ignore':
      into.fill(0)
      return
    case 'raw':
      if (stored.length !== into.length)
        throw corrupt(kind, 'a raw run is as long as what it stands for', {
          field: 'compLength',
          offset: 0,
          found: stored.length,
          expected: into.length,
        })
      into.set(stored)
      return
    case 'adc':
      return decodeAdc(stored, into)
    case 'zlib':
      return decodeZlibRun(stored, into)
    case 'bzip2':
      return decodeBzip2Run(stored, into)
    case 'lzma':
      return decodeXzRun(stored, into)
    case 'lzfse':
      return decodeLzfse(stored, into)
    default:
      return unreachable(kind)
  }
}
