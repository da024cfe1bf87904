/** Opens what build-udif built, in memory. */
import type { BlockSource } from '#engine/block-io'
import type { ExtentTable } from '#engine/formats/extents'
import { kolyBytes, parseKoly, readUdif, type UdifImage } from '#engine/formats/udif'
import { DeviceError } from '#shared/errors'
import { runKinds } from '#shared/model'
import { buildUdif, type BuiltUdif, type UdifSpec } from '#test/build-udif'
import { memorySource } from '#test/memory-source'

/** The files of `built` by their paths; opening any other fails as the system does. */
export function openerOf(built: BuiltUdif): (path: string) => Promise<BlockSource> {
  return async (path) => {
    const file = built.files.find(({ suffix }) => path === `/memory/image${suffix}`)
    if (file === undefined) throw new DeviceError('E_NOT_FOUND', path, { details: { path, errno: 'ENOENT' } })
    return memorySource(file.bytes, path)
  }
}

/** Build and read. */
export async function readSpec(spec: UdifSpec): Promise<UdifImage> {
  return await readBuilt(buildUdif(spec))
}

export async function readBuilt(built: BuiltUdif): Promise<UdifImage> {
  const source = memorySource(built.bytes)
  const koly = parseKoly(built.bytes.subarray(-kolyBytes), built.bytes.length)
  return await readUdif(source, koly, openerOf(built))
}

/** The rows of a table in words: `zlib 0+512 @0+11`: disk offset and length, stored offset and length. */
export function rowsOf(table: ExtentTable): string[] {
  return Array.from({ length: table.count }, (_, row) => {
    const kind = runKinds[table.kind[row] ?? 0] ?? '?'
    const disk = `${kind} ${table.diskOffset[row]}+${table.diskBytes[row]}`
    return kind === 'zero' || kind === 'ignore'
      ? disk
      : `${disk} @${table.storedOffset[row]}+${table.storedBytes[row]}`
  })
}
