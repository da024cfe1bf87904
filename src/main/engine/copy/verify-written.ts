/** The verify of a restore that read its source from beginning to end, whether it wrote all of it or what differed. */
import type { BlockSink } from '#engine/block-io'
import type { JobContext } from '#engine/job'
import type { RestoreRequest } from '#shared/model'
import type { BlockChecksums } from './block-checksums.ts'
import { bufferSizes } from './buffer-sizes.ts'
import { verificationError } from './locate-difference.ts'
import type { RestoreSource } from './restore-source.ts'
import { createSourceComparison } from './source-comparison.ts'
import { verifyBlocks } from './verify-blocks.ts'
import type { WrittenBlocks } from './written-blocks.ts'

export interface VerifyWrittenOptions {
  readonly source: RestoreSource
  readonly sink: BlockSink
  readonly checksums: BlockChecksums
  /** What was written; the rest was found right before. Null: everything was. */
  readonly written: WrittenBlocks | null
  readonly request: RestoreRequest
  readonly context: JobContext
}

/** Resolves to the disk's CRC-32. Throws what `verifyBlocks` throws, VerificationError, DeviceError E_SRC_CHANGED, FormatError E_SRC_CORRUPT. */
export async function verifyWritten(options: VerifyWrittenOptions): Promise<number> {
  const { source, sink, checksums, request, context } = options
  const { signal } = context
  const { csumBuffers, csumBufferBytes } = bufferSizes(request.buffering)
  // A device can only be compared with itself, to its end: what was right may have changed since.
  const written = source.isDevice ? null : options.written
  context.enter('verifying', written === null ? checksums.sizeBytes : readAgain(written, checksums))
  await using again = source.isDevice
    ? await source.openStream({ alignmentBytes: sink.alignmentBytes, signal })
    : null
  using comparison = again && createSourceComparison(again)
  const verdict = await verifyBlocks({
    sink,
    checksums,
    written,
    context,
    signal,
    // Where only a part is read again, the source was checked as it came, and what is on the disk is compared with that.
    checker: written === null ? source.createChecker() : null,
    comparison,
    buffers: csumBuffers,
    bufferBytes: csumBufferBytes,
  })
  if (verdict.kind === 'same') return verdict.crc32
  throw await verificationError(verdict, sink, source, { blockBytes: checksums.blockBytes, signal })
}

function readAgain(written: WrittenBlocks, checksums: BlockChecksums): number {
  let bytes = 0
  for (const stretch of written.among(checksums.stretches()))
    if (stretch.kind !== 'known') bytes += stretch.lengthBytes
  return bytes
}
