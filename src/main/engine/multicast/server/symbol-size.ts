/** How large a stream's datagrams are, and its blocks. */
import { streamBounds, wrongSize, type StreamSizes } from '#engine/multicast/layout'
import { datagramHeaderBytes, networkHeaderBytes } from '#engine/multicast/wire'

/** Left free, for what a network in between may add: a VLAN tag, a tunnel. */
const spareBytes = 32
const usualBlockBytes = 1024 * 1024
/**
 * Frames that every network carries. Larger ones of the server's interface say nothing of the clients' ones: switches drop without a word
 * what is too long for one of those, while everything that is short arrives.
 */
const usualMtu = 1500

/** The largest payload that is never fragmented on an interface of that MTU, nor where frames have 1500 bytes: 1408 at most. */
export function symbolBytesFor(mtu: number): number {
  const headerBytes = networkHeaderBytes + datagramHeaderBytes
  const bytes = Math.min(mtu, usualMtu) - headerBytes - spareBytes
  return Math.max(streamBounds.minSymbolBytes, Math.floor(bytes / 16) * 16)
}

/** Of all interfaces but those with short frames. */
export const usualSymbolBytes = symbolBytesFor(usualMtu)

/** 1 MiB. Null: the stream is longer than one can be, which is 2.7 TB in a network of 1500-byte frames. */
export function blockBytesForStream(sizes: Omit<StreamSizes, 'blockBytes'>): number | null {
  return wrongSize({ ...sizes, blockBytes: usualBlockBytes }) === null ? usualBlockBytes : null
}
