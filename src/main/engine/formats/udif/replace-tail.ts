/**
 * Puts another list of resources into a UDIF file without touching its data, so that the file is a whole image at every
 * moment: before each write returns, after it, and when the power fails in between (as far as the file system keeps the order
 * of writes and flushes). The trailer must be the last 512 bytes of the file and names the place of the list, which is what
 * makes it possible:
 *
 *                  |data|list|koly|                                  as it was
 *     1 extend     |data|list|koly|..............................|koly|   one write of 512 bytes: a copy of the old trailer
 *     2 stage      |data|list|koly|......|new list |.............|koly|   nobody looks there yet
 *     3 switch     |data|list|koly|......|new list |.............|KOLY|   one sector: now the new list counts
 *     4 settle     |data|new list |KOLY|.|new list |.............|KOLY|   over what doesn't count any more
 *     5 cut        |data|new list |KOLY|                             the trailer at the new end names the settled list
 *
 * Everything is flushed between the steps. A failure up to 3 cuts the file back to what it was. When the file isn't as long as it was
 * left, somebody else is at it, another scan say: then it is let go as it is. What follows the data but isn't
 * a list — a classic resource fork — moves along; a code signature doesn't hold for another list and is left out.
 */
import type { BlockSource } from '#engine/block-io'
import { DeviceError, invariant } from '#shared/errors'
import { sectorBytes } from '#shared/units'
import { kolyBytes, kolyStruct, type Koly } from './koly.ts'

/** The file, open for writing. Each call rejects with what the system says. */
export interface TailFile {
  write(bytes: Uint8Array, offset: number): Promise<void>
  truncate(sizeBytes: number): Promise<void>
  /** All that was written is on the medium. */
  sync(): Promise<void>
  /** How long the file is now. */
  size(): Promise<number>
}

export interface TailReplacement {
  /** The file as it is, and still is up to the switch. */
  readonly source: BlockSource
  readonly koly: Koly
  /** The new list's text, the same each time it is asked for. */
  readonly list: () => AsyncIterable<Uint8Array>
  /** The trailer's fields that change besides the places of the parts. */
  readonly change: Partial<Koly>
  /** Looks at the file as it will be, before it counts. Throws when that isn't right. */
  readonly check: (staged: BlockSource) => Promise<void>
}

const pieceBytes = 1024 * 1024
const roundUp = (offset: number) => Math.ceil(offset / sectorBytes) * sectorBytes

/**
 * Resolves to the file's new size. Throws what the file throws, and DeviceError E_SRC_CHANGED when somebody else changes the file;
 * then the file is as it was, or complete.
 */
export async function replaceTail(file: TailFile, replacement: TailReplacement): Promise<number> {
  const { source, koly, list, change } = replacement
  const oldBytes = source.sizeBytes
  const tailAt = koly.dataForkOffset + koly.dataForkLength
  const listBytes = await lengthOf(list())
  // A fork in front of the data stays there.
  const moves = koly.rsrcForkLength > 0 && koly.rsrcForkOffset >= tailAt
  const forkBytes = moves ? koly.rsrcForkLength : 0
  const tailBytes = listBytes + forkBytes
  const finalBytes = tailAt + tailBytes + kolyBytes
  const stageAt = roundUp(Math.max(oldBytes, finalBytes + sectorBytes))
  const stageEnd = roundUp(stageAt + tailBytes) + kolyBytes

  const kolyFor = (at: number) =>
    kolyStruct.encode({
      ...koly,
      ...change,
      xmlOffset: at,
      xmlLength: listBytes,
      ...(moves ? { rsrcForkOffset: at + listBytes } : {}),
      codeSignatureOffset: 0,
      codeSignatureLength: 0,
    })
  const oldKoly = new Uint8Array(kolyBytes)
  await source.read(oldKoly, oldBytes - kolyBytes)

  const checkOurs = async (sizeBytes: number) => {
    if ((await file.size()) === sizeBytes) return
    const { path } = source
    throw new DeviceError('E_SRC_CHANGED', `${path} is changed by somebody else`, { details: { path } })
  }
  await checkOurs(oldBytes)
  let isSwitched = false
  try {
    await file.write(oldKoly, stageEnd - kolyBytes)
    await file.sync()

    let at = stageAt
    for await (const piece of list()) {
      await file.write(piece, at)
      at += piece.length
    }
    invariant(at === stageAt + listBytes, 'a list has the same length each time')
    for await (const [piece, offset] of stretch(source, koly.rsrcForkOffset, forkBytes))
      await file.write(piece, at + offset)
    await file.sync()
    const newKoly = kolyFor(stageAt)
    await replacement.check(withTrailer(source, newKoly, stageEnd))

    await checkOurs(stageEnd)
    await file.write(newKoly, stageEnd - kolyBytes)
    await file.sync()
    isSwitched = true
  } catch (error) {
    const isOurs = !(error instanceof DeviceError && error.code === 'E_SRC_CHANGED')
    if (!isSwitched && isOurs) {
      // The old trailer is where it was: the file is what it was when it ends there again.
      await file.truncate(oldBytes)
      await file.sync()
    }
    throw error
  }

  await checkOurs(stageEnd)
  for await (const [piece, offset] of stretch(source, stageAt, tailBytes))
    await file.write(piece, tailAt + offset)
  await file.write(kolyFor(tailAt), finalBytes - kolyBytes)
  await file.sync()
  await checkOurs(stageEnd)
  await file.truncate(finalBytes)
  await file.sync()
  return finalBytes
}

async function lengthOf(list: AsyncIterable<Uint8Array>): Promise<number> {
  let length = 0
  for await (const piece of list) length += piece.length
  return length
}

/** Bytes of the file in pieces, each with its offset within the stretch. */
async function* stretch(
  source: BlockSource,
  from: number,
  lengthBytes: number,
): AsyncGenerator<readonly [Uint8Array, number], undefined> {
  for (let done = 0; done < lengthBytes; done += pieceBytes) {
    const piece = new Uint8Array(Math.min(pieceBytes, lengthBytes - done))
    await source.read(piece, from + done)
    yield [piece, done]
  }
  return undefined
}

/** The file as it will be: `sizeBytes` long, with this trailer. */
function withTrailer(source: BlockSource, trailer: Uint8Array, sizeBytes: number): BlockSource {
  const trailerAt = sizeBytes - trailer.length
  return {
    path: source.path,
    sizeBytes,
    async read(into, offset, signal) {
      const before = Math.max(0, Math.min(into.length, trailerAt - offset))
      if (before > 0) await source.read(into.subarray(0, before), offset, signal)
      if (before < into.length)
        into.set(trailer.subarray(offset + before - trailerAt, offset + into.length - trailerAt), before)
    },
    async [Symbol.asyncDispose]() {},
  }
}
