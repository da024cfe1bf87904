/** How large a stream's datagrams are, and its blocks. */
import { streamBounds, wrongSize, type StreamSizes } from '#engine/multicast/layout'
import { datagramHeaderBytes, networkHeaderBytes } from '#engine/multicast/wire'

/** Left free, for what a network in between may add: a VLAN tag, a tunnel. */
const spareBytes = 32
const usualBlockBytes = 1024 * 1024

/** What frames of 1500 bytes carry, which every network does. */
const usualSymbolBytes = 1408
/**
 * So many datagrams should go into the 10 ms for which the Data Rate is never exceeded: of few large ones the last mostly
 * doesn't fit, and its room is lost.
 */
const datagramsIn10Ms = 32

/**
 * The largest payload that is never fragmented on an interface of that MTU: 1408 where frames have 1500 bytes. Larger ones spare
 * everybody's processor, and are as large as `dataRate` (bytes a second) leaves sense for.
 */
export function symbolBytesFor(mtu: number, dataRate: number): number {
  const headerBytes = networkHeaderBytes + datagramHeaderBytes
  const { minSymbolBytes, maxSymbolBytes } = streamBounds
  const fitting = mtu - headerBytes - spareBytes
  const paced = Math.max(usualSymbolBytes, dataRate / 100 / datagramsIn10Ms - headerBytes)
  const bytes = Math.floor(Math.min(fitting, paced) / 16) * 16
  return Math.max(minSymbolBytes, Math.min(maxSymbolBytes, bytes))
}

/** 1 MiB. Null: the stream is longer than one can be, which is 2.7 TB in a network of 1500-byte frames. */
export function blockBytesForStream(sizes: Omit<StreamSizes, 'blockBytes'>): number | null {
  return wrongSize({ ...sizes, blockBytes: usualBlockBytes }) === null ? usualBlockBytes : null
}
