import { expect, it } from 'vitest'
import { fillGaps } from '#src/main/engine/copy/fill-gaps.ts'
import { allocateExtentTable, kindIndex } from '#engine/formats/extents'
import type { BlockSink, OnPiece } from '#engine/block-io'

const mib = 1024 * 1024

function zeros(diskBytes: number) {
  const extents = allocateExtentTable(1)
  extents.kind[0] = kindIndex.zero
  extents.diskOffset[0] = 0
  extents.diskBytes[0] = diskBytes
  return extents
}

/** What is asked of a disk, in whole blocks of 4096 bytes, and what is told of it. */
async function fill(
  diskBytes: number,
  {
    signal = new AbortController().signal,
    stop,
    pieceBytes,
  }: { readonly signal?: AbortSignal; readonly stop?: AbortController; readonly pieceBytes?: number } = {},
) {
  const asked: (readonly [number, number])[] = []
  const told: number[] = []
  const sink = {
    sizeBytes: 4096 * mib,
    alignmentBytes: 4096,
    async zero(offset: number, lengthBytes: number, _: unknown, onPiece?: OnPiece) {
      asked.push([offset, lengthBytes])
      stop?.abort(new Error('stopped'))
      if (pieceBytes === undefined) return 'written'
      for (let at = 0; at < lengthBytes; at += pieceBytes)
        await onPiece?.(Math.min(pieceBytes, lengthBytes - at), 'written')
      return 'written'
    },
  } as Pick<BlockSink, 'sizeBytes' | 'alignmentBytes' | 'zero'> as BlockSink
  const filling = fillGaps({
    sink,
    extents: zeros(diskBytes),
    ends: { headEnd: mib, tailStart: 4095 * mib, tailEnd: 4096 * mib },
    clearUnused: false,
    signal,
    onFilled: (bytes) => told.push(bytes),
  })
  return { filling, asked, told }
}

it('tells of a long gap step by step, and no byte more than it has', async () => {
  const { filling, asked, told } = await fill(600 * mib + 512)
  await filling
  expect(asked).toEqual([
    [mib, 256 * mib],
    [257 * mib, 256 * mib],
    [513 * mib, 87 * mib + 4096],
  ])
  expect(told).toEqual([mib, 256 * mib, 256 * mib, 87 * mib + 512])
})

it('tells of the pieces of a step as they are written', async () => {
  const { filling, told } = await fill(129 * mib + 512, { pieceBytes: 64 * mib })
  await filling
  expect(told).toEqual([mib, 64 * mib, 64 * mib, 512])
})

it('hears within a gap that it is to stop', async () => {
  const stop = new AbortController()
  const { filling, asked } = await fill(600 * mib, { signal: stop.signal, stop })
  await expect(filling).rejects.toThrow('stopped')
  expect(asked).toHaveLength(1)
})
