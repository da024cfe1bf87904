import { describe, expect, test } from 'vitest'
import { Burst } from '#src/main/engine/multicast/port/burst.ts'

const datagramBytes = 1440
/** Of one datagram each tenth of a millisecond. */
const slow = datagramBytes * 10_000

function burstOn({ isCut = true, errno = '' } = {}) {
  const sent: number[] = []
  const heard: (string | null)[] = []
  const socket = {
    send: ((bytes: Uint8Array, done?: (error: Error | null) => void) => {
      sent.push(bytes.length)
      const isTooMuch = errno !== '' && bytes.length > datagramBytes
      done?.(isTooMuch ? Object.assign(new Error('no'), { code: errno }) : null)
    }) as never,
  }
  const burst = new Burst({ socket, datagramBytes, isCut })
  const send = () => burst.send((error) => heard.push(error === null ? null : error.message))
  /** So many datagrams, sent as it wants them sent. */
  const offer = (count: number, rate: number) => {
    for (let index = 0; index < count; index++) {
      burst.room.set([index], 0)
      if (!burst.add(datagramBytes, rate)) send()
    }
  }
  return { burst, offer, send, sent, heard }
}

describe('a burst', () => {
  test('is what is due in a tenth of a millisecond', () => {
    const { offer, sent } = burstOn()
    offer(3, slow)
    expect(sent).toEqual([1440, 1440, 1440])
    offer(8, slow * 4)
    expect(sent.slice(3)).toEqual([4 * 1440, 4 * 1440])
  })

  test('is never more than the system cuts at once', () => {
    const { offer, sent } = burstOn()
    offer(90, 1e12)
    expect(sent).toEqual([45 * 1440, 45 * 1440])
    expect(sent.every((bytes) => bytes <= 65_507)).toBe(true)
  })

  test('is one datagram where the system cuts nothing', () => {
    const { offer, sent } = burstOn({ isCut: false })
    offer(3, 1e12)
    expect(sent).toEqual([1440, 1440, 1440])
  })

  test('says how long it takes until one is due, where that is more than a datagram', () => {
    const cut = burstOn().burst
    expect(cut.fillsInMs(slow)).toBe(0)
    expect(cut.fillsInMs(slow * 4)).toBeCloseTo(0.1)
    expect(cut.fillsInMs(1e12)).toBeCloseTo((45 * 1440) / 1e9)
    expect(burstOn({ isCut: false }).burst.fillsInMs(1e12)).toBe(0)
  })

  test('ends with a datagram that is shorter', () => {
    const { burst, offer } = burstOn()
    offer(2, 1e12)
    expect(burst.add(32, 1e12)).toBe(false)
    expect([burst.count, burst.bytes]).toEqual([3, 2 * 1440 + 32])
  })

  test('that has nothing in it is not sent', () => {
    const { send, sent, heard } = burstOn()
    send()
    expect([sent, heard]).toEqual([[], []])
  })

  test.each(['EINVAL', 'EIO'])(
    'that the network can not cut (%s) is the last, and nobody is told',
    (errno) => {
      const { offer, sent, heard } = burstOn({ errno })
      offer(45, 1e12)
      offer(2, 1e12)
      expect(sent).toEqual([45 * 1440, 1440, 1440])
      expect(heard).toEqual([null, null, null])
    },
  )

  test('nobody asks about is sent all the same', () => {
    const { burst, sent, heard } = burstOn()
    burst.add(datagramBytes, slow)
    burst.send(null)
    expect([sent, heard]).toEqual([[1440], []])
  })

  test('whose network is away is told, and goes on', () => {
    const { offer, sent, heard } = burstOn({ errno: 'ENETUNREACH' })
    offer(90, 1e12)
    expect(sent).toEqual([45 * 1440, 45 * 1440])
    expect(heard).toEqual(['no', 'no'])
  })
})
