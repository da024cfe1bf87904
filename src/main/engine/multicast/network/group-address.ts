/** The addresses that a stream may be sent to. */
import { isIPv4 } from 'node:net'
import { NetworkError } from '#shared/errors'

const numberOf = (address: string): number =>
  address.split('.').reduce((number, part) => number * 256 + Number(part), 0)

const first = numberOf('224.0.2.0')
const last = numberOf('239.255.255.255')

/** 224.0.2.0 to 239.255.255.255: what is before is for the network itself (RFC 5771, §4, §5). */
export const isGroupAddress = (address: string): boolean =>
  isIPv4(address) && numberOf(address) >= first && numberOf(address) <= last

/** Throws NetworkError E_MC_ADDR. */
export function checkGroup(address: string): void {
  if (isGroupAddress(address)) return
  throw new NetworkError('E_MC_ADDR', `${address} is no address for a stream`, {
    details: { address, phase: 'address' },
  })
}
