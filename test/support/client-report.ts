/** What a client reports that has received nothing and lacks nothing: tests change what they are about. */
import type { Message } from '#engine/multicast/wire'

export const emptyReport: Message<'report'> = {
  kind: 'report',
  asOf: 0,
  expected: 0,
  received: 0,
  repeated: 0,
  rejected: 0,
  dropped: 0,
  blocksDone: 0,
  backlogBytes: 0,
  writeBytesPerSecond: 0,
  needs: [],
}
