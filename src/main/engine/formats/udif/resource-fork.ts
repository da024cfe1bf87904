/**
 * A classic Mac resource fork, which old images have instead of the XML plist. Layout (Inside Macintosh: More Macintosh
 * Toolbox, "Resource File Format"): header, data, map; the map lists types, each type its references, each reference the
 * place of its data. Byte table: docs/formats/udif.md §5.
 */
import type { BlockSource } from '#engine/block-io'
import { corrupt, defineStruct } from '#engine/formats/struct'
import type { ResourceSink } from './resources.ts'

const big = { format: 'udif', endian: 'big' } as const
const headerStruct = defineStruct({
  ...big,
  name: 'resourceFork',
  fields: [
    ['dataOffset', 4, 'uint'],
    ['mapOffset', 4, 'uint'],
    ['dataLength', 4, 'uint'],
    ['mapLength', 4, 'uint'],
  ],
})
const mapStruct = defineStruct({
  ...big,
  name: 'resourceMap',
  fields: [
    ['headerCopy', 16, 'reserved'],
    ['nextMap', 4, 'reserved'],
    ['fileReference', 2, 'reserved'],
    ['attributes', 2, 'uint'],
    ['typeListOffset', 2, 'uint'], // from the start of the map
    ['nameListOffset', 2, 'uint'],
  ],
})
const typeStruct = defineStruct({
  ...big,
  name: 'resourceType',
  fields: [
    ['type', 4, 'ascii'],
    ['lastIndex', 2, 'uint'], // number of references minus one
    ['referencesOffset', 2, 'uint'], // from the start of the type list
  ],
})
const referenceStruct = defineStruct({
  ...big,
  name: 'resourceReference',
  fields: [
    ['id', 2, 'int'],
    ['nameOffset', 2, 'int'], // from the start of the name list; -1: none
    ['attributes', 1, 'uint'],
    ['dataOffset', 3, 'bytes'], // 24 bits, from the start of the data
    ['handle', 4, 'reserved'],
  ],
})

const maxMapBytes = 16 * 1024 * 1024
const maxForkBytes = 1024 * 1024 * 1024
const blockBytes = 256 * 1024

/**
 * Hand every resource of the fork at `fileOffset` to `collector`. Throws `FormatError` E_SRC_CORRUPT when the fork
 * contradicts itself or points outside.
 */
export async function readResourceFork(
  source: BlockSource,
  fork: { readonly fileOffset: number; readonly lengthBytes: number },
  collector: ResourceSink,
  signal?: AbortSignal,
): Promise<void> {
  const { fileOffset, lengthBytes } = fork
  const problem = (field: string, found: number, expected: string | number, offset = fileOffset) =>
    corrupt({ format: 'udif', field, offset, found, expected })
  const readPart = async (field: string, offset: number, length: number) => {
    if (offset > lengthBytes || length > lengthBytes - offset)
      throw problem(field, offset + length, `at most ${lengthBytes}`)
    const bytes = new Uint8Array(length)
    await source.read(bytes, fileOffset + offset, signal)
    return bytes
  }

  if (lengthBytes > maxForkBytes) throw problem('koly.rsrcForkLength', lengthBytes, `at most ${maxForkBytes}`)
  const header = headerStruct.parse(
    await readPart('resourceFork', 0, Math.min(lengthBytes, headerStruct.sizeBytes)),
    fileOffset,
  )
  if (header.mapLength > maxMapBytes)
    throw problem('resourceFork.mapLength', header.mapLength, `at most ${maxMapBytes}`)
  if (header.dataOffset > lengthBytes || header.dataLength > lengthBytes - header.dataOffset)
    throw problem('resourceFork.dataLength', header.dataOffset + header.dataLength, `at most ${lengthBytes}`)
  const map = await readPart('resourceFork.mapOffset', header.mapOffset, header.mapLength)
  const mapAt = fileOffset + header.mapOffset
  const { typeListOffset, nameListOffset } = mapStruct.parse(map, mapAt)
  const within = (offset: number) => map.subarray(Math.min(offset, map.length))

  const countBytes = within(typeListOffset)
  if (countBytes.length < 2)
    throw problem('resourceMap.typeListOffset', typeListOffset, `less than ${map.length - 1}`)
  const typeCount = (Buffer.from(countBytes.subarray(0, 2)).readUInt16BE(0) + 1) & 0xffff
  // References may point at the same data again and again: what is read in all can't be more than there is.
  let referencesLeft = Math.floor(map.length / referenceStruct.sizeBytes)
  let dataLeft = header.dataLength
  for (let typeIndex = 0; typeIndex < typeCount; typeIndex++) {
    const typeAt = typeListOffset + 2 + typeIndex * typeStruct.sizeBytes
    const { type, lastIndex, referencesOffset } = typeStruct.parse(within(typeAt), mapAt + typeAt)
    for (let index = 0; index <= lastIndex; index++) {
      const at = typeListOffset + referencesOffset + index * referenceStruct.sizeBytes
      if (referencesLeft-- === 0) throw problem('resourceType.lastIndex', lastIndex, 'fewer', mapAt + typeAt)
      const reference = referenceStruct.parse(within(at), mapAt + at)
      const dataOffset = header.dataOffset + Buffer.from(reference.dataOffset).readUIntBE(0, 3)
      const lengthPart = await readPart('resourceReference.dataOffset', dataOffset, 4)
      const length = Buffer.from(lengthPart).readUInt32BE(0)
      const start = dataOffset + 4
      const end = header.dataOffset + header.dataLength
      dataLeft -= 4 + length
      if (start + length > end || dataLeft < 0)
        throw problem(
          'resource.length',
          length,
          `at most ${Math.max(0, end - start)}`,
          fileOffset + dataOffset,
        )
      collector.begin({ type, fileOffset: fileOffset + start, atMostBytes: length })
      for (let done = 0; done < length; done += blockBytes)
        collector.push(await readPart('resource', start + done, Math.min(blockBytes, length - done)))
      const name = reference.nameOffset < 0 ? '' : pascalString(within(nameListOffset + reference.nameOffset))
      collector.end({ id: reference.id, name })
    }
  }
}

/** A length byte and as many characters; Mac OS Roman, of which only the ASCII half is relied on. */
function pascalString(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(1, 1 + (bytes[0] ?? 0))).toString('latin1')
}
