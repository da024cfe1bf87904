/** Addresses of the Internet as numbers, so that networks and ranges of them can be compared. Pure text. */

/** IPv4 as it is mapped into IPv6. */
const mapped = 0xffff_0000_0000n

/**
 * One number tells all addresses apart: IPv4 as it is mapped into IPv6 (RFC 4291, 2.5.5.2), so that `10.0.0.1` and
 * `::ffff:10.0.0.1` are the same. A zone (`%eth0`) of an IPv6 address is left out. Null for anything else.
 */
export function addressNumber(text: string): bigint | null {
  const ipv4 = ipv4Number(text)
  if (ipv4 !== null) return mapped + BigInt(ipv4)
  return text.includes(':') ? ipv6Number(text.replace(/%.+$/, '')) : null
}

/** `10.0.3.7` as 32 bits; null for anything else. Leading zeros would be octal to some, and are refused. */
export function ipv4Number(text: string): number | null {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256))
    return null
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0)
}

function ipv6Number(text: string): bigint | null {
  const sides = spelledOut(text)?.split('::') ?? []
  const [before = [], after] = sides.map((side) => (side === '' ? [] : side.split(':')))
  if (sides.length === 0 || sides.length > 2) return null
  const count = before.length + (after?.length ?? 0)
  // `::` stands for one group at least.
  if (after === undefined ? count !== 8 : count > 7) return null
  const between = Array.from({ length: 8 - count }, () => '0')
  const groups = [...before, ...between, ...(after ?? [])]
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return null
  return groups.reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n)
}

/** An IPv4 address at its end as two groups; null where it is none. */
function spelledOut(text: string): string | null {
  const [, head, dotted] = /^(.*:)([\d.]*\.[\d.]*)$/.exec(text) ?? []
  if (head === undefined || dotted === undefined) return text
  const number = ipv4Number(dotted)
  if (number === null) return null
  return `${head}${Math.floor(number / 65_536).toString(16)}:${(number % 65_536).toString(16)}`
}
