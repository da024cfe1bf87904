import { describe, expect, it } from 'vitest'
import { doubtfulSettings } from '#engine/multicast/network'

const eth0 = { address: '10.0.0.5', linkBitsPerSecond: 100_000_000 }
const codes = (...of: Parameters<typeof doubtfulSettings>) => doubtfulSettings(...of).map(({ code }) => code)

describe('settings that do harm', () => {
  it('are a rate of more than half of the link, and a TTL that ends at the first router', () => {
    expect(codes({ dataRate: 6_250_000, ttl: 2 }, eth0)).toEqual([])
    expect(codes({ dataRate: 6_250_001, ttl: 1 }, eth0)).toEqual(['E_MC_RATE', 'E_MC_TTL'])
  })

  it('are none where nobody knows how fast the link is, or nothing leaves the computer', () => {
    expect(codes({ dataRate: 100e6, ttl: 3 }, { ...eth0, linkBitsPerSecond: null })).toEqual([])
    expect(codes({ dataRate: 100e6, ttl: 1 }, { address: '127.0.0.1', linkBitsPerSecond: null })).toEqual([])
  })
})
