/** A built image with the hashes that a scan of ours leaves: what can be multicast. */
import { createHash } from 'node:crypto'
import { encodeBlockHashes } from '#engine/formats/udif'
import { buildUdif, someScan, type UdifSpec } from '#test/build-udif'

export interface HashedUdif {
  /** The image's file. */
  readonly bytes: Uint8Array
  /** The disk inside, unused space as zeros. */
  readonly disk: Uint8Array
}

export function hashedUdif(spec: UdifSpec, hashedBlockBytes = 64 * 1024): HashedUdif {
  const { disk } = buildUdif(spec)
  const hashes: Uint8Array[] = []
  for (let at = 0; at < disk.length; at += hashedBlockBytes)
    hashes.push(
      createHash('sha256')
        .update(disk.subarray(at, at + hashedBlockBytes))
        .digest(),
    )
  const data = Buffer.concat(
    encodeBlockHashes(
      { blockBytes: hashedBlockBytes, hashes: Buffer.concat(hashes) },
      { diskBytes: disk.length, scannedMs: 0, scannedBy: 'test' },
    ),
  )
  const { bytes } = buildUdif({ ...spec, resources: [someScan, { type: 'rpbh', id: 0, data }] })
  return { bytes, disk }
}
