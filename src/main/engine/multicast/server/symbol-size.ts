/** How large a stream's datagrams are, and its blocks. */
import { streamBounds, wrongSize, type StreamSizes } from '#engine/multicast/layout'
import { datagramHeaderBytes, networkHeaderBytes } from '#engine/multicast/wire'

/** Left free, for what a network in between may add: a VLAN tag, a tunnel. */
const spareBytes = 32
const usualBlockBytes = 1024 * 1024

/** The largest payload that is never fragmented on an interface of that MTU: 1408 where frames have 1500 bytes. */
export function symbolBytesFor(mtu: number): number {
  const room = mtu - networkHeaderBytes - datagramHeaderBytes - spareBytes
  const { minSymbolBytes, maxSymbolBytes } = streamBounds
  return Math.max(minSymbolBytes, Math.min(maxSymbolBytes, Math.floor(room / 16) * 16))
}

/** 1 MiB. Null: the stream is longer than one can be, which is 2.7 TB in a network of 1500-byte frames. */
export function blockBytesForStream(sizes: Omit<StreamSizes, 'blockBytes'>): number | null {
  return wrongSize({ ...sizes, blockBytes: usualBlockBytes }) === null ? usualBlockBytes : null
}
