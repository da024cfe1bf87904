/** From "this block differs" to the first byte that does: reads the block once more, on both sides. */
import { allocatePageAligned, type BlockSink } from '#engine/block-io'
import { badRangeError } from '#engine/pipeline'
import { DeviceError, FormatError, VerificationError, type VerificationDetails } from '#shared/errors'
import { padded } from './head-blocks.ts'
import type { RestoreSource } from './restore-source.ts'
import { changedWhileRead } from './source-changed.ts'
import type { Verdict } from './verify-blocks.ts'

/** Bytes of each side that are told. */
const shownBytes = 16

/**
 * The error for a verdict: E_VERIFY, E_SRC_CHANGED, or E_SRC_CORRUPT where the image contradicts itself. Where the byte can't be found any more (the source can't be read, or the destination now
 * reads as it should) it tells the block and its checksums. Rejects only with the signal's reason.
 */
export async function verificationError(
  verdict: Exclude<Verdict, { kind: 'same' }>,
  sink: BlockSink,
  source: RestoreSource,
  { blockBytes, signal }: { readonly blockBytes: number; readonly signal: AbortSignal },
): Promise<VerificationError | DeviceError | FormatError> {
  // Every block is what was written: no disk can be what such an image says.
  if (verdict.kind === 'contradicts') return badRangeError(verdict.bad, source.path)
  const { first, differingBlocks, parts } = verdict
  if (first.sourceChanged) return changedWhileRead(source.path, { offset: first.offset, differingBlocks })
  const exact = await firstDifferingByte(first, sink, source, signal)
  return verificationFailure(sink.path, {
    offset: exact?.offset ?? first.offset,
    differingBlocks,
    blockBytes,
    expected: exact?.expected ?? first.expected,
    found: exact?.found ?? first.found,
    parts,
  })
}

/** Null where it can't be found any more. Rejects only with the signal's reason. */
export async function firstDifferingByte(
  stretch: { readonly offset: number; readonly lengthBytes: number },
  sink: BlockSink,
  source: RestoreSource,
  signal: AbortSignal,
): Promise<{ offset: number; expected: string; found: string } | null> {
  try {
    const found = allocatePageAligned(padded(stretch.lengthBytes, sink))
    await sink.read(found, stretch.offset)
    const expected = await readStretch(stretch, source, signal)
    for (let index = 0; index < stretch.lengthBytes; index++) {
      if (found[index] === expected[index]) continue
      const show = (bytes: Uint8Array) =>
        Buffer.from(bytes.slice(index, Math.min(index + shownBytes, stretch.lengthBytes))).toString('hex')
      return { offset: stretch.offset + index, expected: show(expected), found: show(found) }
    }
    return null
  } catch (error) {
    signal.throwIfAborted()
    // We know enough without it.
    if (error instanceof DeviceError || error instanceof FormatError) return null
    throw error
  }
}

async function readStretch(
  { offset, lengthBytes }: { readonly offset: number; readonly lengthBytes: number },
  source: RestoreSource,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(lengthBytes)
  const end = offset + lengthBytes
  await using stream = await source.openStretch({ offset, lengthBytes }, signal)
  for (let item = await stream.next(); item !== null; item = await stream.next()) {
    if (item.kind === 'data') {
      const from = Math.max(offset, item.offset)
      const to = Math.min(end, item.offset + item.bytes.length)
      if (to > from) bytes.set(item.bytes.subarray(from - item.offset, to - item.offset), from - offset)
      item.release()
    }
    if (item.offset + (item.kind === 'data' ? item.bytes.length : item.lengthBytes) >= end) break
  }
  return bytes
}

export function verificationFailure(
  path: string,
  details: Pick<
    VerificationDetails,
    'offset' | 'differingBlocks' | 'blockBytes' | 'expected' | 'found' | 'parts'
  >,
): VerificationError {
  const { differingBlocks, offset } = details
  return new VerificationError(
    'E_VERIFY',
    `${differingBlocks} blocks of ${path} differ, first at ${offset}`,
    {
      details: { path, ...details },
    },
  )
}
