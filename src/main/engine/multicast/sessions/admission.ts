/**
 * Who may join a session: rules in order, the first that fits decides. Without rules everyone may; with rules, whom none of
 * them fits may not. A rule is what an administrator writes:
 *
 *     lab-*                     a host name, `*` for any letters
 *     10.0.3.7  fd00::7         an address
 *     10.0.3.0/24  fd00::/64    a network
 *     10.0.3.10-10.0.3.40       a range of addresses, both ends in it
 *     3c:07:54:0a:1b:2c         a hardware address, as the client tells it
 *     !lab-07                   any of these with ! in front: may not
 */
import { isIP, isIPv4 } from 'node:net'
import { UsageError } from '#shared/errors'

export interface AdmissionRule {
  readonly verdict: 'may' | 'may not'
  readonly match:
    | { readonly kind: 'host'; readonly pattern: string }
    | { readonly kind: 'addresses'; readonly first: bigint; readonly last: bigint }
    | { readonly kind: 'hardware'; readonly address: string }
}

/** Who asks. `address` is the connection's, the rest is what it says of itself. */
export interface Applicant {
  readonly address: string
  readonly hostName: string
  readonly hardwareAddresses: readonly Uint8Array[]
}

/** Throws `UsageError` for what is none of the above. */
export function parseAdmissionRule(text: string): AdmissionRule {
  const trimmed = text.trim()
  const isRefusal = trimmed.startsWith('!')
  const match = parseMatch((isRefusal ? trimmed.slice(1) : trimmed).trim())
  if (match === null)
    throw new UsageError('E_USAGE', `not a rule of admission: ${text}`, {
      details: { input: 'admission', found: text },
    })
  return { verdict: isRefusal ? 'may not' : 'may', match }
}

export function isAdmitted(rules: readonly AdmissionRule[], applicant: Applicant): boolean {
  if (rules.length === 0) return true
  return rules.find(({ match }) => fits(match, applicant))?.verdict === 'may'
}

function parseMatch(text: string): AdmissionRule['match'] | null {
  if (/^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(text))
    return { kind: 'hardware', address: text.toLowerCase().replaceAll('-', ':') }
  const [base = '', prefix, ...more] = text.split('/')
  const number = addressNumber(base)
  if (prefix !== undefined) {
    const bits = isIPv4(base) ? 32 : 128
    if (number === null || more.length > 0 || !/^\d{1,3}$/.test(prefix) || Number(prefix) > bits) return null
    const size = 1n << BigInt(bits - Number(prefix))
    const first = number - (number % size)
    return { kind: 'addresses', first, last: first + size - 1n }
  }
  if (number !== null) return { kind: 'addresses', first: number, last: number }
  const ends = text.split('-').map((end) => addressNumber(end.trim()))
  const [first, last] = ends
  if (ends.length === 2 && typeof first === 'bigint' && typeof last === 'bigint')
    return first <= last ? { kind: 'addresses', first, last } : null
  // What looks like an address written wrong is no name: it would never fit anybody.
  if (!/^[\p{L}\p{N}*._-]{1,255}$/u.test(text) || /^\d[\d.*-]*$/.test(text)) return null
  return { kind: 'host', pattern: text.toLowerCase() }
}

function fits(match: AdmissionRule['match'], applicant: Applicant): boolean {
  switch (match.kind) {
    case 'host':
      return fitsPattern(match.pattern, applicant.hostName.toLowerCase())
    case 'addresses': {
      const number = addressNumber(applicant.address)
      return number !== null && number >= match.first && number <= match.last
    }
    default:
      return applicant.hardwareAddresses.some(
        (bytes) =>
          Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':') === match.address,
      )
  }
}

/** Each part between the stars as early as it can be, which takes no longer the more stars there are. */
function fitsPattern(pattern: string, name: string): boolean {
  const parts = pattern.split('*')
  const [head = '', ...rest] = parts
  const tail = rest.pop()
  if (tail === undefined) return name === pattern
  if (!name.startsWith(head)) return false
  let at = head.length
  for (const part of rest) {
    const found = name.indexOf(part, at)
    if (found === -1) return false
    at = found + part.length
  }
  return name.length - tail.length >= at && name.endsWith(tail)
}

/** IPv4 addresses as they are mapped into IPv6, so that one number tells them all apart. Null for anything else. */
function addressNumber(text: string): bigint | null {
  const plain = text.replace(/%.*$/, '')
  const kind = isIP(plain)
  if (kind === 0) return null
  if (kind === 4)
    return plain.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n) + 0xffff_0000_0000n
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(plain)
  const hex = (high: string | undefined, low: string | undefined) =>
    (Number(high) * 256 + Number(low)).toString(16)
  const whole =
    dotted === null ? plain : `${dotted[1]}${hex(dotted[2], dotted[3])}:${hex(dotted[4], dotted[5])}`
  const [left = '', right] = whole.split('::')
  const groups = (side: string | undefined) => (side === undefined || side === '' ? [] : side.split(':'))
  const [before, after] = [groups(left), groups(right)]
  const between = Array.from({ length: 8 - before.length - after.length }, () => '0')
  return [...before, ...(right === undefined ? [] : between), ...after].reduce(
    (sum, group) => sum * 65_536n + BigInt(`0x${group}`),
    0n,
  )
}
