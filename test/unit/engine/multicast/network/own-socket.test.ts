import { expect, test } from 'vitest'
import { parseDrops } from '#src/main/engine/multicast/network/own-socket.ts'

const text = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  123: 0100FFEF:1E78 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000        0 40961 2 0000000000000000 17
  123: 0100FFEF:1E78 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000        0 40962 2 0000000000000000 0
  124: 0100FFEF:1E79 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000        0 40963 2 0000000000000000 5
 garbage
`

test('finds what Linux dropped of the sockets at a group and port', () => {
  expect(parseDrops(text, '239.255.0.1', 7800)).toEqual(
    new Map([
      [40961, 17],
      [40962, 0],
    ]),
  )
  expect(parseDrops(text, '239.255.0.2', 7800)).toEqual(new Map())
})
